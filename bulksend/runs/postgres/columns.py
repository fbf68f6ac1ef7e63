"""What several statements ask alike: of ``message m``, ``send s`` and ``number n``, inside one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bulksend.model import Event
from bulksend.runs import life

_PARTS_MAX = 255  # as many as a concatenated SMS can have (3GPP TS 23.040)

WITH_SENDS = "message m LEFT JOIN {sends} s ON s.run = m.run AND s.row = m.row"
"""All messages, with what became of them."""
SENDS = "{sends} s JOIN message m ON m.run = s.run AND m.row = s.row"
"""Those of which anything became."""
NUMBER = "LEFT JOIN number n ON n.run = m.run AND n.contact = m.contact"
"""A contact's number, where it is known."""
TOLD_NUMBER = """CASE WHEN m.contact IS NOT NULL AND ltrim(s.answer->>'to', '+') ~ '^[0-9]+$'
    THEN ltrim(s.answer->>'to', '+') END"""
"""The number that the answer told of a contact."""
PHONE = f"coalesce(m.phone, {TOLD_NUMBER}, n.phone)"
"""The phone that a message went to; NULL for a contact as long as nobody knows."""
CONTACT = f"CASE WHEN {PHONE} IS NULL THEN m.contact END"
"""The contact, where its phone is not known."""
COUNTED_PARTS = "least(greatest((s.answer->>'estimateParts')::numeric, 0), 32767)::integer"
"""The parts as the API counted them, within what can be reckoned with whatever it said; NULL if it said nothing."""

COUNTED = """CROSS JOIN LATERAL (
    SELECT CASE WHEN s.doubt_since IS NULL THEN 1 ELSE s.attempts END AS times,
        least(coalesce(s.ended_at, %(now)s::float8), %(now)s::float8) AS ended) counted"""
"""How often a send may have arrived, and when the last time, at the latest.

Of a row in doubt only the last attempt's time is kept: its earlier ones are counted as if they had been as late. An
attempt whose end nobody saw may have left at the last moment, for its intent may have waited: it ends now.
"""
TAKEN = f"""greatest(m.parts, least(coalesce({COUNTED_PARTS}, 0), {_PARTS_MAX})) * times AS parts,
    times AS messages, ended"""
"""What of a phone's cap that takes, and when it ended; parts as the API counted them, if these are more."""

CUTS_OFF = f"""UPDATE send SET {life.after(Event.CUT_OFF)}, error = '{life.CUT_OFF}',
    ended_at = extract(epoch FROM clock_timestamp())"""
"""Puts in doubt what was under way, of which nobody will hear the end any more; which rows, the statement says."""


def who(phone: str | None, contact: int | None) -> Any:
    """Whom something goes to, of the two columns in which that stands; None where neither tells."""
    return contact if phone is None else phone


def with_who(rows: Iterable[Any], place: int = 1) -> Iterator[Any]:
    """Rows whose recipient stands in two columns, from this place on: each with the recipient in one."""
    for row in rows:
        yield *row[:place], who(row[place], row[place + 1]), *row[place + 2 :]
