"""What is asked of a run file: the SQL of reading, inside the caller's transaction; see `bulksend.runs.store.Run`."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import orjson

from bulksend.model import Encoding, Message, PhoneNumber, RowInDoubt, Status
from bulksend.planning import CROWDS_MAX, Crowd, Extreme, Group, Overview, Preview, Tally, summed
from bulksend.runs.clock import Clock, lag
from bulksend.runs.sqlite import kept, life
from bulksend.runs.states import Decision, State
from bulksend.runs.telling import Complaint, Span
from bulksend.sms import phones

PENDING = f"m.row >= :first AND m.status = 'pending' AND (s.row IS NULL OR {life.is_to_send('s.')})"
"""Of ``messages m`` left-joined with ``sends s``: it is still to be sent."""
NUMBER = "LEFT JOIN numbers n ON typeof({0}.recipient) = 'integer' AND n.contact = {0}.recipient"
"""A contact's number, where it is known; TEXT and INTEGER must not meet, or a number could pass for a contact's id."""

COPY = "coalesce((SELECT copy FROM copies WHERE copies.row = m.row), 0)"
"""Of ``messages m``: how many earlier ones are equal."""

_GROUPS = f"""
SELECT CASE typeof(m.recipient) WHEN 'text' THEN substr(m.recipient, 1, 3) ELSE '' END AS start,
    m.encoding, m.parts, count(*), sum(m.price), count(*) - count(m.price)
FROM messages m LEFT JOIN sends s ON s.row = m.row WHERE {PENDING} AND m.row <= :until
GROUP BY start, m.encoding, m.parts
"""
_CROWDS = f"""
SELECT m.recipient, count(*), sum(m.parts) AS parts FROM repeats m LEFT JOIN sends s ON s.row = m.row
WHERE (s.row IS NULL OR {life.is_to_send("s.")}) AND m.row <= :until
GROUP BY m.recipient HAVING count(*) > 1 ORDER BY parts DESC, m.recipient LIMIT {CROWDS_MAX}
"""
_PREVIEWS = f"""
SELECT m.row, m.recipient, m.sender, m.text FROM messages m LEFT JOIN sends s ON s.row = m.row
WHERE {PENDING} ORDER BY m.row LIMIT :limit
"""
_MARKED = f"""
SELECT m.parts, m.price, m.row, m.recipient, m.sender, m.text FROM messages m LEFT JOIN sends s ON s.row = m.row
WHERE {PENDING} AND m.row = :row AND m.row <= :until
"""
_NTH_PENDING = f"""
SELECT m.row FROM messages m LEFT JOIN sends s ON s.row = m.row WHERE {PENDING} ORDER BY m.row LIMIT 1 OFFSET :before
"""
_COMPLAINTS = f"""
SELECT coalesce(s.error, m.error, '') AS said, count(*) AS n, min(m.row) FROM messages m
LEFT JOIN sends s ON s.row = m.row WHERE {life.told("s.", "m.status")} = ?
GROUP BY said ORDER BY n DESC, min(m.row) LIMIT ?
"""
_IN_DOUBT = f"""
SELECT m.row, m.recipient, m.sender, m.text, m.parts, m.price, {COPY}, s.doubt_since, s.started_at,
    coalesce(s.error, ''), s.decision IS '{Decision.EXCLUDED}' FROM sends s
JOIN messages m ON m.row = s.row WHERE {life.is_open("s.")} ORDER BY m.row LIMIT ?
"""
_RIVALS = f"""
SELECT DISTINCT m.recipient, m.text FROM sends s JOIN messages m ON m.row = s.row
WHERE {life.may_have_arrived("s.")} AND NOT {life.is_open("s.")} AND NOT (s.state = '{State.SENT}' AND s.attempts = 1)
    AND (s.ended_at IS NULL OR s.ended_at >= ?)
"""
TOLD_NUMBER = """CASE WHEN typeof(m.recipient) = 'integer'
        AND ltrim(json_extract(s.answer, '$.to'), '+') NOT GLOB '*[^0-9]*'
        THEN nullif(ltrim(json_extract(s.answer, '$.to'), '+'), '') END"""
"""Of ``messages m`` joined with ``sends s``: the number that the answer told of a contact."""
_PARTS_MAX = 255  # as many as a concatenated SMS can have (3GPP TS 23.040)

_RESULTS = f"""
SELECT m.row, {life.told("s.", "m.status")}, m.recipient, s.answer, coalesce(s.error, m.error), s.http_status,
    coalesce(s.attempts, 0), s.started_at, m.text, m.cells
FROM messages m LEFT JOIN sends s ON s.row = m.row WHERE m.row BETWEEN ? AND ? ORDER BY m.row
"""
# Of a row in doubt only the last attempt's time is kept: its earlier ones are counted as if they had been as late. An
# attempt whose end nobody saw may have left at the last moment, for its intent may have waited: it ends now. So does
# what ended in the future, for the clock was set back. A contact's message went to the phone that its answer told,
# whatever is the contact's number by now; and parts count as the API counted them, if these are more.
_RECENT_SENDS = f"""
SELECT coalesce({TOLD_NUMBER}, n.number, m.recipient) AS who,
    max(m.parts, min(coalesce(CAST(json_extract(s.answer, '$.estimateParts') AS INTEGER), 0), {_PARTS_MAX}))
        * CASE WHEN s.doubt_since IS NULL THEN 1 ELSE s.attempts END AS parts,
    CASE WHEN s.doubt_since IS NULL THEN 1 ELSE s.attempts END AS messages,
    min(coalesce(s.ended_at + :lag, :now), :now) AS ended
FROM sends s JOIN messages m ON m.row = s.row {NUMBER.format("m")}
WHERE {life.may_have_arrived("s.")} AND ended >= :since AND who IS NOT NULL ORDER BY ended
"""

# What another run had sent before, and this one skipped for that, has arrived as well.
_REACHED = f"""
WITH reached AS (SELECT DISTINCT m.recipient FROM sends s JOIN messages m ON m.row = s.row
    WHERE {life.may_have_arrived("s.")} OR s.state = '{State.SKIPPED}')
SELECT recipient FROM reached
UNION SELECT n.number FROM reached r JOIN numbers n ON typeof(r.recipient) = 'integer' AND n.contact = r.recipient
"""
_SENT_AS = "SELECT 1 FROM sends WHERE json_extract(answer, '$.messageId') = ? LIMIT 1"
_SENT_TO = f"""
SELECT 1 FROM sends s JOIN messages m ON m.row = s.row
WHERE {life.may_have_arrived("s.")} AND CAST(m.recipient AS TEXT) IN (SELECT value FROM json_each(?)) LIMIT 1
"""

_NOT_SENT = f"""
SELECT state, decision, count(*) FROM sends WHERE state <> '{State.SENT}' GROUP BY state, decision
"""

LAST_ROW = 2**62


def overview(db: sqlite3.Connection, limit: int | None) -> Overview:
    """What is still to be sent, or the first ``limit`` rows of it."""
    within = {"first": kept.first_unfinished(db), "until": until(db, limit)}
    found = [_group(*group) for group in db.execute(_GROUPS, within)]
    return Overview(summed(found), tuple(Crowd(*crowd) for crowd in db.execute(_CROWDS, within)))


def previews(db: sqlite3.Connection, limit: int) -> tuple[Preview, ...]:
    """The first messages still to be sent."""
    which = {"first": kept.first_unfinished(db), "limit": limit}
    return tuple(Preview.of(*found) for found in db.execute(_PREVIEWS, which))


def marked(
    db: sqlite3.Connection, limit: int | None, longest: int, dearest: int
) -> tuple[Extreme | None, Extreme | None]:
    """These rows' messages, each as long as it is still to be sent, and within the limit."""
    within = {"first": kept.first_unfinished(db), "until": until(db, limit)}
    found = [db.execute(_MARKED, within | {"row": row}).fetchone() for row in (longest, dearest)]
    first, other = (each and Extreme(Preview.of(*each[2:]), each[0], each[1]) for each in found)
    return first, other


def complaints(db: sqlite3.Connection, status: Status, limit: int) -> list[Complaint]:
    """Why rows of a status are not sent, the commonest first."""
    return list(map(Complaint._make, db.execute(_COMPLAINTS, [status, limit])))


def results(db: sqlite3.Connection, first: int, last: int | None) -> sqlite3.Cursor:
    """What `Run.results` tells."""
    return db.execute(_RESULTS, [first, LAST_ROW if last is None else last])


def reached(db: sqlite3.Connection) -> sqlite3.Cursor:
    """What `Run.reached` tells."""
    return db.execute(_REACHED)


def span(db: sqlite3.Connection) -> Span | None:
    """What `Run.span` tells."""
    sql = "SELECT min(started_at), max(max(started_at, coalesce(ended_at, 0))) FROM sends WHERE attempts > 0"
    began_at, ended_at = db.execute(sql).fetchone()
    return None if began_at is None else Span(began_at, ended_at)


def has_sent(db: sqlite3.Connection, message_id: str, recipients: Collection[str]) -> bool:
    """What `Run.has_sent` tells."""
    if message_id:
        return db.execute(_SENT_AS, [message_id]).fetchone() is not None
    return db.execute(_SENT_TO, [orjson.dumps(list(recipients)).decode()]).fetchone() is not None


def until(db: sqlite3.Connection, limit: int | None) -> int:
    """The last row of the first ``limit`` that are still to be sent."""
    if limit is None:
        return LAST_ROW
    which = {"first": kept.first_unfinished(db), "before": limit - 1}
    found = db.execute(_NTH_PENDING, which).fetchone()
    return int(found[0]) if found else LAST_ROW


def in_doubt(db: sqlite3.Connection, limit: int | None) -> list[RowInDoubt]:
    """What `Run.in_doubt` tells, inside the caller's transaction."""
    keys = kept.plan(db).keys
    found = []
    for *named, since, until, error, is_excluded in db.execute(_IN_DOUBT, [-1 if limit is None else limit]):
        message = Message(*named)
        row, who, text, key = message.row, message.recipient, message.text, keys.of(message)
        found.append(RowInDoubt(row, who, text, key, since, until, error, is_excluded=bool(is_excluded)))
    return found


def message_ids(db: sqlite3.Connection, since_s: float) -> set[str]:
    """What `Run.message_ids` tells, inside the caller's transaction; also under a clock that was set between."""
    sql = f"""SELECT json_extract(answer, '$.messageId') FROM sends
        WHERE state IN ('{State.SENT}', '{State.SKIPPED}') AND answer IS NOT NULL AND ended_at >= ?"""
    return {message_id for (message_id,) in db.execute(sql, [since_s - kept.spread_s(db)])}


def rivals(db: sqlite3.Connection, since_s: float) -> list[Any]:
    """What `Journal.rivals` tells, inside the caller's transaction."""
    return db.execute(_RIVALS, [since_s - kept.spread_s(db)]).fetchall()


def recent_sends(db: sqlite3.Connection, since_s: float, wall_s: float) -> Iterator[Any]:
    """What `Run.recent_sends` tells, inside the caller's transaction."""
    then = kept.read_clock(db)
    late_s = 0.0 if then is None else lag(then, Clock.now(wall_s))
    return db.execute(_RECENT_SENDS, {"since": since_s, "now": wall_s, "lag": late_s})


def _group(start: str, encoding: str, parts: int, rows: int, price: int | None, unpriced: int) -> Group:
    """A group, by the first three digits of its numbers: no dialing code is the beginning of another."""
    code = phones.dialing_code(PhoneNumber(start)) if start else ""
    return Group(code, Encoding(encoding), parts, rows, price or 0, unpriced)


def tally(db: sqlite3.Connection) -> Tally:
    """Count the rows by what became of them."""
    # One transaction, so that both counts are of the same moment.
    db.execute("BEGIN")
    try:
        planned = kept.counts(db)
        rows, attempts, charged = db.execute(
            "SELECT count(*), coalesce(sum(attempts), 0), coalesce(sum(charged), 0) FROM sends"
        ).fetchone()
        # Grouping sorts: most of many rows are sent, and need not be.
        others = Counter[State]()
        decided = Counter[Decision | None]()
        for state, decision, count in db.execute(_NOT_SENT):
            others[State(state)] += count
            if state == State.UNKNOWN:
                decided[decision and Decision(decision)] += count
    finally:
        db.execute("ROLLBACK")
    statuses = dict.fromkeys(Status, 0) | planned
    statuses[Status.PENDING] -= rows
    statuses[Status.SENT] += rows - sum(others.values())
    for state, count in others.items():
        if status := state.status:
            statuses[status] += count
    return Tally(
        statuses,
        others[State.IN_FLIGHT],
        attempts,
        charged,
        left=decided[Decision.LEAVE],
        resent=decided[Decision.RESEND],
        left_out=others[State.LEFT_OUT],
        closed=others[State.CLOSED],
        known=others[State.SKIPPED],
        excluded=others[State.EXCLUDED],
        excluded_in_doubt=decided[Decision.EXCLUDED],
    )
