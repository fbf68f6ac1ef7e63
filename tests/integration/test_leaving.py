"""A run that is left to workers is theirs from then on, and one that could not be left leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from planned import FACTS, plan_in_database
from runfiles import number, pending

from bulksend.campaign import SendOptions, leave_to_workers, look_at_history
from bulksend.errors import UsageError
from bulksend.model import MicroUSD
from bulksend.runs import DatabaseRun, OwnRun, Worker, account_of, is_open_to_workers
from bulksend.sending import Cap, Caps, Pace

OPTIONS = SendOptions(Pace(), Caps((Cap.parse("63=5/60"),)))


@pytest.fixture
def june(database: str) -> DatabaseRun:
    return DatabaseRun(database, "june")


@pytest.fixture
def run(june: DatabaseRun) -> Iterator[OwnRun]:
    with plan_in_database(june, [pending(1, number(1), price=None)]) as run:
        yield run


def test_what_was_opened_for_workers_is_not_removed_with_whatever_went_wrong_behind_that(
    run: OwnRun, june: DatabaseRun
) -> None:
    """As a command does that is interrupted, or cannot read the run, before it has told of that."""
    leave_to_workers(run, OPTIONS, lambda _: None)
    assert not run.has_begun
    run.remove()
    assert is_open_to_workers(june)
    with Worker(june.database, FACTS.address) as worker:
        assert [each.name for each in worker.runs()] == ["june"]


def test_what_could_not_be_left_is_not_missed_when_it_is_gone(run: OwnRun, june: DatabaseRun) -> None:
    with pytest.raises(UsageError, match="no rate is known"):
        leave_to_workers(run, replace(OPTIONS, max_cost=MicroUSD(1)), lambda _: None)
    run.remove()
    with psycopg.connect(june.database) as db:
        assert db.execute("SELECT count(*) FROM bulksend.run").fetchone() == (0,)
    july = plan_in_database(DatabaseRun(june.database, "july"), [pending(1, number(1))], plan_id="july")
    with july as another, account_of(july.place, FACTS.address) as account:
        looked = look_at_history(another, OPTIONS.repeating)
        assert not looked.lost
        now_s = time.time()
        assert not account.begin(another, since_s=now_s - 60, wall_s=now_s).blind
