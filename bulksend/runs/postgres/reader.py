"""A connection by which one run is read: what is asked of it, one statement or one snapshot at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import psycopg

from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres.connecting import Db, explained

_ROWS = 2_000  # so many come at a time
_numbers = count(1)  # of cursors, of which several may be open at once


class Reader:
    """Asks a run; every statement knows it as ``%(run)s``.

    Args:
        db: a connection.
        run: which run of the database's.
        place: where that is, for errors.
        sends: what a statement reads for ``{sends}``: the table, or what stands for it; see `cut_off`.
    """

    def __init__(self, db: Db, run: int, place: DatabaseRun, sends: str = "send") -> None:
        self.db = db
        self.run = run
        self.place = place
        self.sends = sends

    def all(self, sql: str, **values: object) -> list[Any]:
        """All rows; for those that are few."""
        with explained(self.place):
            return self.db.execute(self._about(sql), {"run": self.run, **values}).fetchall()

    def first(self, sql: str, **values: object) -> Any:
        """The first row; None if there is none."""
        with explained(self.place):
            return self.db.execute(self._about(sql), {"run": self.run, **values}).fetchone()

    def each(self, sql: str, **values: object) -> Iterator[Any]:
        """All rows of one moment, however many, as they are wanted.

        The server keeps them meanwhile: no transaction stays open, which would hold up its cleaning and be ended where
        somebody takes long over a row.
        """
        db, name = self.db, f"rows_{next(_numbers)}"
        with explained(self.place):
            declare = f"DECLARE {name} NO SCROLL CURSOR WITH HOLD FOR {self._about(sql)}"
            db.execute(declare, {"run": self.run, **values}, prepare=False)
            try:
                while rows := db.execute(f"FETCH {_ROWS} FROM {name}", prepare=False).fetchall():
                    yield from rows
            finally:
                with suppress(psycopg.Error):  # with the connection it would be gone as well
                    db.execute(f"CLOSE {name}", prepare=False)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is asked in here is of the same moment."""
        with explained(self.place), self.db.transaction():
            self.db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield

    def _about(self, sql: str) -> str:
        return sql.replace("{sends}", self.sends)
