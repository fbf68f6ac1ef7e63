"""What is asked of a run file about single rows: the SQL, inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

import orjson

from bulksend.model import Recipient
from bulksend.runs import life
from bulksend.runs.sqlite.queries import NUMBER, TOLD_NUMBER
from bulksend.runs.telling import RowTold

_TOLD = f"""
SELECT m.row, coalesce(s.state, m.status), m.recipient, coalesce({TOLD_NUMBER}, n.number), m.sender, m.text, m.encoding,
    m.parts, m.price, coalesce(s.attempts, 0), CASE WHEN s.attempts > 0 THEN s.started_at END, s.doubt_since,
    s.decision, s.http_status, s.answer, s.charged, coalesce(s.error, m.error)
FROM json_each(?) wanted JOIN messages m ON m.row = wanted.value
LEFT JOIN sends s ON s.row = m.row {NUMBER.format("m")}
ORDER BY m.row
"""
_ROWS_TO = f"""
SELECT m.row FROM messages m LEFT JOIN sends s ON s.row = m.row {NUMBER.format("m")}
WHERE m.recipient IN (SELECT value FROM json_each(:wanted)) OR typeof(m.recipient) = 'integer'
    AND (n.number IN (SELECT value FROM json_each(:wanted)) OR {TOLD_NUMBER} IN (SELECT value FROM json_each(:wanted)))
ORDER BY m.row
"""

_NAMELESS = f"""
SELECT count(*) FROM messages m JOIN sends s ON s.row = m.row {NUMBER.format("m")}
WHERE typeof(m.recipient) = 'integer' AND {life.may_have_arrived("s.")} AND coalesce({TOLD_NUMBER}, n.number) IS NULL
"""


def told(db: sqlite3.Connection, rows: Sequence[int]) -> list[RowTold]:
    """What `Run.told` tells."""
    return list(map(RowTold._make, db.execute(_TOLD, [orjson.dumps(rows).decode()])))


def rows_to(db: sqlite3.Connection, recipients: Collection[Recipient]) -> list[int]:
    """What `Run.rows_to` tells."""
    wanted = orjson.dumps([*recipients]).decode()
    return [row for (row,) in db.execute(_ROWS_TO, {"wanted": wanted})]


def nameless(db: sqlite3.Connection) -> int:
    """What `Run.nameless` tells."""
    found: tuple[int] = db.execute(_NAMELESS).fetchone()
    return found[0]
