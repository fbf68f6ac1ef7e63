"""Loads rows into a plan: few by whoever plans, many by a process of its own, so that two cores share the work."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from bulksend.planning import PlannedColumns
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.inserting import insert_few, squeezed
from bulksend.runs.sqlite.loading_process import LoadingProcess

FEW = 20_000
"""Rows: in so many a process saves the 40 ms that it takes to start."""


class Loader:
    """Adds rows to the messages of a plan, inside the caller's transaction.

    Args:
        db: the plan's; beyond few rows nothing is done with it between `add` and `settle`.
        draft: where the plan is written.
        lock: the draft's.
        few: up to so many rows no process is started.
    """

    def __init__(self, db: sqlite3.Connection, draft: Path, lock: FileLock, few: int) -> None:
        self._db = db
        self._draft = draft
        self._lock = lock
        self._few = few
        self._rows = 0
        self._process: LoadingProcess | None = None

    def add(self, columns: PlannedColumns) -> None:
        """Add the next rows, in input order.

        Raises:
            sqlite3.Error: they, or some before them, cannot be written.
            OSError: the process that writes them was killed.
        """
        self._rows += len(columns.rows)
        if self._rows > self._few and self._process is None:
            self._begin()
        if self._process is None:
            insert_few(self._db, columns)
        else:
            self._process.add(squeezed(columns))

    def settle(self) -> None:
        """See that all rows are in, and the transaction is the caller's again.

        Raises:
            sqlite3.Error: some cannot be written.
            OSError: the process that writes them was killed.
        """
        if self._process:
            process, self._process = self._process, None
            process.finish()
            self._db.execute("BEGIN")

    def stop(self) -> None:
        """Let what is not in yet be, whatever became of it."""
        if self._process:
            self._process.kill()
            self._process = None

    def _begin(self) -> None:
        """Leave the draft to a process; if none can be started, however many rows there are, they are few."""
        self._db.execute("COMMIT")  # SQLite has one writer: from here to `settle` that is the process
        try:
            self._process = LoadingProcess(self._draft, self._lock)
        except OSError:
            self._db.execute("BEGIN")
            self._few = sys.maxsize
