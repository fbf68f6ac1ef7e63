"""Connections on which an answer is waited for as long as it takes; or as the process has patience, see `Patience`."""

from __future__ import annotations

import logging
import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

from bulksend.patience import OURS

T = TypeVar("T")

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # or it says on stderr what is told otherwise

_PROBE_S = 2  # the least that it takes
_NO_ANSWER = "it does not answer, and is waited for no longer"


class Way(psycopg.Connection[tuple[Any, ...]]):
    """A connection that gives up where the database is silent and somebody wants the process's end.

    Attributes:
        conninfo: where it goes to.
    """

    conninfo = ""

    @classmethod
    def to(cls, conninfo: str) -> Way:
        """A connection, outside of any transaction.

        Raises:
            psycopg.Error: there is none to be had.
        """
        if OURS.is_lost:
            raise psycopg.OperationalError(_NO_ANSWER)
        way = cls.connect(conninfo, autocommit=True)
        way.conninfo = conninfo
        return way

    def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        """See `psycopg.Connection.wait`."""
        return super().wait(self._patiently(gen), *args, **options)

    def _patiently(self, gen: PQGen[T]) -> PQGen[T]:
        """The same, looked at whenever nothing has come for a moment."""
        asked_s = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and OURS.is_over(asked_s):
                    if self._is_silent():
                        OURS.is_lost = True
                        self.pgconn.finish()
                        raise psycopg.OperationalError(_NO_ANSWER)
                    asked_s = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            answer: T = end.value
            return answer

    def _is_silent(self) -> bool:
        """Whether the database says nothing to anybody, instead of being at work on what it was asked."""
        if OURS.is_lost or not OURS.limit_s:
            return True
        try:
            psycopg.connect(self.conninfo, connect_timeout=_PROBE_S).close()
        except psycopg.Error:
            return True
        return False
