"""A run that others send is joined by one process more, which is told of its own share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import SandboxServer

import bulksend
from bulksend import Account, Campaign, SendOptions, Status, campaign
from bulksend.model import Event, Outcome
from bulksend.runs import DatabaseRun, WorkedRun, Worker, own_run
from bulksend.sending import Stopping

ROWS = 40

Start = Callable[..., SandboxServer]


class Beside:
    """Another worker at work on the run, which sends its part when it is told to, and to nobody."""

    def __init__(self, worker: Worker, run: WorkedRun) -> None:
        self._worker, self._run = worker, run
        worker.deal()

    async def sends(self, other: asyncio.Future[object]) -> int:
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
