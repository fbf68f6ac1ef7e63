"""Machines whose clocks are an hour off keep what holds for all who use a database: its clock counts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hostile import Settings
from judging import Row
from teams import Team, rows

CLOCKS = str(Path(__file__).with_name("clocks.py"))


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[Team]:
    with ExitStack() as stack:
        yield Team(tmp_path, database, stack, Settings(weights={"ok": 1}))


def off(team: Team, seconds: float) -> tuple[str, ...]:
    """What runs bulksend on a machine whose clock is off by so much."""
    ahead = team.folder / f"ahead{seconds:g}"
    ahead.write_text(f"{seconds:g}", encoding="ascii")
    return sys.executable, CLOCKS, str(ahead)


@pytest.mark.long
@pytest.mark.parametrize("ahead_s", [-3_600, 3_600])
def test_a_phones_cap_holds_across_runs(team: Team, ahead_s: float) -> None:
    for name in ("june", "july"):
        team.write([Row("639171234501", f"{name} {number}") for number in range(5)])
        words = team.send("--cap", "63=5/8", "--run", f"{team.database}#{name}", "--concurrency", "4")
        sent = subprocess.run([*off(team, ahead_s), *words], cwd=team.folder, env=team.env, check=False)
        assert sent.returncode == 0
    at = sorted(record["at"] for record in team.server.records("accepted"))
    assert len(at) == 10
    assert at[5] - at[4] >= 7.9


def test_a_worker_sends_nothing_while_the_runs_window_is_closed(team: Team) -> None:
    now = datetime.now(UTC)
    opened, closed = (f"{now - timedelta(hours=hours):%H:%M}" for hours in (3, 1))
    team.plan(rows(20), "--window", f"{opened}-{closed}", "--tz", "UTC")
    worker = team.worker(program=off(team, -7_200))
    time.sleep(3)
    assert worker.poll() is None
    assert team.server.records("accepted") == []
