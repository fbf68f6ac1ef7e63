"""What history is asked of a run file, and decides of its rows: the SQL, inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from bulksend.model import Event
from bulksend.runs import life
from bulksend.runs.sqlite import kept
from bulksend.runs.sqlite.queries import NUMBER, TOLD_NUMBER
from bulksend.runs.states import STEPS, Decision, State
from bulksend.runs.telling import KnownRow, OpenRow, UnsentRow

_ROUNDED_S = 1e-6  # by which a time may differ that was written out and read

# Whom another run had reached was reached all the same. What nobody saw the end of counts as learned just now.
_ARRIVED = f"""
SELECT m.row, coalesce({TOLD_NUMBER}, n.number, m.recipient), m.text, s.started_at,
    s.state NOT IN ('{State.SENT}', '{State.SKIPPED}')
FROM sends s JOIN messages m ON m.row = s.row {NUMBER.format("m")}
WHERE ({life.may_have_arrived("s.")} OR s.state = '{State.SKIPPED}' AND s.attempts > 0)
    AND (s.ended_at IS NULL OR s.ended_at >= ?) AND m.recipient IS NOT NULL
"""
_KNOWN = f"""
SELECT s.row FROM json_each(?) attempt JOIN sends s ON s.row = json_extract(attempt.value, '$[0]')
WHERE s.ticket IS NOT NULL AND s.started_at >= json_extract(attempt.value, '$[1]') - {_ROUNDED_S}
"""
_UNSENT = f"""
SELECT m.row, m.recipient, n.number, m.text FROM messages m LEFT JOIN sends s ON s.row = m.row {NUMBER.format("m")}
WHERE m.row > ? AND m.status = 'pending' AND (s.row IS NULL OR {life.can_be(Event.LEFT_OUT, "s.")})
ORDER BY m.row LIMIT ?
"""
_SENT_BY_ANOTHER = f"""
SELECT m.row, m.recipient, n.number, m.text, coalesce(json_extract(s.answer, '$.messageId'), '')
FROM sends s JOIN messages m ON m.row = s.row {NUMBER.format("m")}
WHERE s.row > ? AND s.state = '{State.SKIPPED}' AND s.attempts > 0 AND s.ended_at >= ? ORDER BY s.row LIMIT ?
"""
_MAY_BE_EXCLUDED = f"{life.can_be(Event.EXCLUDED, 's.')} AND s.decision IS NOT '{Decision.EXCLUDED}'"
_OPEN = f"m.row, m.recipient, n.number, s.row IS NOT NULL AND s.state = '{State.UNKNOWN}'"
_TO_EXCLUDE = f"""
SELECT {_OPEN} FROM messages m LEFT JOIN sends s ON s.row = m.row {NUMBER.format("m")}
WHERE m.row > ? AND m.status = 'pending' AND (s.row IS NULL OR {_MAY_BE_EXCLUDED}) ORDER BY m.row LIMIT ?
"""
# Of millions of rows that were sent only those are looked at that were not.
_TO_EXCLUDE_BEFORE = f"""
SELECT {_OPEN} FROM sends s JOIN messages m ON m.row = s.row {NUMBER.format("m")}
WHERE s.row > ? AND s.row < ? AND {_MAY_BE_EXCLUDED} ORDER BY s.row LIMIT ?
"""
_NOT_AGAIN = "it may have been accepted before, and is not repeated"
_ALIKE = f"""
SELECT m.row, count(*) FROM json_each(?) wanted JOIN messages m ON m.row = wanted.value
JOIN repeats r ON r.recipient = m.recipient JOIN messages other ON other.row = r.row AND other.text = m.text
JOIN sends s ON s.row = r.row AND s.state = '{State.LEFT_OUT}' GROUP BY m.row
"""


# Counted from the plan each time, so that whoever looks twice counts once.
_COUNT_ON = """
INSERT OR REPLACE INTO copies SELECT m.row, :earlier + (
    SELECT count(*) FROM repeats r JOIN messages other ON other.row = r.row
    WHERE r.recipient = m.recipient AND r.row < m.row AND other.text = m.text AND other.sender IS m.sender
) FROM messages m WHERE m.row = :row
"""


def errors(db: sqlite3.Connection) -> Iterator[int]:
    """What `Run.errors` tells."""
    sql = f"""SELECT row FROM sends WHERE state = '{State.FAILED}'
        OR state = '{State.UNKNOWN}' AND decision IS NOT '{Decision.RESEND}'"""
    for (row,) in db.execute(sql):
        yield row


def arrived(db: sqlite3.Connection, since_s: float) -> Iterator[Any]:
    """What `Run.arrived` tells."""
    return db.execute(_ARRIVED, [since_s])


def knows(db: sqlite3.Connection, attempts: Sequence[tuple[int, float]]) -> set[int]:
    """What `Run.knows` tells."""
    return {row for (row,) in db.execute(_KNOWN, [orjson.dumps(attempts).decode()])}


def unsent(db: sqlite3.Connection, after: int, limit: int) -> list[UnsentRow]:
    """What `OwnRun.unsent` tells."""
    after = max(after, kept.first_unfinished(db) - 1)
    return db.execute(_UNSENT, [after, limit]).fetchall()


def to_exclude(db: sqlite3.Connection, after: int, limit: int) -> list[OpenRow]:
    """What `OwnRun.to_exclude` tells."""
    first = kept.first_unfinished(db)
    found = db.execute(_TO_EXCLUDE_BEFORE, [after, first, limit]).fetchall() if after + 1 < first else []
    return found or db.execute(_TO_EXCLUDE, [max(after, first - 1), limit]).fetchall()


def alike_left_out(db: sqlite3.Connection, rows: Sequence[int]) -> dict[int, int]:
    """What `OwnRun.alike_left_out` tells."""
    return dict(db.execute(_ALIKE, [orjson.dumps(rows).decode()]).fetchall())


def leave_out(db: sqlite3.Connection, rows: Sequence[tuple[int, str]], event: Event, wall_s: float) -> None:
    """Do what `OwnRun.leave_out` says."""
    db.executemany(
        f"""INSERT INTO main.sends (row, state, attempts, started_at, error)
        VALUES (?, '{STEPS[event].after}', 0, ?, ?)
        ON CONFLICT (row) DO UPDATE SET {life.after(event)}, attempts = attempts - (state = '{State.IN_FLIGHT}'),
            ended_at = CASE state WHEN '{State.IN_FLIGHT}' THEN excluded.started_at ELSE ended_at END,
            error = excluded.error || CASE WHEN doubt_since IS NULL THEN '' ELSE '; {_NOT_AGAIN}' END
        WHERE {life.can_be(event, "sends.")}
        """,
        [(row, wall_s, says) for row, says in rows],
    )


def count_on(db: sqlite3.Connection, rows: Sequence[tuple[int, int]]) -> None:
    """Do what `OwnRun.count_on` says."""
    db.executemany(_COUNT_ON, [{"row": row, "earlier": earlier} for row, earlier in rows])


def known(db: sqlite3.Connection, since_s: float, after: int, limit: int) -> list[KnownRow]:
    """What `OwnRun.known` tells."""
    return db.execute(_SENT_BY_ANOTHER, [after, since_s, limit]).fetchall()


def explain(db: sqlite3.Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Do what `OwnRun.explain` says."""
    sql = f"UPDATE main.sends SET error = ? WHERE row = ? AND state = '{State.SKIPPED}'"
    db.executemany(sql, [(says, row) for row, says in rows])


def take_up(db: sqlite3.Connection) -> None:
    """Do what `OwnRun.take_up` says."""
    event = Event.TAKEN_UP
    db.execute(f"UPDATE main.sends SET {life.after(event)}, error = NULL WHERE {life.can_be(event)}")
