"""Why rows of a run file were not sent: asked of those rows alone, for most of millions were."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from bulksend.model import Status
from bulksend.runs import life, sums
from bulksend.runs.figures import NotSent
from bulksend.runs.sqlite import kept
from bulksend.runs.states import State

_SAID = "coalesce(error, '')"
_COMMONEST = f"""
SELECT status, says, rows, first FROM (
    SELECT *, row_number() OVER (PARTITION BY status ORDER BY rows DESC, first) AS place FROM (
        SELECT {life.told("", "''")} AS status, {_SAID} AS says, count(*) AS rows, min(row) AS first
        FROM sends WHERE {life.is_not_sent()} GROUP BY status, says))
WHERE place <= ?
"""
_FIRST = f"""
SELECT row FROM sends WHERE {life.is_not_sent()} AND row >= :first
    AND {life.told("", "''")} = :status AND {_SAID} = :says ORDER BY row LIMIT :limit
"""
_PENDING = f"""
SELECT m.row FROM messages m LEFT JOIN sends s ON s.row = m.row
WHERE m.row >= ? AND m.status = '{Status.PENDING}' AND (s.row IS NULL OR s.state = '{State.PENDING}')
ORDER BY m.row LIMIT ?
"""


def pending(db: sqlite3.Connection, limit: int) -> list[int]:
    """What `Figures.pending` tells."""
    return [row for (row,) in db.execute(_PENDING, [kept.first_unfinished(db), limit])]


def not_sent(db: sqlite3.Connection, limit: int, examples: int) -> list[NotSent]:
    """What `Figures.not_sent` tells."""
    return sums.not_sent(_tried(db, limit, examples), kept.findings(db), limit, examples)


def _tried(db: sqlite3.Connection, limit: int, examples: int) -> Iterator[NotSent]:
    for status, says, rows, first in db.execute(_COMMONEST, [limit]).fetchall():
        which = {"status": status, "says": says, "first": first, "limit": min(rows, examples)}
        yield NotSent(Status(status), says, rows, tuple(row for (row,) in db.execute(_FIRST, which)))
