"""Puts rows of a plan into SQLite: some with one statement, and what they have in common is bound once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bulksend.planning import PlannedColumns  # the process that writes plans nothing, and starts sooner without it

_AT_ONCE = 99  # rows of a statement: compiling longer ones takes more than they give, and older SQLite takes 999 values
_FIELDS = 10
_ONE = f"INSERT INTO messages VALUES ({','.join('?' * _FIELDS)})"

Squeezed = list[Any]
"""Columns, each a list; the first has the rows' numbers. One that has the same value in all rows is that value."""


def squeezed(columns: PlannedColumns) -> Squeezed:
    """Rows of a plan, with nothing in them but lists and plain values."""
    rows, *others = columns
    return [list(rows), *map(_squeezed, others)]


def insert(db: sqlite3.Connection, columns: Squeezed) -> None:
    """Add rows to the messages of a plan.

    Raises:
        sqlite3.Error: they cannot be written.
    """
    size = len(columns[0])
    shared = tuple(not isinstance(column, list) for column in columns)
    whole = size - size % _AT_ONCE
    for start in range(0, whole, _AT_ONCE):
        values: list[object] = []
        for column, is_shared in zip(columns, shared, strict=True):
            values += [column] if is_shared else column[start : start + _AT_ONCE]
        db.execute(_together(shared), values)
    if whole < size:
        rest = (
            repeat(column) if is_shared else column[whole:] for column, is_shared in zip(columns, shared, strict=True)
        )
        db.executemany(_ONE, zip(*rest, strict=False))


def insert_few(db: sqlite3.Connection, columns: PlannedColumns) -> None:
    """The same for so few rows that compiling long statements does not pay."""
    db.executemany(_ONE, columns.records())


def _squeezed(column: Sequence[object]) -> object:
    is_shared = bool(column) and column[0] == column[-1] and column.count(column[0]) == len(column)
    if is_shared:
        return column[0]
    return column if isinstance(column, list) else list(column)


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
