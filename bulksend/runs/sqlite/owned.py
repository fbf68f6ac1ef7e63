"""Owns a run file: takes it over, writes what is decided, lends the engine its journal, and leaves one plain file."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import orjson

from bulksend.errors import OwnedError, RunFileError
from bulksend.model import ContactId, Event, PhoneNumber
from bulksend.runs import life
from bulksend.runs.clock import Clock
from bulksend.runs.ends import End
from bulksend.runs.facts import Address
from bulksend.runs.lock import FileLock
from bulksend.runs.owner import Owner
from bulksend.runs.sqlite import kept, mending, purging, unsent
from bulksend.runs.sqlite.departures import Departures
from bulksend.runs.sqlite.journal import SqliteJournal
from bulksend.runs.sqlite.log import Names, may_have_log
from bulksend.runs.sqlite.notes import Notes
from bulksend.runs.sqlite.receipts import OwnSqliteReceipts
from bulksend.runs.sqlite.results_file import OwnSqliteResultsFile
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.sqlite.schema import FORMAT, cut_off, explained, fit_indexes, migrate, show, transaction
from bulksend.runs.sqlite.times import OwnSqliteTimes
from bulksend.runs.sqlite.wholeness import check_told, departures_of, left_to
from bulksend.runs.states import State
from bulksend.runs.telling import KnownRow, OpenRow, UnsentRow


class OwnSqliteRun(SqliteRun):
    """A run in a file that this process alone may write; see `bulksend.runs.store.OwnRun`.

    One connection does it all: while a journal is open its thread has it, otherwise whoever holds the run.

    Args:
        lock: the file's; it is released when the run is closed.
        wall_s: seconds since 1970.
        clock: how the clock stands; None if nobody knows.

    Raises:
        UsageError: it is no run file, or of a newer version.
        RunFileError: it cannot be written.
    """

    def __init__(self, lock: FileLock, wall_s: float, clock: Clock | None = None) -> None:
        self._lock = lock
        self._notes: list[Notes] = []
        self.behind_s = 0.0
        try:
            with explained(lock.path):
                super().__init__(lock.path, sqlite3.connect(lock.path, isolation_level=None, check_same_thread=False))
                try:
                    self._take_over(wall_s, clock)
                except BaseException:
                    self._db.close()
                    raise
        except BaseException:
            lock.release()
            raise

    @classmethod
    def own(cls, path: Path, wall_s: float, clock: Clock | None = None) -> OwnSqliteRun:
        """Take a run file for sending.

        Raises:
            UsageError: there is no such run file, or it is of a newer version.
            OwnedError: another process has it; the sentence says which.
            RunFileError: it cannot be written.
        """
        with SqliteRun.open(path) as run:
            owner = run.owner
        try:
            lock = FileLock(path)
        except OwnedError as error:
            named = f" ({owner})" if owner else ""
            raise OwnedError(f"{path}: another bulksend process is at work on this run{named}") from error
        return cls(lock, wall_s, clock)

    def readdress(self, address: Address) -> None:
        """See `OwnRun.readdress`."""
        facts = replace(self.facts, org_id=address.org_id, base_url=address.base_url)
        with self._writing():
            kept.note(self._db, "plan", orjson.dumps(facts))

    def note_input(self, digest: str) -> None:
        """See `OwnRun.note_input`."""
        with self._writing():
            kept.note(self._db, "plan", orjson.dumps(replace(self.facts, input_digest=digest)))

    def learn(self, numbers: Sequence[tuple[ContactId, PhoneNumber]]) -> None:
        """See `OwnRun.learn`."""
        with self._writing():
            self._db.executemany("INSERT OR IGNORE INTO numbers VALUES (?, ?)", numbers)

    def decide(self, rows: Sequence[int], *, resend: bool) -> None:
        """See `OwnRun.decide`."""
        event = Event.RESENT if resend else Event.LEFT
        sql = f"UPDATE main.sends SET {life.after(event)} WHERE row = ? AND {life.can_be(event)}"
        with self._writing():
            self._db.executemany(sql, [[row] for row in rows])

    @property
    def looked_at(self) -> str:
        """See `OwnRun.looked_at`."""
        with explained(self.path):
            return str(kept.read(self._db, "looked at") or "")

    def note_look(self, at: str) -> None:
        """See `OwnRun.note_look`."""
        with self._writing():
            kept.note(self._db, "looked at", at)

    @property
    def excluded_by(self) -> str:
        """See `OwnRun.excluded_by`."""
        with explained(self.path):
            return str(kept.read(self._db, "excluded by") or "")

    def note_excluded_by(self, lists: str) -> None:
        """See `OwnRun.note_excluded_by`."""
        with self._writing():
            kept.note(self._db, "excluded by", lists)

    def unsent(self, after: int, limit: int) -> list[UnsentRow]:
        """See `OwnRun.unsent`."""
        with explained(self.path):
            return unsent.unsent(self._db, after, limit)

    def to_exclude(self, after: int, limit: int) -> list[OpenRow]:
        """See `OwnRun.to_exclude`."""
        with explained(self.path):
            return unsent.to_exclude(self._db, after, limit)

    def alike_left_out(self, rows: Sequence[int]) -> dict[int, int]:
        """See `OwnRun.alike_left_out`."""
        with explained(self.path):
            return unsent.alike_left_out(self._db, rows)

    def leave_out(self, rows: Sequence[tuple[int, str]], event: Event, wall_s: float) -> None:
        """See `OwnRun.leave_out`."""
        with self._writing():
            unsent.leave_out(self._db, rows, event, wall_s)

    def count_on(self, rows: Sequence[tuple[int, int]]) -> None:
        """See `OwnRun.count_on`."""
        with self._writing():
            unsent.count_on(self._db, rows)

    def known(self, since_s: float, after: int, limit: int) -> list[KnownRow]:
        """See `OwnRun.known`."""
        with explained(self.path):
            return unsent.known(self._db, since_s, after, limit)

    def explain(self, rows: Sequence[tuple[int, str]]) -> None:
        """See `OwnRun.explain`."""
        with self._writing():
            unsent.explain(self._db, rows)

    def take_up(self) -> None:
        """See `OwnRun.take_up`."""
        with self._writing():
            unsent.take_up(self._db)

    def close_rows(self, says: str, wall_s: float) -> None:
        """See `OwnRun.close_rows`."""
        with self._writing():
            mending.close(self._db, says, wall_s)

    def note_start(self, wall_s: float) -> None:
        """See `OwnRun.note_start`."""
        with self._writing():
            kept.note_start(self._db, wall_s)

    @property
    def results_file(self) -> OwnSqliteResultsFile:
        """See `OwnRun.results_file`."""
        return OwnSqliteResultsFile(self._db, self.path, self._writing)

    def forget(self, wall_s: float) -> None:
        """See `OwnRun.forget`."""
        with self._writing():
            purging.forget(self._db, wall_s)
        with explained(self.path):
            purging.rewrite(self._db, self.path)
        with self._writing():
            purging.note_whole(self._db)

    def note_end(self, end: End) -> None:
        """See `OwnRun.note_end`."""
        with self._writing():
            kept.note_end(self._db, end)

    @property
    def asked_at(self) -> float | None:
        """See `OwnRun.asked_at`."""
        with explained(self.path):
            return kept.asked_at(self._db, self._epoch)

    @property
    def receipts(self) -> OwnSqliteReceipts:
        """See `OwnRun.receipts`."""
        return OwnSqliteReceipts(self._db, self.path, self._writing)

    @property
    def times(self) -> OwnSqliteTimes:
        """See `OwnRun.times`."""
        return OwnSqliteTimes(self._db, self.path, self._writing)

    def claim_account(self) -> None:
        """See `OwnRun.claim_account`: a file's account has a lock of its own."""

    def journal(self, *, by_parts: bool = True, limit: int | None = None, keyed: bool | None = None) -> SqliteJournal:
        """See `OwnRun.journal`."""
        with explained(self.path):
            self._db.execute("DROP VIEW IF EXISTS temp.sends")
            notes = Notes(
                self._db, self.path, self._departures,
                epoch=self._epoch, by_parts=by_parts, limit=limit, keyed=keyed,
            )  # fmt: skip
        self._notes.append(notes)
        return SqliteJournal(notes, self._names, self._see_what_is_left)

    def close(self) -> None:
        """Give the run up in order: one plain file remains, which also a reader without write access can open."""
        self.let_go().release()

    def remove(self) -> None:
        """See `OwnRun.remove`."""
        is_named = self._names.hold
        lock = self.let_go()
        if is_named:
            self.path.unlink(missing_ok=True)
        lock.release()

    def let_go(self) -> FileLock:
        """Give the run up as `close` does, and hand its lock on to the caller."""
        with suppress(OwnedError, RunFileError):  # it is somebody else's by now, or cannot be written
            with self._writing():
                kept.advance(self._db)
                is_settled = not self._in_flight()
                kept.give_up(self._db, is_settled=is_settled)
            self._departures.close(remove=is_settled)
            with suppress(sqlite3.Error):  # a reader may be at it: then the write-ahead log stays beside the file
                # SQLite removes the log by its name, which another file may bear by now.
                self._db.execute(f"PRAGMA {'journal_mode = DELETE' if self._names.hold else 'wal_checkpoint(FULL)'}")
        self._departures.close(remove=False)
        self._db.close()
        return self._lock

    def _see_what_is_left(self) -> None:
        """Nothing is under way any more: what could not be noted is seen as the next owner will find it."""
        with suppress(sqlite3.Error):
            if self._in_flight():
                show(self._db, FORMAT, gone=self._epoch, left_to=self._departures.reached)

    def _in_flight(self) -> bool:
        """Whether intents are left without an outcome, because it could not be noted; looks only where that may be."""
        if not any(notes.in_flight for notes in self._notes):
            return False
        return any(self._db.execute("SELECT 1 FROM main.sends WHERE state = ? LIMIT 1", [State.IN_FLIGHT]))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction of the run's owner, whole or not at all."""
        with explained(self.path), transaction(self._db):
            kept.check_epoch(self._db, self._epoch, self.path)
            yield

    def _take_over(self, wall_s: float, clock: Clock | None) -> None:
        """Become the owner; the end of every attempt that a killed owner left behind is not known."""
        if not may_have_log(self.path):  # it is whole until it has one, and says so if we are killed on the way there
            kept.note_whole(self._db)
        self._db.executescript(
            """PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
               PRAGMA fullfsync = ON;"""
        )
        is_new = migrate(self._db, self.path)  # an owner of the format before did not say whether it was through
        fit_indexes(self._db)
        may_be_in_flight = is_new or kept.may_be_in_flight(self._db)
        token = uuid.uuid4().hex
        changes = ", ".join(f"{column} = {value}" for column, value in cut_off(left_to(self._db)).items())
        self._db.execute("BEGIN IMMEDIATE")
        self._epoch = kept.take_over(self._db, Owner.now(wall_s), token, clock)
        if may_be_in_flight:  # of millions of rows only looked for where that may be
            sql = f"UPDATE sends SET {changes}, ended_at = ? WHERE {life.can_be(Event.CUT_OFF)}"
            self._db.execute(sql, [wall_s])
        kept.advance(self._db)
        self.behind_s = kept.behind_s(self._db, clock)
        self._db.execute("COMMIT")
        check_told(self._db, self.path)
        self._names = Names(self.path)
        self._departures = Departures(departures_of(self._db), token)
