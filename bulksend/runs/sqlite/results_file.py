"""What a run file keeps of its results' file, and of the rows that changed since.

The changes are noted by triggers, so that none is missed, whoever makes it: also an older version, which knows nothing
of this. Both they and their table are made when a large run's results are first written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path

import orjson

from bulksend.runs.results_file import BLOCK, Identity, Written
from bulksend.runs.sqlite import kept
from bulksend.runs.sqlite.schema import explained

_NAME = "results file"  # of the fact
_TABLES = ("messages", "sends", "receipts")  # of which the last need not be there
_EVENTS = {"INSERT": "new", "UPDATE": "new", "DELETE": "old"}
_STALE = "CREATE TABLE IF NOT EXISTS main.stale (block INTEGER PRIMARY KEY)"
# Not by INSERT OR IGNORE: in a trigger that is overruled by the statement that fires it.
_TRIGGER = f"""
CREATE TRIGGER IF NOT EXISTS main.{{table}}_{{event}} AFTER {{event}} ON {{table}}
WHEN NOT EXISTS (SELECT 1 FROM stale WHERE block = {{which}}.row / {BLOCK}) BEGIN
    INSERT INTO stale VALUES ({{which}}.row / {BLOCK});
END
"""


class OwnSqliteResultsFile:
    """See `bulksend.runs.results_file.OwnResultsFile`.

    Args:
        db: the run's.
        path: the run file.
        writing: a transaction of its owner.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, writing: Callable[[], AbstractContextManager[None]]) -> None:
        self._db = db
        self._path = path
        self._writing = writing

    @property
    def last_row(self) -> int:
        """See `OwnResultsFile.last_row`."""
        with explained(self._path):
            return int(self._db.execute("SELECT coalesce(max(row), 0) FROM messages").fetchone()[0])

    @property
    def tells_changes(self) -> bool:
        """See `OwnResultsFile.tells_changes`."""
        with explained(self._path):
            sql = "SELECT 1 FROM temp.sqlite_master WHERE type = 'view' AND name = 'sends'"
            return self._db.execute(sql).fetchone() is None

    @property
    def written(self) -> Written | None:
        """See `OwnResultsFile.written`."""
        with explained(self._path):
            value = kept.read(self._db, _NAME)
        if value is None:
            return None
        found = orjson.loads(value)
        return Written(found["path"], found["form"], Identity(*found["identity"]), tuple(found["ends"]))

    @property
    def stale(self) -> frozenset[int]:
        """See `OwnResultsFile.stale`."""
        with explained(self._path):
            return frozenset(block for (block,) in self._db.execute("SELECT block FROM main.stale"))

    def note_place(self, path: str) -> None:
        """See `OwnResultsFile.note_place`."""
        with self._writing():
            kept.note_results(self._db, path)

    def note(self, written: Written) -> None:
        """See `OwnResultsFile.note`."""
        with self._writing():
            self._db.execute(_STALE)
            for statement in _triggers(self._db):
                self._db.execute(statement)
            self._db.execute("DELETE FROM main.stale")
            found = asdict(written) | {"identity": list(written.identity)}
            kept.note(self._db, _NAME, orjson.dumps(found).decode())


def _triggers(db: sqlite3.Connection) -> Iterator[str]:
    there = {name for (name,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
    for table in filter(there.__contains__, _TABLES):
        for event, which in _EVENTS.items():
            yield _TRIGGER.format(table=table, event=event, which=which)
