"""A send into a database that waits for its turn does so no longer than it may, and ends nobody else's waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from conftest import SandboxServer, Start
from planned import plan_in_database
from runfiles import number, pending

from bulksend.campaign import AccountBusy, Ended, SendOptions, held_account, join, send
from bulksend.engagespark import Target
from bulksend.model import Endpoint
from bulksend.runs import Address, DatabaseRun, Orders, OwnRun, Worker, is_open_to_workers, open_for_workers
from bulksend.sending import Cap, Caps, Pace, Stop, Stopping, StopReason
from bulksend.when import Moment, Schedule

OPTIONS = SendOptions(Pace(), Caps((Cap.parse("63=100/60"),)))
ENDS_S = 10.0


class Office:
    """July is to be sent, and others are at work on June, of the same account."""

    def __init__(self, server: SandboxServer, database: str, stack: ExitStack) -> None:
        self.server, self.database = server, database
        with self._planned("june") as june:
            open_for_workers(june, Orders((), True, True, time.time(), False, 0.0), None, None, None)
        worker = stack.enter_context(Worker(database, Address(1, server.base_url)))
        (opened,) = worker.runs()
        worker.begin(opened).close()
        self.worker = worker
        self.july = stack.enter_context(self._planned("july"))
        self.named = DatabaseRun(database, "july")

    @contextmanager
    def _planned(self, name: str) -> Iterator[OwnRun]:
        rows = [pending(row, number(row)) for row in range(1, 21)]
        named = DatabaseRun(self.database, name)
        with plan_in_database(named, rows, base_url=self.server.base_url, org_id=1, plan_id=name) as run:
            yield run

    @property
    def target(self) -> Target:
        return Target(self.server.base_url, 1, Endpoint.CONTACT, "sandbox")

    async def send(self, options: SendOptions, tell: asyncio.Event | None = None) -> Ended:
        """Send July; the event is set when that waits for its turn."""

        def hear(event: object) -> None:
            if tell is not None and isinstance(event, AccountBusy):
                tell.set()

        with held_account(self.target, self.july, lambda _: None, wait=False) as account:
            return await send(self.july, account, self.target, options, Stopping(), hear)


@pytest.fixture
def office(sandbox: Start, database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(sandbox(), database, stack)


async def test_its_turn_is_waited_for_as_long_as_it_may_be(office: Office) -> None:
    async with asyncio.timeout(ENDS_S):
        ended = await office.send(replace(OPTIONS, turn_s=0.1))
    assert ended.stop is not None
    assert ended.stop.reason is StopReason.ACCOUNT_BUSY
    assert "workers are at work on another run of this account" in ended.stop.says
    assert office.server.accepted() == []
    assert not is_open_to_workers(office.named)
    assert office.july.spell.end is not None


async def test_no_turn_is_waited_for_when_the_window_has_closed(office: Office) -> None:
    office.july.times.keep(Schedule(Moment(time.time() + 3_600, "later", "UTC"), zone="UTC"))
    async with asyncio.timeout(ENDS_S):
        ended = await office.send(OPTIONS)
    assert ended.stop is not None
    assert ended.stop.reason is StopReason.WINDOW_CLOSED
    assert not is_open_to_workers(office.named)


async def test_who_joins_and_waits_no_longer_ends_nobody_elses_waiting(office: Office) -> None:
    waits = asyncio.Event()
    sending = asyncio.ensure_future(office.send(OPTIONS, waits))
    async with asyncio.timeout(ENDS_S):
        await waits.wait()
        stopping = Stopping()
        joining = asyncio.ensure_future(join(office.named, office.target, OPTIONS, stopping, lambda _: None))
        await asyncio.sleep(0.3)
        stopping.ask(Stop(StopReason.INTERRUPTED, "interrupted"))
        joined = await joining
        assert (joined.stop, joined.others) == (stopping.why, 1)
        office.worker.leave()
        ended = await sending
    assert (ended.stop, ended.sent_now) == (None, 20)
