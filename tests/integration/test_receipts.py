"""Receipts of a real run file, told by a real server under a clock of the test's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
from planned import write_plan
from runfiles import facts, killed_after, number, own, pending

from bulksend.campaign import Patience, SendOptions, StillAwaited, fetch_receipts, send
from bulksend.engagespark import Looked, Sandbox, SandboxOptions, Target
from bulksend.model import Endpoint, MicroUSD, Reached, Receipt
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.sending import Cap, Caps, Pace, Stopping


class Clock:
    """Stands still but for what is waited."""

    def __init__(self) -> None:
        self._began_at = time.time()  # the run's own notes stand by the machine's
        self.now_s = 0.0
        self.pauses: list[float] = []

    def mono_s(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return self._began_at + self.now_s

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)

    def patience(self, until_done_s: float = 0.0) -> Patience:
        return Patience(until_done_s, self.mono_s, self.pause)


def target_of(server: Sandbox) -> Target:
    return Target(server.base_url, 1, Endpoint.CONTACT, "sandbox")


@asynccontextmanager
async def sent(
    path: Path, clock: Clock, options: SandboxOptions, rows: int = 3
) -> AsyncIterator[tuple[OwnSqliteRun, Sandbox]]:
    """A run that a server took."""
    write_plan(path, [pending(row, number(row)) for row in range(1, rows + 1)], facts()).release()
    async with Sandbox(options, clock=clock.wall_s) as server:
        with own(path) as run:
            how = SendOptions(Pace(concurrency=8), Caps((Cap.parse("63=100/60"),)))
            await send(run, None, target_of(server), how, Stopping(), lambda _: None)
            yield run, server


def phones(run: SqliteRun) -> list[Reached]:
    return [receipt.to_phone for _, receipt in run.receipts.all()]


async def test_it_is_asked_in_growing_intervals_until_all_are_in(tmp_path: Path) -> None:
    clock, told = Clock(), list[StillAwaited]()
    async with sent(tmp_path / "a.run", clock, SandboxOptions(receipt_delay_s=100)) as (run, server):
        assert await fetch_receipts(run, target_of(server), clock.patience(600.0), told.append) is Looked.THROUGH
        assert clock.pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
        assert [event.now.open for event in told] == [3] * 6
        assert phones(run) == [Reached.CONFIRMED] * 3


async def test_it_ends_when_the_time_is_over(tmp_path: Path) -> None:
    clock = Clock()
    async with sent(tmp_path / "a.run", clock, SandboxOptions(receipt_delay_s=1_000)) as (run, server):
        await fetch_receipts(run, target_of(server), clock.patience(10.0), lambda _: None)
        assert clock.pauses == [2.0, 4.0, 4.0]
        assert phones(run) == [Reached.UNKNOWN] * 3


async def test_only_what_is_not_final_is_asked_again(tmp_path: Path) -> None:
    clock = Clock()
    async with sent(tmp_path / "a.run", clock, SandboxOptions(receipt_delay_s=5)) as (run, server):
        assert run.receipts.awaited().left == 3
        clock.now_s = 6.0
        await fetch_receipts(run, target_of(server), clock.patience(), lambda _: None)
        assert run.receipts.awaited().left == 0
    # Nobody is there any more, and nobody is asked.
    with own(tmp_path / "a.run") as run:
        assert await fetch_receipts(run, target_of(server), clock.patience(), lambda _: None) is Looked.THROUGH
        assert clock.pauses == []


async def test_a_failed_message_says_why_and_what_it_cost(tmp_path: Path) -> None:
    clock = Clock()
    options = SandboxOptions(undelivered=1, price_micro_per_part=30_000, seed=1)
    async with sent(tmp_path / "a.run", clock, options, rows=20) as (run, server):
        await fetch_receipts(run, target_of(server), clock.patience(), lambda _: None)
        known = run.receipts.deliveries(1)
        assert (known.sent, known.told, known.reached, known.failed, known.open) == (20, 20, 0, 20, 0)
        assert (known.charged, known.estimated, known.priced) == (600_000, 600_000, 20)
        assert [why.says in {"absent subscriber", "unknown subscriber"} for why in known.reasons] == [True]


async def test_a_later_receipt_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    clock = Clock()
    async with sent(tmp_path / "a.run", clock, SandboxOptions(receipt_delay_s=5, undelivered=1)) as (run, server):
        await fetch_receipts(run, target_of(server), clock.patience(), lambda _: None)
        assert (run.receipts.deliveries(0).told, run.receipts.deliveries(0).open) == (3, 3)
        clock.now_s = 6.0
        await fetch_receipts(run, target_of(server), clock.patience(), lambda _: None)
        assert (run.receipts.deliveries(0).told, run.receipts.deliveries(0).failed) == (3, 3)


def test_what_was_noted_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    write_plan(path, [pending(row, number(row)) for row in (1, 2)], facts()).release()
    program = """
    from bulksend.model import Reached, Receipt
    with own(path) as run:
        notes = notes_of(run)
        begin(notes, [1, 2], 1_000.0)
        for row in (1, 2):
            answer = ANSWER._replace(message_id=f"S{row}")
            settle(notes, Outcome(row, Event.ACCEPTED, True, 1_001.0, answer=answer))
    run = own(path)
    assert run.receipts.awaited().note([Receipt("S2", True, Reached.FAILED, "absent", MicroUSD(1))]) == 1
    """
    killed_after(program, path)
    with SqliteRun.open(path) as run:
        assert dict(run.receipts.all()) == {2: Receipt("S2", True, Reached.FAILED, "absent", MicroUSD(1))}
    with own(path) as run:
        assert run.receipts.awaited().next("", 10) == ["S1"]


async def test_a_purged_run_keeps_who_reached_a_phone_and_not_the_reasons(tmp_path: Path) -> None:
    clock = Clock()
    async with sent(tmp_path / "a.run", clock, SandboxOptions(undelivered=1)) as (run, server):
        await fetch_receipts(run, target_of(server), clock.patience(), lambda _: None)
        run.forget(clock.wall_s())
        assert (run.receipts.deliveries(9).failed, run.receipts.deliveries(9).reasons) == (3, (("", 3, 1),))
        assert list(run.receipts.verdicts()) == []


def test_a_run_without_receipts_has_none(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    write_plan(path, [pending(1, number(1))], facts()).release()
    with closing(SqliteRun.open(path)) as run:
        assert not run.receipts.were_fetched
        assert (list(run.receipts.all()), run.receipts.of([1])) == ([], {})
        assert run.receipts.deliveries(5).sent == 0


async def test_one_message_is_looked_up_as_the_list_shows_it() -> None:
    clock = Clock()
    async with Sandbox(SandboxOptions(receipt_delay_s=5), clock=clock.wall_s) as server:
        body = {"orgId": 1, "to": "639171234567", "message": "Hi"}
        headers = {"Authorization": "Token sandbox"}
        list_url = f"{server.base_url}/v1/organizations/1/messages/"
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.post(f"{server.base_url}/v1/sms/contact", json=body) as answer:
                message_id = (await answer.json(content_type=None))["messageId"]
            for now_s, phone in ((4.0, "unknown"), (5.0, "confirmed")):
                clock.now_s = now_s
                async with session.get(f"{list_url}{message_id}/") as answer:
                    alone = await answer.json()
                async with session.get(list_url) as answer:
                    assert (await answer.json())["messages"] == [alone]
                assert alone["deliveredToPhone"] == phone


async def test_a_server_that_has_no_receipts_is_said(tmp_path: Path) -> None:
    clock = Clock()
    async with sent(tmp_path / "a.run", clock, SandboxOptions(legacy=True)) as (run, server):
        assert await fetch_receipts(run, target_of(server), clock.patience(600.0), lambda _: None) is Looked.NO_SUCH
        assert (clock.pauses, run.receipts.were_fetched) == ([], False)
