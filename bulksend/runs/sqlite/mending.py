"""What is left to mend of a run, and how a run is closed: the SQL, inside the caller's transaction."""

from __future__ import annotations

import sqlite3

from bulksend.model import Event, Status
from bulksend.runs import life
from bulksend.runs.sqlite import kept
from bulksend.runs.states import STEPS, State

_CLOSED = "closed"

_TO_MEND = f"""
SELECT m.row, coalesce(s.error, m.error), m.cells FROM messages m
LEFT JOIN sends s ON s.row = m.row
WHERE m.status = '{Status.INVALID}' OR s.state IN ('{State.REJECTED}', '{State.FAILED}', '{State.CLOSED}')
ORDER BY m.row
"""
# What an attempt has shown is of use to whoever mends the row.
_CLOSE = f"""
INSERT INTO main.sends (row, state, attempts, started_at, error)
SELECT row, '{STEPS[Event.CLOSED].after}', 0, :at, :says FROM messages WHERE status = '{Status.PENDING}'
ON CONFLICT (row) DO UPDATE SET {life.after(Event.CLOSED)},
    error = excluded.error || coalesce('; before that: ' || nullif(sends.error, ''), '')
WHERE {life.can_be(Event.CLOSED, "sends.")}
"""


def to_mend(db: sqlite3.Connection) -> sqlite3.Cursor:
    """What `Run.to_mend` tells."""
    return db.execute(_TO_MEND)


def close(db: sqlite3.Connection, says: str, wall_s: float) -> None:
    """Do what `OwnRun.close_rows` says."""
    db.execute(_CLOSE, {"says": says, "at": wall_s})
    kept.note(db, _CLOSED, wall_s)


def closed_at(db: sqlite3.Connection) -> float | None:
    """What `Run.closed_at` tells."""
    found = kept.read(db, _CLOSED)
    return None if found is None else float(found)
