"""What a run in a database was charged, beside what it was estimated to cost; PostgreSQL sums it up."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.runs import sums
from bulksend.runs.postgres.columns import COUNTED_PARTS, NUMBER, SENDS
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State
from bulksend.runs.telling import Charge
from bulksend.sms import LONGEST_PREFIX, Observed

# The number is the row's own, or that of its contact as far as an answer told it. What the API counted as parts counts;
# its list of messages does not tell. An answer without a price, or with one of 0, does not say what was charged.
_SENT = f"""
SELECT coalesce(m.phone, nullif(s.answer->>'to', ''), n.phone, '') AS number,
    coalesce(nullif({COUNTED_PARTS}, 0), m.parts) AS parts, m.price AS price,
    CASE WHEN s.charged > 0 THEN s.charged END AS charged, s.started_at AS started_at,
    s.http_status = 409 AND s.doubt_since IS NULL AS is_free
FROM {SENDS} {NUMBER} WHERE s.run = %(run)s AND s.state = '{State.SENT}'
"""
_OBSERVED = f"""
SELECT substr(number, 1, {LONGEST_PREFIX}) AS start, (charged + parts - 1) / parts AS micro, count(*),
    bool_or(charged %% parts > 0)
FROM ({_SENT}) sent WHERE charged IS NOT NULL GROUP BY start, micro
"""
_BY_START = f"""
SELECT substr(number, 1, 3) AS start, count(*), sum(parts), coalesce(sum(price), 0)::bigint,
    coalesce(sum(charged), 0)::bigint, count(*) - count(price), count(*) - count(charged)
FROM ({_SENT}) sent GROUP BY start
"""
# What the server knew from elsewhere, before this run may have sent it, cost nothing.
_SPENT = f"""
SELECT coalesce(sum(coalesce(charged, price, parts * %(part)s::bigint)), 0)::bigint FROM ({_SENT}) sent
WHERE is_free IS NOT TRUE
"""
_DEAREST_PART = f"""
SELECT max(micro) FROM (
    SELECT (price + parts - 1) / nullif(parts, 0) AS micro FROM message WHERE run = %(run)s AND price IS NOT NULL
    UNION ALL SELECT (s.charged + m.parts - 1) / nullif(m.parts, 0) FROM {SENDS}
    WHERE s.run = %(run)s AND s.charged > 0) each
"""
_LAST_AT = f"SELECT max(started_at) FROM ({_SENT}) sent WHERE charged IS NOT NULL"


def by_code(reader: Reader) -> list[Charge]:
    """What was sent, estimated and charged by dialing code, most messages first."""
    return sums.charges(reader.all(_BY_START))


def observed(reader: Reader) -> Iterator[Observed]:
    """What parts cost, by the beginning of the number."""
    return map(Observed._make, reader.each(_OBSERVED))


def spent(reader: Reader, part_micro: int) -> int:
    """What was sent cost, in micro-USD; a part of which nobody told the price is taken to have cost ``part_micro``."""
    return int(reader.first(_SPENT, part=part_micro)[0])


def dearest_part(reader: Reader) -> int | None:
    """The highest price of an SMS part, planned or charged."""
    found: int | None = reader.first(_DEAREST_PART)[0]
    return found


def last_at(reader: Reader) -> float | None:
    """When the last message was sent that was charged, in seconds since 1970."""
    found: float | None = reader.first(_LAST_AT)[0]
    return found
