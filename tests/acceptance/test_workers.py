"""Several workers on one run in a database: each row exactly once, whoever is killed, stands still or comes late."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from crashing import environment
from hostile import Hostile, Settings
from judging import CAP, WINDOW_S, Row, cap_violations

from bulksend.runs import DatabaseRun, open_run

_ENDS_S = 60.0


class Team:
    """Workers of one account, and a run of theirs."""

    def __init__(self, folder: Path, database: str, stack: ExitStack, settings: Settings) -> None:
        self.folder, self.database = folder, database
        self.server = stack.enter_context(Hostile(folder / "log", settings))
        self._stack = stack
        self.env = environment(folder / "state")

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bulksend", *words]
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)

    def plan(self, rows: list[Row], *words: str) -> None:
        lines = ["to,message,from", *(f"{row.to},{row.text},ACME" for row in rows)]
        (self.folder / "campaign.csv").write_text("\n".join(lines))
        ended = self(
            "send", "campaign.csv", "--run", f"{self.database}#june", "--base-url", self.server.base_url,
            "--yes", "--detach", "--cap", f"63={CAP}/{WINDOW_S:g}", *words,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr

    def worker(self, *words: str) -> subprocess.Popen[str]:
        command = [
            sys.executable, "-m", "bulksend", "worker", self.database, "--base-url", self.server.base_url,
            "--lease", "1", "--until-done", "--concurrency", "4", "--timeout", "2", *words,
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=self.folder, env=self.env, stderr=subprocess.PIPE, text=True)
        self._stack.callback(process.kill)
        return process

    def await_accepted(self, count: int) -> None:
        until = time.monotonic() + _ENDS_S
        while len(self.server.records("accepted")) < count:
            assert time.monotonic() < until
            time.sleep(0.02)

    def shards(self) -> list[int]:
        with psycopg.connect(self.database) as db:
            sql = "SELECT count(*) FROM bulksend.shard WHERE lease_until > clock_timestamp() GROUP BY owner"
            return sorted(each for (each,) in db.execute(sql))

    def statuses(self) -> dict[str, int]:
        with open_run(DatabaseRun(self.database, "june")) as run:
            return {str(status): rows for status, rows in run.tally().statuses.items() if rows}

    def twice(self) -> list[Any]:
        sent = Counter(record["text"] for record in self.server.records("accepted"))
        return [text for text, times in sent.items() if times > 1]


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[Team]:
    with ExitStack() as stack:
        yield Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False))


def rows(count: int) -> list[Row]:
    return [
        Row(f"6391712345{number % 6:02}" if number % 5 == 0 else f"49151{number:08}", f"row {number}")
        for number in range(1, count + 1)
    ]


def ended(worker: subprocess.Popen[str]) -> int:
    _, said = worker.communicate(timeout=_ENDS_S)
    sys.stderr.write(said)
    return worker.returncode


def test_two_workers_send_each_row_once_and_who_comes_late_gets_shards(team: Team) -> None:
    team.plan(rows(300))
    first = team.worker()
    team.await_accepted(20)
    second = team.worker()
    until = time.monotonic() + 20
    while team.shards() != [32, 32]:
        assert time.monotonic() < until and first.poll() is None
        time.sleep(0.02)
    assert (ended(first), ended(second)) == (0, 0)
    assert (team.statuses(), team.twice()) == ({"sent": 300}, [])
    assert list(cap_violations(team.server)) == []
