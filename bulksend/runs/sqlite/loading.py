"""Loads many rows into a plan: a hundred with one statement, beside whoever makes the next ones ready.

SQLite works without the interpreter's lock, so that a second core takes its half; and a value that a hundred rows have
in common is handed over once.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import islice

from bulksend.planning import PlannedRecord

_SMALL = 10_000  # rows: up to here neither a thread nor long statements pay
_AT_ONCE = 100  # rows of a statement: compiling longer ones takes more than they give
_AHEAD = 4  # batches that may wait, for memory is not to grow
_SWITCH_S = 0.0005  # a thread may wait so long for the other; the usual 5 ms are as long as five batches take
_FIELDS = 10
_ONE = f"INSERT INTO messages VALUES ({','.join('?' * _FIELDS)})"


class Loader:
    """Adds rows to the messages of a plan, inside the caller's transaction.

    Args:
        db: the plan's, which may be used by several threads; between `settle` and the next `add` it is the caller's.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._rows = 0
        self._thread: ThreadPoolExecutor | None = None
        self._interval_s = 0.0
        self._waiting: deque[Future[None]] = deque()

    def add(self, records: Iterable[PlannedRecord], count: int) -> None:
        """Add so many rows, in input order.

        Raises:
            sqlite3.Error: they, or some before them, cannot be written.
        """
        self._rows += count
        if self._rows <= _SMALL:
            self._db.executemany(_ONE, records)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "plan")
            self._interval_s = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH_S)
        if len(self._waiting) >= _AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(_load, self._db, records))

    def settle(self) -> None:
        """See that all rows are in.

        Raises:
            sqlite3.Error: some cannot be written.
        """
        while self._waiting:
            self._waiting.popleft().result()

    def stop(self) -> None:
        """Let what waits be, whatever became of it."""
        if self._thread:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None
            sys.setswitchinterval(self._interval_s)


def _load(db: sqlite3.Connection, records: Iterable[PlannedRecord]) -> None:
    rows = iter(records)
    while some := list(islice(rows, _AT_ONCE)):
        if len(some) < _AT_ONCE:
            db.executemany(_ONE, some)
            return
        columns = list(zip(*some, strict=True))
        shared = tuple(column.count(column[0]) == _AT_ONCE for column in columns)
        values: list[object] = []
        for column, is_shared in zip(columns, shared, strict=True):
            values += column[:1] if is_shared else column
        db.execute(_together(shared), values)


@lru_cache
def _together(shared: tuple[bool, ...]) -> str:
    """Adds `_AT_ONCE` rows, of which some columns hold the same value in all."""
    first = 1
    places = []
    for is_shared in shared:
        places.append([first] * _AT_ONCE if is_shared else range(first, first + _AT_ONCE))
        first = places[-1][-1] + 1
    rows = (",".join(f"?{place}" for place in row) for row in zip(*places, strict=True))
    return f"INSERT INTO messages VALUES {','.join(f'({row})' for row in rows)}"
