"""What a run file keeps of time, among its facts: a file of which nobody said anything of time is as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import orjson

from bulksend.runs.sqlite import kept
from bulksend.runs.sqlite.schema import explained
from bulksend.runs.times import kept_of, schedule_of
from bulksend.when import Schedule

_SCHEDULE, _WAITS = "schedule", "waits until"


class SqliteTimes:
    """See `bulksend.runs.times.Times`."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    @property
    def schedule(self) -> Schedule:
        """See `Times.schedule`."""
        with explained(self._path):
            value = kept.read(self._db, _SCHEDULE)
        return Schedule() if value is None else schedule_of(orjson.loads(value))

    @property
    def waits_until(self) -> float | None:
        """See `Times.waits_until`."""
        with explained(self._path):
            value = kept.read(self._db, _WAITS)
            if value is None:
                return None
            epoch, until_s = orjson.loads(value)
            return float(until_s) if epoch == kept.epoch(self._db) else None


class OwnSqliteTimes(SqliteTimes):
    """See `bulksend.runs.times.OwnTimes`.

    Args:
        writing: a transaction of the run's owner.
    """

    def __init__(
        self, db: sqlite3.Connection, path: Path, writing: Callable[[], AbstractContextManager[None]]
    ) -> None:  # fmt: skip
        super().__init__(db, path)
        self._writing = writing

    def keep(self, schedule: Schedule) -> None:
        """See `OwnTimes.keep`."""
        with self._writing():
            kept.note(self._db, _SCHEDULE, orjson.dumps(kept_of(schedule)).decode())

    def wait(self, until_s: float | None) -> None:
        """See `OwnTimes.wait`."""
        with self._writing():
            if until_s is None:
                self._db.execute("DELETE FROM facts WHERE name = ?", [_WAITS])
            else:
                kept.note(self._db, _WAITS, orjson.dumps([kept.epoch(self._db), until_s]).decode())
