"""What is asked of a run in a database row by row, however many there are: the SQL; see `bulksend.runs.store.Run`."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.model import ContactId, Message, PhoneNumber, Recipient, Status
from bulksend.runs import life
from bulksend.runs.postgres.columns import CONTACT, COUNTED, NUMBER, PHONE, SENDS, TAKEN, WITH_SENDS, who, with_who
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import Decision, State
from bulksend.runs.telling import Arrived, MendRow, PlannedRow, RecentSend, ResultRow

_RESULTS = f"""
SELECT m.row, {life.told("s.", "m.status")}, m.phone, m.contact, s.answer::text, coalesce(s.error, m.error),
    s.http_status, coalesce(s.attempts, 0), s.started_at, m.text, m.cells
FROM {WITH_SENDS} WHERE m.run = %(run)s AND m.row BETWEEN %(first)s AND %(last)s ORDER BY m.row
"""
_LAST_ROW = 2**62
_LEFT_OUT = f"s.state IN ('{State.LEFT_OUT}', '{State.EXCLUDED}')"
_PLANNED = f"""
SELECT m.row, CASE WHEN {_LEFT_OUT} THEN '{Status.SKIPPED}' ELSE m.status END, m.phone, m.contact, m.encoding, m.parts,
    m.price, m.text, CASE WHEN {_LEFT_OUT} THEN s.error ELSE m.error END, m.cells
FROM {WITH_SENDS} WHERE m.run = %(run)s ORDER BY m.row
"""
_TO_MEND = f"""
SELECT m.row, coalesce(s.error, m.error), m.cells FROM {WITH_SENDS}
WHERE m.run = %(run)s
    AND (m.status = '{Status.INVALID}' OR s.state IN ('{State.REJECTED}', '{State.FAILED}', '{State.CLOSED}'))
ORDER BY m.row
"""
_MESSAGES_IN_DOUBT = f"""
SELECT m.row, m.phone, m.contact, m.sender, m.text, m.parts, m.price FROM {SENDS}
WHERE s.run = %(run)s AND s.state IN ('{State.IN_FLIGHT}', '{State.UNKNOWN}')
"""
_ERRORS = f"""
SELECT row FROM {{sends}} s WHERE run = %(run)s AND (state = '{State.FAILED}'
    OR state = '{State.UNKNOWN}' AND decision IS DISTINCT FROM '{Decision.RESEND}')
"""
# A message to a contact went to the phone that its answer told, whatever is the contact's number by now.
_RECENT_SENDS = f"""
SELECT {PHONE}, {CONTACT}, {TAKEN} FROM {SENDS} {NUMBER} {COUNTED}
WHERE s.run = %(run)s AND {life.may_have_arrived("s.")} AND ended >= %(since)s
    AND (m.phone IS NOT NULL OR m.contact IS NOT NULL)
ORDER BY ended
"""
# Whom another run had reached was reached all the same. What nobody saw the end of counts as learned just now.
_ARRIVED = f"""
SELECT m.row, {PHONE}, {CONTACT}, m.text, s.started_at,
    (s.state NOT IN ('{State.SENT}', '{State.SKIPPED}'))::integer
FROM {SENDS} {NUMBER}
WHERE s.run = %(run)s AND ({life.may_have_arrived("s.")} OR s.state = '{State.SKIPPED}' AND s.attempts > 0)
    AND (s.ended_at IS NULL OR s.ended_at >= %(since)s) AND (m.phone IS NOT NULL OR m.contact IS NOT NULL)
"""
# What another run had sent before, and this one skipped for that, has arrived as well.
_REACHED = f"""
WITH reached AS (SELECT DISTINCT m.phone, m.contact FROM {SENDS}
    WHERE s.run = %(run)s AND ({life.may_have_arrived("s.")} OR s.state = '{State.SKIPPED}'))
SELECT phone, contact FROM reached
UNION SELECT n.phone, NULL FROM reached JOIN number n ON n.run = %(run)s AND n.contact = reached.contact
"""
_CONTACTS = "SELECT DISTINCT contact FROM message WHERE run = %(run)s AND contact IS NOT NULL"


def results(reader: Reader, first: int, last: int | None) -> Iterator[ResultRow]:
    """What `Run.results` tells."""
    return with_who(reader.each(_RESULTS, first=first, last=_LAST_ROW if last is None else last), 2)


def planned(reader: Reader) -> Iterator[PlannedRow]:
    """What `Run.planned` tells."""
    return with_who(reader.each(_PLANNED), 2)


def to_mend(reader: Reader) -> Iterator[MendRow]:
    """What `Run.to_mend` tells."""
    return reader.each(_TO_MEND)


def messages_in_doubt(reader: Reader) -> Iterator[Message]:
    """What `Run.messages_in_doubt` tells."""
    return (Message(*each) for each in with_who(reader.each(_MESSAGES_IN_DOUBT)))


def errors(reader: Reader) -> Iterator[int]:
    """What `Run.errors` tells."""
    return (row for (row,) in reader.each(_ERRORS))


def recent_sends(reader: Reader, since_s: float, wall_s: float, skew_s: float) -> Iterator[RecentSend]:
    """What `Run.recent_sends` tells, by the clock of a machine that the database's is ahead of by ``skew_s``."""
    found = with_who(reader.each(_RECENT_SENDS, since=since_s + skew_s, now=wall_s + skew_s), 0)
    return (RecentSend._make((*sent, at - skew_s)) for *sent, at in found)


def arrived(reader: Reader, since_s: float, skew_s: float) -> Iterator[Arrived]:
    """What `Run.arrived` tells; see `recent_sends`."""
    found = with_who(reader.each(_ARRIVED, since=since_s + skew_s))
    return (Arrived._make((*sent, at - skew_s, in_doubt)) for *sent, at, in_doubt in found)


def reached(reader: Reader) -> Iterator[Recipient]:
    """What `Run.reached` tells."""
    return (who(phone, contact) for phone, contact in reader.each(_REACHED))


def numbers(reader: Reader) -> Iterator[tuple[ContactId, PhoneNumber]]:
    """What `Run.numbers` tells."""
    return reader.each("SELECT contact, phone FROM number WHERE run = %(run)s")


def contacts(reader: Reader) -> Iterator[ContactId]:
    """What `Run.contacts` tells."""
    return (contact for (contact,) in reader.each(_CONTACTS))
