"""What a run was charged, beside what it was estimated to cost; SQLite sums it up, so that any run fits in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from bulksend.runs import sums
from bulksend.runs.states import State
from bulksend.runs.telling import Charge
from bulksend.sms import LONGEST_PREFIX, Observed

# The number is the row's own, or that of its contact as far as an answer told it. What the API counted as parts counts;
# its list of messages does not tell. An answer without a price, or with one of 0, does not say what was charged.
_SENT = f"""
SELECT coalesce(CASE typeof(m.recipient) WHEN 'text' THEN m.recipient END, nullif(json_extract(s.answer, '$.to'), ''),
        n.number, '') AS number,
    coalesce(nullif(json_extract(s.answer, '$.estimateParts'), 0), m.parts) AS parts, m.price AS price,
    CASE WHEN s.charged > 0 THEN s.charged END AS charged, s.started_at AS started_at,
    s.http_status = 409 AND s.doubt_since IS NULL AS is_free
FROM sends s JOIN messages m ON m.row = s.row
LEFT JOIN numbers n ON typeof(m.recipient) = 'integer' AND n.contact = m.recipient
WHERE s.state = '{State.SENT}'
"""

_OBSERVED = f"""
SELECT substr(number, 1, {LONGEST_PREFIX}) AS start, (charged + parts - 1) / parts AS micro, count(*),
    max(charged % parts > 0)
FROM ({_SENT}) WHERE charged IS NOT NULL GROUP BY start, micro
"""

_BY_START = f"""
SELECT substr(number, 1, 3) AS start, count(*), sum(parts), coalesce(sum(price), 0), coalesce(sum(charged), 0),
    count(*) - count(price), count(*) - count(charged)
FROM ({_SENT}) GROUP BY start
"""

# What the server knew from elsewhere, before this run may have sent it, cost nothing.
_SPENT = f"SELECT coalesce(sum(coalesce(charged, price, parts * ?)), 0) FROM ({_SENT}) WHERE is_free IS NOT 1"

_DEAREST_PART = """
SELECT max(micro) FROM (
    SELECT (price + parts - 1) / parts AS micro FROM messages WHERE price IS NOT NULL
    UNION ALL SELECT (s.charged + m.parts - 1) / m.parts FROM sends s JOIN messages m ON m.row = s.row
    WHERE s.charged > 0)
"""


def by_code(db: sqlite3.Connection) -> list[Charge]:
    """What was sent, estimated and charged by dialing code, most messages first."""
    return sums.charges(db.execute(_BY_START))


def observed(db: sqlite3.Connection) -> Iterator[Observed]:
    """What parts cost, by the beginning of the number."""
    for start, micro, messages, rounded in db.execute(_OBSERVED):
        yield Observed(start, micro, messages, rounded=bool(rounded))


def spent(db: sqlite3.Connection, part_micro: int) -> int:
    """What was sent cost, in micro-USD; a part of which nobody told the price is taken to have cost ``part_micro``."""
    found: tuple[int] = db.execute(_SPENT, [part_micro]).fetchone()
    return found[0]


def dearest_part(db: sqlite3.Connection) -> int | None:
    """The highest price of an SMS part, planned or charged."""
    found: tuple[int | None] = db.execute(_DEAREST_PART).fetchone()
    return found[0]


def last_at(db: sqlite3.Connection) -> float | None:
    """When the last message was sent that was charged, in seconds since 1970."""
    found: tuple[float | None] = db.execute(
        f"SELECT max(started_at) FROM ({_SENT}) WHERE charged IS NOT NULL"
    ).fetchone()
    return found[0]
