"""Runs of an account that are left to workers have their turns, whenever each is due and whoever looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hostile import Settings
from judging import Row
from teams import Team, ended

from bulksend.runs import DatabaseRun, open_run


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[Team]:
    with ExitStack() as stack:
        yield Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False))


def sheet(name: str, count: int) -> list[Row]:
    return [Row(f"49151{number:08}", f"{name} {number}") for number in range(1, count + 1)]


def sent(team: Team, name: str) -> int:
    with open_run(DatabaseRun(team.database, name)) as run:
        return run.tally().statuses["sent"]  # type: ignore[index]


@pytest.mark.parametrize("words", ["resolve {run} --base-url {url}", "purge {run} --older-than 30d"])
def test_whoever_looks_after_a_run_that_was_left_to_workers_leaves_it_to_them(team: Team, words: str) -> None:
    team.plan(sheet("june", 20))
    said = team(*words.format(run=f"{team.database}#june", url=team.server.base_url).split())
    assert ended(team.worker()) == 0
    assert sent(team, "june") == 20, said.stderr
