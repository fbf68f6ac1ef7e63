"""Why rows of a run file were not sent: asked of those rows alone, for most of millions were."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator

from bulksend.model import Status
from bulksend.runs import life
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
    found: dict[Status, list[NotSent]] = defaultdict(list)
    for each in (*_tried(db, limit, examples), *_planned(db, examples)):
        found[each.status].append(each)
    return [each for group in found.values() for each in sorted(group, key=_commonest_first)[:limit]]


def _tried(db: sqlite3.Connection, limit: int, examples: int) -> Iterator[NotSent]:
    for status, says, rows, first in db.execute(_COMMONEST, [limit]).fetchall():
        which = {"status": status, "says": says, "first": first, "limit": min(rows, examples)}
        yield NotSent(Status(status), says, rows, tuple(row for (row,) in db.execute(_FIRST, which)))


def _planned(db: sqlite3.Connection, examples: int) -> Iterator[NotSent]:
    """What planning has found, and keeps with the first rows: nothing of it is ever tried."""
    for reason in kept.findings(db).reasons:
        first = tuple(example.row for example in reason.examples[:examples])
        yield NotSent(reason.status, reason.says, reason.rows, first)


def _commonest_first(each: NotSent) -> tuple[int, tuple[int, ...]]:
    return -each.rows, each.first
