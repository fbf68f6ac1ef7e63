"""A run that others send is joined, by a program as by the command: as they began it, and with its own share told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
from conftest import SandboxServer

import bulksend
from bulksend import Account, Campaign, SendOptions, Status, campaign
from bulksend.campaign import Ended
from bulksend.errors import OwnedError
from bulksend.model import Event, Outcome
from bulksend.runs import DatabaseRun, WorkedRun, Worker, open_run, own_run
from bulksend.sending import Stopping

ROWS = 40

Start = Callable[..., SandboxServer]
T = TypeVar("T")


class Beside:
    """Another worker at work on the run, which sends its part when it is told to, and to nobody."""

    def __init__(self, worker: Worker, run: WorkedRun) -> None:
        self._worker, self._run = worker, run
        worker.deal()

    async def sends(self, other: asyncio.Future[T]) -> int:
        """Wait for another one, and bring what is this one's then to be accepted; how many rows."""
        while self._worker.look().workers < 2:
            assert not other.done(), other.exception()
            await asyncio.sleep(0.02)
        self._worker.deal()
        with closing(self._run.journal()) as journal:
            begun = await journal.begin(range(1, ROWS + 1), time.time())
            ended = [Outcome(each.message.row, Event.ACCEPTED, final=True, ended_at=time.time()) for each in begun]
            await journal.settle(ended, turn=0)
        return len(begun)


@pytest.fixture
def account(sandbox: Start) -> Account:
    return Account(1, "sandbox", sandbox().base_url)


@pytest.fixture
def wanted(campaign_of: Callable[..., Path], numbers: Callable[[int], list[str]]) -> Campaign:
    return Campaign(campaign_of(numbers(ROWS)), sender="ACME")


@pytest.fixture
def june(database: str) -> DatabaseRun:
    return DatabaseRun(database, "june")


@pytest.fixture
def beside(account: Account, wanted: Campaign, june: DatabaseRun) -> Iterator[Beside]:
    asyncio.run(bulksend.plan(wanted, account, june))
    with own_run(june, time.time()) as run:
        campaign.leave_to_workers(run, SendOptions().settled(), lambda _: None)
    with Worker(june.database, account.address) as worker:
        (opened,) = worker.runs()
        with worker.begin(opened) as run:
            yield Beside(worker, run)


async def test_who_joins_is_told_of_what_it_sent_itself(account: Account, beside: Beside, june: DatabaseRun) -> None:
    target = account.target("contact")
    assert target is not None
    how, heard = SendOptions().settled(), list[object]()
    joining = asyncio.ensure_future(campaign.join(june, target, how, Stopping(), heard.append))
    own = ROWS - await beside.sends(joining)
    ended = await joining
    assert 0 < own < ROWS
    assert ended.tally.statuses[Status.SENT] == ROWS
    assert (ended.attempts_now, ended.sent_now, ended.known_now) == (own, own, 0)
    assert heard[-1] == ended


@pytest.mark.usefixtures("own_folder")
@pytest.mark.parametrize("by_name", [False, True])
async def test_a_program_joins_a_run_that_others_send(
    account: Account, wanted: Campaign, beside: Beside, june: DatabaseRun, *, by_name: bool
) -> None:
    heard: list[object] = []
    joining = asyncio.ensure_future(
        bulksend.send(june if by_name else wanted, account, SendOptions(run=june), heard.append)
    )
    own = ROWS - await beside.sends(joining)
    sent = await joining
    assert (sent.run, sent.is_complete, sent.stop) == (june, True, None)
    assert (sent.tally.statuses[Status.SENT], sent.ended.attempts_now) == (ROWS, own)
    assert isinstance(heard[-1], Ended)
    assert sent.results == Path("june.results.csv")
    assert sent.results.read_text(encoding="utf-8-sig").count(",sent,") == ROWS


@pytest.mark.usefixtures("beside")
async def test_a_program_joins_no_run_that_was_planned_otherwise(
    account: Account, wanted: Campaign, june: DatabaseRun
) -> None:
    other = Account(2, "sandbox", account.base_url)
    for what, whose in ((Campaign(wanted.input, sender="OTHER"), account), (june, other)):
        with pytest.raises(OwnedError, match="at work"):
            await bulksend.send(what, whose, SendOptions(run=june))
    with open_run(june) as run:
        assert run.tally().attempts == 0
