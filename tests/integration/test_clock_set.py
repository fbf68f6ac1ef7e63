"""A run whose machine's clock was set between its commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from runfiles import begin, notes_of, outcome, pending, planned, settle

from bulksend.engagespark.lookup import read_back_to
from bulksend.model import Status
from bulksend.runs.clock import Clock
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.runs.sqlite.queries import in_doubt, message_ids, rivals

TWO_HOURS_S = 7_200.0


def own(path: Path, at_s: float, step_s: float) -> OwnSqliteRun:
    """Take a run over so many seconds after the machine's start, by a clock that is off by so much."""
    return OwnSqliteRun.own(path, at_s + step_s, Clock("this start", step_s))


@pytest.mark.parametrize("step_s", [0.0, TWO_HOURS_S, -TWO_HOURS_S])
def test_what_others_caused_is_known_though_the_clock_was_set_in_between(tmp_path: Path, step_s: float) -> None:
    path = planned(tmp_path / "campaign.run", [pending(row) for row in (1, 2, 3)])
    with own(path, 10_000.0, 0.0) as run:
        notes = notes_of(run)
        begin(notes, [1], 10_000.0)
        settle(notes, outcome(1, Status.UNKNOWN, ended_at=10_001.0))
    with own(path, 10_002.0, step_s) as run:
        notes, at_s = notes_of(run), 10_002.0 + step_s
        begin(notes, [2, 3], at_s)
        settle(notes, outcome(2, Status.SENT, ended_at=at_s), outcome(3, Status.UNKNOWN, ended_at=at_s))
        run.decide([3], resend=False)
    for later_step_s in (step_s, 0.0):
        with own(path, 10_003.0, later_step_s) as run:
            since_s = read_back_to(in_doubt(run._db, None))
            assert message_ids(run._db, since_s) == {"SMS1"}
            assert len(rivals(run._db, since_s)) == 1


@pytest.mark.parametrize(
    ("steps_s", "behind_s"),
    [([0.0, 0.0], 0.0), ([0.0, 50.0], 0.0), ([0.0, -50.0], 50.0), ([0.0, 50.0, 20.0], 30.0), ([0.0, -50.0, 0.0], 0.0)],
)
def test_by_how_much_attempts_may_be_older_than_their_times_say(
    tmp_path: Path, steps_s: list[float], behind_s: float
) -> None:
    path = planned(tmp_path / "campaign.run", [pending(1)])
    for step_s in steps_s:
        with own(path, 10_000.0, step_s) as run:
            found = run.behind_s
    assert found == behind_s
    with OwnSqliteRun.own(path, 10_000.0, Clock("another start", -1e9)) as run:
        assert run.behind_s == 0.0
    with OwnSqliteRun.own(path, 10_000.0, None) as run:
        assert run.behind_s == 0.0
