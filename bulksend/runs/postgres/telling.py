"""What is asked of a run in a database about single rows: the SQL; see `bulksend.runs.store.Run`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bulksend.model import Recipient
from bulksend.runs import life
from bulksend.runs.postgres.columns import NUMBER, PHONE, SENDS, TOLD_NUMBER, WITH_SENDS, with_who
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.telling import RowTold

_ROUNDED_S = 1e-6  # by which a time may differ that was written out and read

_KNOWN = f"""
SELECT DISTINCT s.row FROM unnest(%(rows)s::bigint[], %(times)s::float8[]) AS attempt (row, began_s)
JOIN {{sends}} s ON s.run = %(run)s AND s.row = attempt.row
WHERE s.ticket IS NOT NULL AND s.started_at >= attempt.began_s - {_ROUNDED_S}
"""
_SENT_AS = "SELECT EXISTS (SELECT FROM {sends} s WHERE run = %(run)s AND answer->>'messageId' = %(message_id)s)"
_SENT_TO = f"""
SELECT EXISTS (SELECT FROM {SENDS} WHERE s.run = %(run)s AND {life.may_have_arrived("s.")}
    AND coalesce(m.phone, m.contact::text) = ANY(%(wanted)s::text[]))
"""
_TOLD = f"""
SELECT m.row, coalesce(s.state, m.status), m.phone, m.contact, coalesce({TOLD_NUMBER}, n.phone), m.sender, m.text,
    m.encoding, m.parts, m.price, coalesce(s.attempts, 0), CASE WHEN s.attempts > 0 THEN s.started_at END,
    s.doubt_since, s.decision, s.http_status, s.answer::text, s.charged, coalesce(s.error, m.error)
FROM {WITH_SENDS} {NUMBER} WHERE m.run = %(run)s AND m.row = ANY(%(rows)s::bigint[]) ORDER BY m.row
"""
_ROWS_TO = f"""
SELECT m.row FROM {WITH_SENDS} {NUMBER} WHERE m.run = %(run)s AND (
    m.phone = ANY(%(phones)s::text[]) OR m.contact = ANY(%(contacts)s::bigint[])
    OR m.contact IS NOT NULL AND (n.phone = ANY(%(phones)s::text[]) OR {TOLD_NUMBER} = ANY(%(phones)s::text[])))
ORDER BY m.row
"""
_NAMELESS = f"""
SELECT count(*) FROM {SENDS} {NUMBER}
WHERE s.run = %(run)s AND m.contact IS NOT NULL AND {life.may_have_arrived("s.")} AND {PHONE} IS NULL
"""


def knows(reader: Reader, attempts: Sequence[tuple[int, float]], skew_s: float) -> set[int]:
    """What `Run.knows` tells, to a machine whose clock the database's is ahead of by so much."""
    rows, times = [row for row, _ in attempts], [began_s + skew_s for _, began_s in attempts]
    return {row for (row,) in reader.all(_KNOWN, rows=rows, times=times)}


def has_sent(reader: Reader, message_id: str, recipients: Collection[str]) -> bool:
    """What `Run.has_sent` tells."""
    if message_id:
        return bool(reader.first(_SENT_AS, message_id=message_id)[0])
    return bool(reader.first(_SENT_TO, wanted=list(recipients))[0])


def told(reader: Reader, rows: Sequence[int]) -> list[RowTold]:
    """What `Run.told` tells."""
    return list(map(RowTold._make, with_who(reader.all(_TOLD, rows=list(rows)), 2)))


def rows_to(reader: Reader, recipients: Collection[Recipient]) -> list[int]:
    """What `Run.rows_to` tells."""
    contacts = [each for each in recipients if isinstance(each, int)]
    phones = [each for each in recipients if not isinstance(each, int)]
    return [row for (row,) in reader.all(_ROWS_TO, contacts=contacts, phones=phones)]


def nameless(reader: Reader) -> int:
    """What `Run.nameless` tells."""
    return int(reader.first(_NAMELESS)[0])
