"""Machines whose clocks differ keep a phone's window among them: nobody takes a send for older than it is."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg
import pytest
from planned import FACTS, PlannedRow, plan_in_database

from bulksend.model import Encoding, Event, MicroUSD, Outcome, PhoneNumber, Status
from bulksend.runs import DatabaseRun, Worker, account_of
from bulksend.runs.postgres import OwnPostgresRun, clock
from bulksend.runs.postgres.clock import skew_s

CLOSE_S = 0.2
SLOW_S = 60.0  # a busy machine may take so long over what a test does
ROW = PlannedRow(
    1, Status.PENDING, PhoneNumber("639171234567"), None, "Hello", Encoding.GSM7, 1, MicroUSD(20_000), "", b"[]"
)


@pytest.mark.parametrize("ahead_s", [-3_600.7, -1.4, -0.9, 0.9, 1.4])
def test_how_far_clocks_are_apart_is_known_to_a_part_of_a_second(database: str, ahead_s: float) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        assert skew_s(db, lambda: time.time() - ahead_s) == pytest.approx(ahead_s, abs=CLOSE_S)


def test_clocks_that_agree_change_no_time(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        assert skew_s(db) == 0


def test_a_worker_sees_that_the_databases_clock_was_set(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By it he knows when a run's window is open, perhaps after days in which nothing was to be sent."""
    with Worker(database, FACTS.address) as worker:
        assert worker.ahead_s() == 0
        monkeypatch.setattr(clock, "_NOW", f"{clock._NOW} + 3600")
        for look in (worker.runs, worker.look):
            look()
            assert worker.ahead_s() == pytest.approx(3_600, abs=CLOSE_S)


@pytest.mark.parametrize("apart_s", [0.9, 1.4])
async def test_a_send_is_as_old_to_whoever_takes_over_as_it_was(database: str, apart_s: float) -> None:
    named = DatabaseRun(database, "june")
    plan_in_database(named, [ROW], FACTS).close()

    def early() -> float:
        return time.time() - apart_s

    def late() -> float:
        return time.time() + apart_s

    with (
        OwnPostgresRun.own(named, early(), now_s=early) as run,
        closing(run.journal()) as journal,
    ):
        await journal.begin([1], early())
        ended_s = time.time()
        await journal.settle([Outcome(1, Event.ACCEPTED, final=True, ended_at=early(), http_status=200)], turn=0)
    with OwnPostgresRun.own(named, late(), now_s=late) as run, closing(run.journal()) as journal:
        ((_, _, at_s),) = await journal.recent_sends(late() - 60, late())
        assert at_s == pytest.approx(ended_s + apart_s, abs=CLOSE_S)


@pytest.mark.parametrize("step_s", [-3_600.0, 3_600.0])
async def test_a_send_is_as_old_as_it_is_though_the_clock_was_set_meanwhile(database: str, step_s: float) -> None:
    named, set_by_s = DatabaseRun(database, "june"), 0.0
    plan_in_database(named, [ROW, ROW._replace(row=2)], FACTS).close()

    def now() -> float:
        return time.time() + set_by_s

    with OwnPostgresRun.own(named, now(), now_s=now) as run, closing(run.journal()) as journal:
        await journal.begin([1, 2], now())
        await journal.settle([Outcome(1, Event.ACCEPTED, final=True, ended_at=now(), http_status=200)], turn=0)
        set_by_s = step_s
        await journal.settle([Outcome(2, Event.ACCEPTED, final=True, ended_at=now(), http_status=200)], turn=0)
        seen = await journal.recent_sends(now() - 600, now())
        assert [at_s for *_, at_s in seen] == pytest.approx([now(), now()], abs=SLOW_S)
    set_by_s = 0.0
    with OwnPostgresRun.own(named, now(), now_s=now) as run, closing(run.journal()) as journal:
        seen = await journal.recent_sends(now() - 600, now())
        assert [at_s for *_, at_s in seen] == pytest.approx([now(), now()], abs=SLOW_S)


@pytest.mark.parametrize("ahead_s", [-3_600.0, 3_600.0])
async def test_what_an_account_knows_of_a_run_is_as_old_as_it_is(
    database: str, ahead_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caps hold across runs, and history has all of them, whatever a machine's clock says."""
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead_s)
    june, july = DatabaseRun(database, "june"), DatabaseRun(database, "july")
    for named in (june, july):
        plan_in_database(named, [ROW], FACTS, plan_id=named.name).close()
    with OwnPostgresRun.own(june, time.time()) as run, account_of(june, FACTS.address) as account:
        began_s = time.time()
        account.begin(run, since_s=began_s - 600, wall_s=began_s)
        with closing(run.journal()) as journal:
            await journal.begin([1], time.time())
            ended = Outcome(1, Event.ACCEPTED, final=True, ended_at=time.time(), http_status=200)
            await journal.settle([ended], turn=0)
        account.end(run, since_s=time.time() - 600, wall_s=time.time())
        assert run.span is not None
        assert run.span.ended_at == pytest.approx(time.time(), abs=SLOW_S)
    with OwnPostgresRun.own(july, time.time()) as run, account_of(july, FACTS.address) as account:
        [sent] = account.begin(run, since_s=time.time() - 600, wall_s=time.time()).sends
        assert sent.ended_at == pytest.approx(time.time(), abs=SLOW_S)
        assert len(account.history.got_by([ROW.recipient] if ROW.recipient else [])) == 1
