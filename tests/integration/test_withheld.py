"""Whether a message may leave is looked at right before it does: a lease that lapses on the way there is seen."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event

import psycopg
import pytest
from conftest import CampaignOf, Numbers, Start, environment, send_to
from memory import Memory, MemoryJournal
from planned import plan_in_database
from runfiles import number, pending
from test_engine import BRISK, accepts_all, engine_of

from bulksend.engagespark import SmsApi, Target
from bulksend.errors import OwnedError
from bulksend.model import Attempt, Endpoint, Message, MicroUSD, PhoneNumber
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun
from bulksend.runs.postgres.clock import boottime_s
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.leases import Lease
from bulksend.sending import WITHHELD, Cap

ANA = PhoneNumber("639171234567")


@contextmanager
def crowded() -> Iterator[tuple[socket.socket, list[socket.socket]]]:
    """A server's socket that takes nobody in until others are let in before: who connects waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        before = []
        for _ in range(3):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(listener.getsockname())
            before.append(other)
        yield listener, before
        for other in before:
            other.close()


def let_in(listener: socket.socket, seconds: float) -> bytes:
    """Take in all who come for so long; all that they say."""
    listener.settimeout(seconds)
    came, taken = b"", []
    with suppress(TimeoutError):
        while True:
            taken.append(listener.accept()[0])
    for each in taken:
        each.settimeout(0.1)
        with suppress(TimeoutError):
            came += each.recv(1 << 16)
        each.close()
    return came


@pytest.mark.parametrize("now_s", [7_000.0, 8_001.0], ids=["held", "lapsed"])
async def test_a_lease_that_lapses_while_it_connects_lets_nothing_leave(database: str, now_s: float) -> None:
    now = [0.0]
    plan_in_database(DatabaseRun(database, "june"), [pending(1, number(1))]).close()
    with (
        OwnPostgresRun.own(DatabaseRun(database, "june"), 1_000.0, length_s=10_000.0, clock_s=lambda: now[0]) as run,
        crowded() as (listener, _),
    ):
        journal = run.journal()
        try:
            [attempt] = await journal.begin([1], 1_000.0)
            target = Target(f"http://127.0.0.1:{listener.getsockname()[1]}", 1, Endpoint.CONTACT, "key")
            async with SmsApi(target, timeout_s=5.0) as api:
                sending = asyncio.create_task(api.send(attempt.message, None, partial(journal.leaves, attempt)))
                await asyncio.sleep(0.2)
                assert not sending.done()
                assert journal.leaves(attempt)
                now[0] = now_s
                came = await asyncio.to_thread(let_in, listener, 2.0)
                verdict = await sending
        finally:
            journal.close()
    assert (verdict is WITHHELD, came == b"") == (now_s > 8_000.0, now_s > 8_000.0)


class Lapsing(MemoryJournal):
    """A journal whose lease has lapsed when the first message is about to leave."""

    asked = 0

    def leaves(self, attempt: Attempt) -> bool:  # noqa: ARG002
        self.asked += 1
        return self.asked > 1


async def test_what_was_withheld_begins_again_and_costs_neither_a_try_nor_a_slot() -> None:
    memory = Memory.of([Message(row, ANA, None, f"Hello {row}", 1, MicroUSD(1)) for row in (1, 2)])
    server = accepts_all()
    async with asyncio.timeout(10):
        engine = engine_of(
            Lapsing(memory, 1_000.0), server, pace=BRISK._replace(retries=0), caps=[Cap.parse("63=2/3600")]
        )
        assert await engine.run() is None
    assert sorted(server.rows) == [1, 2]
    assert [note.attempts for note in memory.notes.values()] == [1, 1]
    assert engine.progress.retries == 0


STANDS_STILL = """
import os, signal
from bulksend.runs import shared

shared.LEASE_S = 1.0
from bulksend.cli import main
from bulksend.runs.postgres.journal import Commits

carry_out = Commits._carry_out

def watched(self, work, *, begins):
    carry_out(self, work, begins=begins)
    if begins:
        os.kill(os.getpid(), signal.SIGSTOP)

Commits._carry_out = watched
main()
"""
"""bulksend with leases of a second, which stands still between an intent's commit and its POST."""


@contextmanager
def taken_over(named: DatabaseRun) -> Iterator[OwnPostgresRun]:
    """A run, as soon as its owner's lease is over."""
    until_s = time.monotonic() + 10
    while True:
        try:
            run = OwnPostgresRun.own(named, 1_000.0)
        except OwnedError:
            assert time.monotonic() < until_s
            time.sleep(0.05)
        else:
            break
    with run:
        yield run


def test_who_stood_still_between_intent_and_post_until_another_took_over_sends_nothing(
    tmp_path: Path, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, database: str
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    process = subprocess.Popen(
        [sys.executable, "-c", STANDS_STILL, *send_to(server, "--org-id", "1", "--run", f"{database}#june")],
        cwd=tmp_path,
        env=environment(BULKSEND_API_KEY="sandbox"),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
    with taken_over(DatabaseRun(database, "june")) as run:
        process.send_signal(signal.SIGCONT)
        _, said = process.communicate(timeout=30)
        assert (process.returncode, "has taken this run over" in said) == (4, True), said
        assert len(run.in_doubt()) == 1
    assert server.log() == []


class Standing(Lease):
    """A lease of a process that stands still amid its renewal."""

    goes_on = Event()

    def _renew_itself(self, db: Db) -> bool:
        kept = super()._renew_itself(db)
        self.goes_on.wait(50)
        return kept


def test_who_stands_still_amid_a_renewal_holds_up_nobody_for_longer_than_a_lease(database: str) -> None:
    june = DatabaseRun(database, "june")
    plan_in_database(june, [pending(1, number(1))]).close()
    with psycopg.connect(database) as db:
        (run,) = db.execute("UPDATE bulksend.run SET epoch = 7 RETURNING id").fetchone() or ()
    lease = Standing(june, run, 7, boottime_s(), length_s=0.5)
    time.sleep(0.3)  # it renews itself by now
    began_s = time.monotonic()
    with taken_over(june):
        assert time.monotonic() - began_s < 10
    lease.goes_on.set()
    lease.close()
