"""A connection that is kept for long: made when it is needed, and anew where it broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar

import psycopg

from bulksend.errors import RunFileError
from bulksend.runs.postgres.clock import Skew
from bulksend.runs.postgres.connecting import Db, connect, explained
from bulksend.runs.postgres.installing import check_installed

T = TypeVar("T")


class Link:
    """A way to a database, for one thread. A context manager.

    Args:
        database: its address.

    Attributes:
        database: the same.

    Raises:
        UsageError: the database cannot be used.
        RunFileError: it cannot be reached.
    """

    def __init__(self, database: str) -> None:
        self.database = database
        self._skew: Skew
        self._db = self._connected()

    @property
    def skew_s(self) -> float:
        """See `bulksend.runs.postgres.clock`."""
        return self._skew.ahead_s

    @property
    def db(self) -> Db:
        """The connection, outside of any transaction unless the caller began one."""
        if self._db.closed:
            self._db = self._connected()
        return self._db

    def see_clock(self) -> None:
        """See how far the database's clock is ahead by now: it may have been set since.

        Raises:
            UsageError: the database cannot be used.
            RunFileError: it cannot be reached.
        """
        self._skew = self.ask(Skew)

    def ask(self, question: Callable[[Db], T]) -> T:
        """Ask something that changes nothing; once more where the connection turns out to be broken."""
        with explained(self.database):
            try:
                return question(self.db)
            except (psycopg.OperationalError, RunFileError):
                self._db.close()
                return question(self.db)

    @contextmanager
    def transaction(self) -> Iterator[Db]:
        """A transaction, and in it the connection."""
        with explained(self.database):
            db = self.db
            with db.transaction():
                yield db

    def close(self) -> None:
        """Let go of it."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self) -> Db:
        db = connect(self.database)
        try:
            with explained(self.database):
                check_installed(db, self.database)
                self._skew = Skew(db)
        except BaseException:
            db.close()
            raise
        return db
