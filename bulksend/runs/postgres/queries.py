"""What is asked of a run in a database as a whole: the SQL of reading; see `bulksend.runs.store.Run`."""

from __future__ import annotations

from typing import NamedTuple

from bulksend.model import Message, RowInDoubt, Status
from bulksend.planning import CROWDS_MAX, Crowd, Extreme, Lines, Overview, Plan, Preview, Tally, extremes, summed
from bulksend.runs import life, sums
from bulksend.runs.ends import Spell
from bulksend.runs.postgres import whole
from bulksend.runs.postgres.columns import SENDS, WITH_SENDS, with_who
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import Decision, State
from bulksend.runs.telling import Complaint, Span
from bulksend.runs.telling import in_doubt as told_in_doubt

_TO_SEND = f"(s.row IS NULL OR {life.is_to_send('s.')})"
PENDING = f"m.run = %(run)s AND m.row >= %(first)s AND m.status = '{Status.PENDING}' AND {_TO_SEND}"
"""Of ``message m`` left-joined with ``send s``: it is still to be sent."""
LAST_ROW = 2**62

_HAS_BEGUN = f"""
SELECT EXISTS (SELECT FROM {{sends}} s WHERE run = %(run)s
    AND ({life.may_have_arrived()} OR state IN ('{State.SKIPPED}', '{State.CLOSED}')))
"""
_FIRST_TRIED = "SELECT min(started_at) FROM {sends} s WHERE run = %(run)s AND attempts > 0"
_FIRST_UNFINISHED = f"SELECT min(row) FROM {{sends}} s WHERE run = %(run)s AND {life.is_to_send()}"
_GROUPS = f"""
SELECT coalesce(substr(m.phone, 1, 3), '') AS start, m.encoding, m.parts, count(*), sum(m.price)::bigint,
    count(*) - count(m.price)
FROM {WITH_SENDS} WHERE {PENDING} AND m.row <= %(until)s GROUP BY start, m.encoding, m.parts
"""
_CROWDS = f"""
SELECT m.phone, m.contact, count(*), sum(m.parts) AS parts
FROM repeat m LEFT JOIN {{sends}} s ON s.run = m.run AND s.row = m.row
WHERE m.run = %(run)s AND {_TO_SEND} AND m.row <= %(until)s
GROUP BY m.phone, m.contact HAVING count(*) > 1 ORDER BY parts DESC, m.contact, m.phone LIMIT {CROWDS_MAX}
"""
_PREVIEWS = f"""
SELECT m.row, m.phone, m.contact, m.sender, m.text FROM {WITH_SENDS} WHERE {PENDING} ORDER BY m.row LIMIT %(limit)s
"""
_MARKED = f"""
SELECT m.row, m.phone, m.contact, m.sender, m.text, m.parts, m.price FROM {WITH_SENDS}
WHERE {PENDING} AND m.row = %(row)s AND m.row <= %(until)s
"""
_NTH_PENDING = f"SELECT m.row FROM {WITH_SENDS} WHERE {PENDING} ORDER BY m.row LIMIT 1 OFFSET %(before)s"
_COMPLAINTS = f"""
SELECT coalesce(s.error, m.error, '') AS said, count(*) AS n, min(m.row) FROM {WITH_SENDS}
WHERE m.run = %(run)s AND {life.told("s.", "m.status")} = %(status)s
GROUP BY said ORDER BY n DESC, min(m.row) LIMIT %(limit)s
"""
_COPY = "coalesce((SELECT copy FROM copy c WHERE c.run = m.run AND c.row = m.row), 0)"
_IN_DOUBT = f"""
SELECT m.row, m.phone, m.contact, m.sender, m.text, m.parts, m.price, {_COPY}, s.doubt_since, s.started_at,
    coalesce(s.error, ''), s.decision IS NOT DISTINCT FROM '{Decision.EXCLUDED}'
FROM {SENDS} WHERE s.run = %(run)s AND {life.is_open("s.")} ORDER BY m.row LIMIT %(limit)s
"""
_SPAN = """
SELECT min(started_at), max(greatest(started_at, ended_at)) FROM {sends} s WHERE run = %(run)s AND attempts > 0
"""
_TOTALS = """
SELECT count(*), coalesce(sum(attempts), 0)::bigint, coalesce(sum(charged), 0)::bigint FROM {sends} s
WHERE run = %(run)s
"""
_NOT_SENT = f"""
SELECT state, decision, count(*) FROM {{sends}} s WHERE run = %(run)s AND state <> '{State.SENT}'
GROUP BY state, decision
"""


def plan(reader: Reader, limit: int | None, count: int) -> Plan:
    """What `Run.plan` tells."""
    with reader.snapshot():
        about, within = whole.of(reader), _within(reader, limit)
        findings = about.findings
        first = _previews(reader, within, count if limit is None else min(limit, count))
        outside: tuple[Extreme, ...] = ()
        if count:
            longest, dearest = (_extreme(reader, within, row) for row in (findings.longest, findings.dearest))
            outside = extremes(longest, dearest, {each.row for each in first}, lines(reader))
        return Plan(about.plan.input_name, _tally(reader), _overview(reader, within), findings, first, outside)


def overview(reader: Reader, limit: int | None) -> Overview:
    """What is still to be sent, or the first ``limit`` rows of it."""
    with reader.snapshot():
        return _overview(reader, _within(reader, limit))


def tally(reader: Reader) -> Tally:
    """Count the rows by what became of them."""
    with reader.snapshot():
        return _tally(reader)


def complaints(reader: Reader, status: Status, limit: int) -> list[Complaint]:
    """Why rows of a status are not sent, the commonest first."""
    return list(map(Complaint._make, reader.all(_COMPLAINTS, status=status, limit=limit)))


def in_doubt(reader: Reader, limit: int | None) -> list[RowInDoubt]:
    """What `Run.in_doubt` tells."""
    keys = whole.of(reader).plan.keys
    return [
        told_in_doubt(keys, Message(*named), since, until, error, is_excluded=is_excluded)
        for *named, since, until, error, is_excluded in with_who(reader.all(_IN_DOUBT, limit=limit))
    ]


def has_begun(reader: Reader) -> bool:
    """What `Run.has_begun` tells."""
    return bool(reader.first(_HAS_BEGUN)[0])


def spell(reader: Reader) -> Spell:
    """What `Run.spell` tells."""
    about = whole.of(reader)
    return about.spell(None if about.read("started") else reader.first(_FIRST_TRIED)[0])


def span(reader: Reader, skew_s: float) -> Span | None:
    """What `Run.span` tells."""
    began_at, ended_at = reader.first(_SPAN)
    return None if began_at is None else Span(began_at - skew_s, ended_at - skew_s)


def lines(reader: Reader) -> Lines:
    """What `Run.lines` tells."""
    (packed,) = reader.first("SELECT lines FROM run WHERE id = %(run)s")
    return Lines() if packed is None else Lines.unpacked(packed)


def first_unfinished(reader: Reader) -> int:
    """A row before which there is nothing to send."""
    (unfinished,) = reader.first(_FIRST_UNFINISHED)
    untried = whole.of(reader).begun_to + 1
    return min(untried, unfinished or untried)


def until(reader: Reader, limit: int | None) -> int:
    """The last row of the first ``limit`` that are still to be sent."""
    return _within(reader, limit).until


class _Within(NamedTuple):
    """The rows between which the first stand that are still to be sent."""

    first: int
    until: int


def _within(reader: Reader, limit: int | None) -> _Within:
    first = first_unfinished(reader)
    if limit is None:
        return _Within(first, LAST_ROW)
    found = reader.first(_NTH_PENDING, first=first, before=limit - 1)
    return _Within(first, int(found[0]) if found else LAST_ROW)


def _tally(reader: Reader) -> Tally:
    rows, attempts, charged = reader.first(_TOTALS)
    return sums.tally(whole.of(reader).counts, rows, attempts, charged, reader.all(_NOT_SENT))


def _overview(reader: Reader, within: _Within) -> Overview:
    groups = (sums.group(*group) for group in reader.all(_GROUPS, first=within.first, until=within.until))
    crowds = with_who(reader.all(_CROWDS, until=within.until), 0)
    return Overview(summed(groups), tuple(Crowd(*crowd) for crowd in crowds))


def _previews(reader: Reader, within: _Within, limit: int) -> tuple[Preview, ...]:
    found = reader.all(_PREVIEWS, first=within.first, limit=limit)
    return tuple(Preview.of(*each) for each in with_who(found))


def _extreme(reader: Reader, within: _Within, row: int) -> Extreme | None:
    """A row's message, as long as it is still to be sent, and one of these."""
    found = reader.all(_MARKED, row=row, first=within.first, until=within.until)
    for *named, parts, price in with_who(found):
        return Extreme(Preview.of(*named), parts, price)
    return None
