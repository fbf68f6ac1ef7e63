"""Writes a plan: beside its final name, and renamed when it is whole and on the disk.

So a run file under its own name always holds a whole plan.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson

from bulksend.errors import OwnedError, RunFileError
from bulksend.model import Recipient, Status
from bulksend.planning import Findings, Lines, PlannedRows
from bulksend.runs.edits import Edits
from bulksend.runs.facts import Facts
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite import carried, compared
from bulksend.runs.sqlite.loading import FEW, Loader
from bulksend.runs.sqlite.log import is_log, log_of
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.sqlite.schema import INDEXES, PRAGMAS, SCHEMA, draft_of, explained, is_run_file

_PATIENCE_S = 0.5
_ALIKE = "CREATE TEMP TABLE alike (row INTEGER PRIMARY KEY);"  # rows that have recipient and text of others
_COUNT_COPIES = """
INSERT INTO copies SELECT row, before FROM (
    SELECT row, row_number() OVER (PARTITION BY recipient, sender, text ORDER BY row) - 1 AS before
    FROM messages JOIN alike USING (row)
) WHERE before > 0
"""


class PlanWriter:
    """A plan that is being written.

    Args:
        path: the run file's name; a run of this name is replaced in the end. While planning, the file is called
            ``<name>.planning``.
        few: beyond so many rows a process of its own writes them.

    Raises:
        OwnedError: another process is planning or sending this run.
        RunFileError: the file cannot be written.
    """

    def __init__(self, path: Path, few: int = FEW) -> None:
        self.path = path
        self._draft = draft_of(path)
        self._counts: Counter[Status] = Counter()
        self._taken_up: dict[int, str] = {}
        self._lock = _lock_of(self._draft)
        try:
            with explained(path):
                os.truncate(self._draft, 0)  # what a killed planner left
                self._db = sqlite3.connect(
                    self._draft.resolve().as_uri(), uri=True, isolation_level=None, check_same_thread=False
                )
                # No journal: a plan that was cut off is thrown away whole.
                self._db.executescript(
                    f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA} {INDEXES} {PRAGMAS} {_ALIKE} BEGIN;"
                )
                self._loader = Loader(self._db, self._draft, self._lock, few)
        except BaseException:
            self._lock.release()
            raise

    def add(self, rows: PlannedRows) -> None:
        """Add the next rows in input order."""
        self._counts.update(rows.counts())
        with explained(self.path):
            self._loader.add(rows.columns())

    def add_repeats(self, recipient: Recipient, messages: Iterable[tuple[int, int]], alike: Iterable[int] = ()) -> None:
        """See `PlanSink.add_repeats`."""
        with explained(self.path):
            self._loader.settle()
            self._db.executemany(
                "INSERT INTO repeats VALUES (?,?,?)", [(recipient, row, parts) for row, parts in messages]
            )
            self._db.executemany("INSERT INTO alike VALUES (?)", zip(alike))

    def skip(self, rows: Iterable[int], says: str) -> None:
        """Leave rows out after all."""
        with explained(self.path):
            self._loader.settle()
            skipped = self._db.executemany(
                """UPDATE messages SET status = 'skipped', sender = NULL, text = '', encoding = NULL, parts = 0,
                   price = NULL, error = ? WHERE row = ? AND status = 'pending'""",
                [(says, row) for row in rows],
            ).rowcount
        self._counts[Status.PENDING] -= skipped
        self._counts[Status.SKIPPED] += skipped

    def edits_since(self, place: Path) -> Edits:
        """How the plan differs from that of a run; once all rows are added.

        Raises:
            RunFileError: the run cannot be read.
        """
        with explained(place), self._beside(place):
            return compared.edits(self._db)

    def carry_over(self, place: Path, before: Sequence[str], now: Sequence[str]) -> int:
        """Take over what a run has sent, or may have; once all rows are added. See `carried`.

        Returns the row from which on are those that the input does not have any more.

        Args:
            place: the run's, which the caller owns.
            before: its input's columns.
            now: the plan's.

        Raises:
            RunFileError: the run cannot be read, or the plan not be written.
        """
        with explained(place), self._beside(place):
            moved = carried.carry_over(self._db, before, now)
        rows = self._counts.total()
        self._counts[Status.PENDING] += moved.added + len(moved.taken_up)
        self._counts[Status.SKIPPED] -= len(moved.taken_up)
        self._taken_up = moved.taken_up
        return rows + 1

    def finish(
        self, made_of: Facts, findings: Findings, lines: Lines | None = None, held: FileLock | None = None
    ) -> FileLock:  # fmt: skip
        """Make the plan durable and give it its name; the run's lock goes on with the caller.

        Args:
            made_of: what the plan was made of.
            findings: what planning found.
            lines: the rows' places in the sheet; None if they are not known.
            held: the lock of a run that has begun and is replaced, for what it has sent was carried over; None if none.

        Raises:
            OwnedError: another process is sending the run of this name.
            RunFileError: the file cannot be written, or the run of this name has begun meanwhile.
        """
        # Counting millions of rows takes seconds, and a plan does not change: so its counts are kept.
        counts = {status.value: rows for status, rows in self._counts.items()}
        kept = {"plan": made_of, "findings": findings.without(self._taken_up), "counts": counts}
        with explained(self.path):
            self._loader.settle()
            self._loader.stop()
            self._db.executemany("INSERT INTO facts VALUES (?,?)", [(k, orjson.dumps(v)) for k, v in kept.items()])
            if lines is not None:
                self._db.execute("INSERT INTO facts VALUES ('lines', ?)", [lines.packed()])
            self._db.execute(_COUNT_COPIES)
            self._db.execute("COMMIT")
            self._db.close()
            self._lock.sync()
            self._give_name(held)
            _sync_folder(self.path.parent)
        self._lock.path = self.path
        return self._lock

    def discard(self) -> None:
        """Throw the draft away."""
        self._loader.stop()
        self._db.close()
        self._draft.unlink(missing_ok=True)
        self._lock.release()

    @contextmanager
    def _beside(self, place: Path) -> Iterator[None]:
        """A run's file is to be read by its side, as ``old``; if something is raised, the draft is of no more use."""
        self._loader.settle()
        self._db.execute("COMMIT")  # a file cannot be let go of inside a transaction
        self._db.execute("ATTACH ? AS old", [f"{place.resolve().as_uri()}?mode=ro"])
        self._db.execute("BEGIN")
        yield
        self._db.execute("COMMIT")
        self._db.execute("DETACH old")
        self._db.execute("BEGIN")

    def _give_name(self, held: FileLock | None) -> None:
        """Replace the run of this name; never one that is being sent, or that began while this plan was made."""
        old = FileLock(self.path) if held is None and self.path.exists() else None
        try:
            if old and is_run_file(self.path) and _has_begun(self.path):
                raise RunFileError(f"{self.path}: this run has begun meanwhile; run the same command again to go on")
            if held and is_log(log_of(self.path)):  # without which it would be an older state of itself
                raise RunFileError(f"{self.path}: another process is reading this run: try again after it")
            for log in ("-wal", "-shm", "-journal"):  # a killed owner's: SQLite would take it for the new file's
                self.path.with_name(self.path.name + log).unlink(missing_ok=True)
            self._draft.rename(self.path)
        finally:
            if old:
                old.release()


def _lock_of(draft: Path) -> FileLock:
    """A draft's lock: where one who plans was killed, the process that writes for it holds it until it sees that."""
    ends_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < ends_s:
        with suppress(OwnedError):
            return FileLock(draft)
        time.sleep(0.02)
    return FileLock(draft)


def _has_begun(path: Path) -> bool:
    with SqliteRun.open(path) as run:
        return run.has_begun


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
