"""A run that workers send is taken by somebody for a while: whatever becomes of him, they go on, or it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from offices import OVER, Office

from bulksend.errors import OwnedError
from bulksend.runs import End, OwnRun, Worker, ask_to_end, open_run, own_run
from bulksend.sending import StopReason

NOW_S = 2_000.0


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(database, stack)


def killed(office: Office) -> None:
    """Whoever has the run is not heard of any more, from when its lease runs out."""
    with psycopg.connect(office.database, autocommit=True) as db:
        db.execute(f"UPDATE bulksend.run SET lease_until = {OVER}")


def names(worker: Worker) -> list[str]:
    return [each.name for each in worker.runs()]


def test_a_run_whose_taker_is_killed_is_the_workers_again(office: Office) -> None:
    worker = office.worker()
    taker = own_run(office.named, NOW_S)
    assert names(worker) == []
    killed(office)
    assert names(worker) == ["june"]
    with pytest.raises(OwnedError):  # he was only taken for dead
        taker.decide([1], resend=True)
    taker.close()
    assert names(worker) == ["june"]
    with open_run(office.named) as run:
        assert run.spell.end is None


def test_nor_is_it_lost_where_another_takes_it_then(office: Office) -> None:
    worker = office.worker()
    with own_run(office.named, NOW_S):
        killed(office)
        with own_run(office.named, NOW_S):
            assert names(worker) == []
        assert names(worker) == ["june"]


def begins(run: OwnRun) -> None:
    run.note_start(NOW_S)


def ends(run: OwnRun) -> None:
    run.note_end(End("finished", at_s=NOW_S))


def closes(run: OwnRun) -> None:
    run.close_rows("why", NOW_S)


@pytest.mark.parametrize("does", [begins, ends, closes])
def test_what_its_taker_sent_or_ended_is_no_run_of_theirs(office: Office, does: Callable[[OwnRun], None]) -> None:
    worker = office.worker()
    taker = own_run(office.named, NOW_S)
    does(taker)
    killed(office)
    assert names(worker) == []
    taker.close()
    assert names(worker) == []


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_stop_that_is_asked_of_its_taker_is_kept_by_them(office: Office, is_killed: bool) -> None:
    worker = office.worker()
    taker = own_run(office.named, NOW_S)
    assert ask_to_end(office.named, NOW_S)
    if is_killed:
        killed(office)
        assert names(worker) == []
    taker.close()
    assert names(worker) == []
    with open_run(office.named) as run:
        assert run.spell.end is not None
        assert run.spell.end.reason == StopReason.ASKED


def test_a_stop_that_nobody_hears_is_kept_by_them(office: Office) -> None:
    worker = office.worker()
    with own_run(office.named, NOW_S):
        killed(office)
        assert ask_to_end(office.named, NOW_S)
    assert names(worker) == []
    with open_run(office.named) as run:
        assert run.spell.end is not None
        assert run.spell.end.reason == StopReason.ASKED
