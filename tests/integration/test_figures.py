"""What a run comes to, beside a count of its rows in Python."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from runfiles import ANA, ANSWER, BEN, bad, begin, notes_of, number, own, pending, planned

from bulksend.model import Encoding, Event, Outcome, Recipient, Status
from bulksend.runs.figures import Complained, Crowding, Figures, NotSent, Size, Slice, Stretch
from bulksend.runs.sqlite import SqliteRun, reasons


def sent(path: Path, times: Sequence[tuple[int, float, float, Event]]) -> None:
    """Send rows, each from one time to another, with an outcome."""
    with own(path) as run:
        notes = notes_of(run)
        for row, since_s, until_s, event in times:
            begin(notes, [row], since_s)
            is_answered = event is not Event.DOUBTED
            answer = ANSWER if event is Event.ACCEPTED else None
            says = "" if answer else f"no answer to {row % 2}"
            outcome = Outcome(row, event, True, until_s, 200 if is_answered else None, answer, says)
            notes.settle([outcome], turn=0)


@contextmanager
def figures_of(path: Path) -> Iterator[Figures]:
    with SqliteRun.open(path) as run:
        yield run.figures


def test_a_pause_parts_one_stretch_from_the_next(tmp_path: Path) -> None:
    path = planned(tmp_path / "a.run", [pending(row, number(row)) for row in range(1, 6)])
    accepted = Event.ACCEPTED
    sent(
        path,
        [
            (1, 10_000.0, 10_001.0, accepted),
            (2, 10_590.0, 10_600.0, accepted),
            (3, 11_300.0, 11_301.0, Event.REJECTED),
            (4, 96_000.0, 96_000.5, accepted),
        ],
    )
    with figures_of(path) as told:
        assert told.stretches() == [
            Stretch(10_000.0, 10_600.0, 2),
            Stretch(11_300.0, 11_301.0, 0),
            Stretch(96_000.0, 96_000.5, 1),
        ]


def test_of_a_planned_run_there_is_nothing_to_tell_but_its_sizes(tmp_path: Path) -> None:
    rows = [pending(1), pending(2, parts=3), pending(3, parts=3), bad(4)]
    with figures_of(planned(tmp_path / "a.run", rows)) as told:
        assert (told.stretches(), told.slices(60.0)) == ([], [])
        assert told.sizes() == [Size(Encoding.GSM7, 1, 1, 0), Size(Encoding.GSM7, 3, 2, 0)]


def test_a_row_that_was_never_tried_is_of_no_stretch(tmp_path: Path) -> None:
    path = planned(tmp_path / "a.run", [pending(1), pending(2)])
    sent(path, [(1, 1_000.0, 1_001.0, Event.ACCEPTED)])
    with own(path) as run:
        run.close_rows("closed", 90_000.0)
    with figures_of(path) as told:
        assert told.stretches() == [Stretch(1_000.0, 1_001.0, 1)]


def test_answers_are_timed_and_what_never_came_is_not(tmp_path: Path) -> None:
    path = planned(tmp_path / "a.run", [pending(row, number(row)) for row in range(1, 24)])
    times = [(row, 1_000.0, 1_000.0 + row / 100, Event.ACCEPTED) for row in range(1, 20)]
    sent(path, [*times, (20, 1_000.0, 1_009.0, Event.REJECTED), (21, 1_001.0, 1_031.0, Event.DOUBTED)])
    with figures_of(path) as told:
        first, second = told.slices(30.0)
    assert first == Slice(990.0, 19, 0.1, 0.19)
    assert second == Slice(1_020.0, 0, None, None)


@settings(max_examples=examples(50))
@given(st.lists(st.tuples(st.floats(0, 5_000), st.floats(0, 90)), min_size=1, max_size=20), st.floats(1, 900))
def test_every_accepted_row_is_in_one_slice(
    tmp_path_factory: pytest.TempPathFactory, times: list[tuple[float, float]], width_s: float
) -> None:
    path = planned(
        tmp_path_factory.mktemp("run") / "a.run", [pending(row, number(row)) for row in range(1, len(times) + 1)]
    )
    sent(path, [(row, 1e6 + at, 1e6 + at + took, Event.ACCEPTED) for row, (at, took) in enumerate(times, 1)])
    with figures_of(path) as told:
        slices, stretches = told.slices(width_s), told.stretches()
    assert sum(each.sent for each in slices) == sum(each.sent for each in stretches) == len(times)
    assert [each.at_s for each in slices] == sorted(each.at_s for each in slices)
    for each in slices:
        waits = sorted(took for at, took in times if 0 <= (1e6 + at + took) // width_s * width_s - each.at_s < 1e-6)
        assert each.median_s == pytest.approx(waits[(len(waits) - 1) // 2], rel=0.13, abs=0.02)
        assert each.slow_s == pytest.approx(waits[math.ceil(0.95 * len(waits)) - 1], rel=0.13, abs=0.02)


@pytest.mark.parametrize("others", [0, 2])
def test_phones_with_more_than_a_cap_lets_through_at_once(tmp_path: Path, others: int) -> None:
    to: list[Recipient] = [*[ANA] * 7, *[BEN] * 5, *map(number, range(others))]
    rows = [pending(row, who, parts=2 if row == 1 else 1) for row, who in enumerate(to, 1)]
    path = planned(tmp_path / "a.run", rows)
    sent(path, [(row, 1_000.0 + row, 1_000.5 + row, Event.ACCEPTED) for row in range(2, len(to) + 1)])
    with figures_of(path) as figures:
        told, none = figures.crowding("63", 5, 10), figures.crowding("63", 8, 10)
        assert figures.crowding("1", 5, 10) == none
    assert (told.phones, told.waiting, told.others_until_s) == (1, 3, 1_000.5 + len(to))
    assert [tuple(each) for each in told.most] == [(ANA, 7, 8, 6, 1_002.0, 1_007.5)]
    assert none == Crowding(0, 0, (), None)


def test_the_rows_that_a_complaint_is_about(tmp_path: Path) -> None:
    path = planned(tmp_path / "a.run", [*(pending(row, number(row)) for row in range(1, 8)), bad(8), bad(9)])
    sent(path, [(row, 1_000.0, 1_001.0, Event.REJECTED) for row in range(1, 8)])
    odd = [Complained(row, number(row)) for row in (1, 3, 5)]
    with figures_of(path) as told:
        assert told.complained(Status.REJECTED, "no answer to 1", 1, 3) == odd
        assert told.complained(Status.INVALID, "no recipient", 8, 3) == [Complained(8, None), Complained(9, None)]
        assert told.complained(Status.REJECTED, "no recipient", 1, 3) == []


def test_why_rows_were_not_sent_is_told_by_status_and_reason_with_the_first_rows(tmp_path: Path) -> None:
    rows = [pending(row, number(row)) for row in range(1, 15)]
    path = planned(tmp_path / "a.run", rows)
    fates = [Event.REJECTED] * 5 + [Event.DOUBTED] * 2 + [Event.ACCEPTED] * 4
    sent(path, [(row, 1_000.0 + row, 1_001.0 + row, event) for row, event in enumerate(fates, 1)])
    with figures_of(path) as told:
        assert sorted(told.not_sent(8, 2)) == [
            NotSent(Status.REJECTED, "no answer to 0", 2, (2, 4)),
            NotSent(Status.REJECTED, "no answer to 1", 3, (1, 3)),
            NotSent(Status.UNKNOWN, "no answer to 0", 1, (6,)),
            NotSent(Status.UNKNOWN, "no answer to 1", 1, (7,)),
        ]
        assert [each.says for each in told.not_sent(1, 1) if each.status is Status.REJECTED] == ["no answer to 1"]
        assert told.pending(2) == [12, 13]


def test_why_rows_were_not_sent_is_asked_of_those_rows_alone(tmp_path: Path) -> None:
    """Of ten million rows nearly all were sent: whoever waits for the end does not wait for these to be read."""
    path = planned(tmp_path / "a.run", [pending(1, ANA)])
    named: dict[str, object] = {"first": 1, "status": "", "says": "", "limit": 3}
    asked: tuple[tuple[str, Any], ...] = ((reasons._COMMONEST, [8]), (reasons._FIRST, named))
    with closing(sqlite3.connect(path)) as db:
        for sql, values in asked:
            plan = [step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {sql}", values) if "sends" in step]
            assert len(plan) == 1
            assert "USING INDEX not_sent" in plan[0]
