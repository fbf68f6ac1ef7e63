"""Workers of one account as processes, against a server that may misbehave."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from crashing import environment
from forks import Process, run, start
from hostile import Hostile, Settings
from judging import CAP, WINDOW_S, Row

from bulksend.runs import DatabaseRun, open_run

PROGRAM = (sys.executable, "-m", "bulksend")
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'bulksend' AND datname = current_database()
"""
"""Cuts every connection of bulksend to a database; other tests have theirs to others of the same server."""
_ENDS_S = 20.0


class Team:
    """Workers of one account, and a run of theirs."""

    def __init__(self, folder: Path, database: str, stack: ExitStack, settings: Settings) -> None:
        self.folder, self.database = folder, database
        self.server = stack.enter_context(Hostile(folder / "log", settings))
        self._stack = stack
        self.env = environment(folder / "state")

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run(words, self.folder, self.env)

    def write(self, rows: list[Row]) -> None:
        lines = ["to,message,from", *(f"{row.to},{row.text},ACME" for row in rows)]
        (self.folder / "campaign.csv").write_text("\n".join(lines))

    def plan(self, rows: list[Row], *words: str) -> None:
        self.write(rows)
        self.open(*words)

    def open(self, *words: str) -> None:
        """Leave what was written to workers."""
        ended = self(*self.send("--detach", *words))
        assert ended.returncode == 0, ended.stderr

    def send(self, *words: str) -> tuple[str, ...]:
        """The words of a command that sends what was written."""
        return (
            "send", "campaign.csv", "--run", f"{self.database}#june", "--base-url", self.server.base_url,
            "--yes", "--cap", f"63={CAP}/{WINDOW_S:g}", *words,
        )  # fmt: skip

    def sender(self, *words: str) -> Process:
        """A command that sends it, beside whoever else does."""
        words = self.send("--concurrency", "4", "--timeout", "2", *words)
        process = start(words, self.folder, self.env)
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process

    def worker(self, *words: str, program: Sequence[str] = ()) -> Process:
        """A worker, started as any command, or by a program of its own."""
        command = [
            "worker", self.database, "--base-url", self.server.base_url,
            "--lease", "1", "--until-done", "--concurrency", "4", "--timeout", "2", *words,
        ]  # fmt: skip
        with (self.folder / "said").open("a") as said:
            process: Process
            if program:
                process = subprocess.Popen([*program, *command], cwd=self.folder, env=self.env, stderr=said, text=True)
            else:
                process = start(command, self.folder, self.env, said.fileno())
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process

    def await_accepted(self, count: int) -> None:
        until = time.monotonic() + _ENDS_S
        while len(self.server.records("accepted")) < count:
            if time.monotonic() > until:
                pytest.fail(self.said())
            time.sleep(0.02)

    def hurry(self) -> None:
        """Have the server answer at once from now on: what was to be seen while they send has been."""
        self.server.change(replace(self.server.settings, latency_s=0.0))

    def said(self) -> str:
        """What its workers said."""
        return (self.folder / "said").read_text()

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


def rows(count: int) -> list[Row]:
    return [
        Row(f"6391712345{number % 6:02}" if number % 5 == 0 else f"49151{number:08}", f"row {number}")
        for number in range(1, count + 1)
    ]


def ended(worker: Process) -> int:
    return worker.wait(_ENDS_S)
