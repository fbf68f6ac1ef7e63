"""Machines whose clocks differ keep a phone's window among them: nobody takes a send for older than it is."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg
import pytest
from planned import FACTS, PlannedRow, plan_in_database

from bulksend.model import Encoding, Event, MicroUSD, Outcome, PhoneNumber, Status
from bulksend.runs import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun
from bulksend.runs.postgres.clock import skew_s

CLOSE_S = 0.2
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
