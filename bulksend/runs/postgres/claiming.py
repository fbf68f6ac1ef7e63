"""The rows of a run that are to be sent, of the own shards: the SQL, inside the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bulksend.model import Queued, Recipient
from bulksend.runs.postgres.columns import NUMBER, who
from bulksend.runs.postgres.connecting import array
from bulksend.runs.postgres.past import MINE, TO_SEND, UNTRIED, slots
from bulksend.runs.postgres.reader import Reader

_QUEUED = "m.row, coalesce(n.phone, m.phone), m.contact, {slots}"
_CLAIM = f"""
SELECT {_QUEUED} FROM message m
LEFT JOIN send s ON s.run = m.run AND s.row = m.row AND s.row > %(after)s {NUMBER}
WHERE m.run = %(run)s AND m.row > %(after)s AND m.row <= %(until)s AND m.status = 'pending'
    AND {TO_SEND} AND {UNTRIED} AND {MINE}
ORDER BY m.row LIMIT %(limit)s
"""
_AMONG = f"""
SELECT {_QUEUED} FROM message m LEFT JOIN send s ON s.run = m.run AND s.row = m.row {NUMBER}
WHERE m.run = %(run)s AND m.row = ANY(%(rows)s::bigint[]) AND m.row <= %(until)s AND m.status = 'pending'
    AND {TO_SEND} AND {UNTRIED} AND {MINE}
ORDER BY m.row
"""
_TOTALS = f"""
SELECT m.phone, m.contact, n.phone, sum({{slots}})::bigint FROM repeat m {NUMBER}
WHERE m.run = %(run)s GROUP BY m.phone, m.contact, n.phone
"""
_CROWDED = f"""
SELECT {_QUEUED} FROM repeat r JOIN message m ON m.run = r.run AND m.row = r.row
LEFT JOIN send s ON s.run = m.run AND s.row = m.row {NUMBER}
WHERE r.run = %(run)s AND (r.phone = ANY(%(phones)s::text[]) OR r.contact = ANY(%(contacts)s::bigint[]))
    AND m.row <= %(until)s AND {TO_SEND} AND {UNTRIED} AND {MINE} ORDER BY m.contact, m.phone, m.row
"""


def claim(of: Reader, mine: Mapping[str, Any], after: int, limit: int, *, by_parts: bool) -> list[Queued]:
    """What `Journal.claim` tells.

    Args:
        of: the run.
        mine: what is held of it, and which rows are sent, as the statements know it.
        after: see `Journal.claim`.
        limit: the same.
        by_parts: whether a message counts its parts against a cap, or one.
    """
    return _queued(of.all(_CLAIM.format(slots=slots(by_parts=by_parts)), after=after, limit=limit, **mine))


def among(of: Reader, mine: Mapping[str, Any], rows: Iterable[int], *, by_parts: bool) -> list[Queued]:
    """Those of some rows that are to be sent; see `claim`."""
    return _queued(of.all(_AMONG.format(slots=slots(by_parts=by_parts)), rows=array(rows), **mine))


def crowded(
    of: Reader, mine: Mapping[str, Any], is_crowded: Callable[[Recipient, int], bool], *, by_parts: bool
) -> list[Queued]:  # fmt: skip
    """What `Journal.crowded` tells: a phone's rows are counted together, however they name it, as far as that is known.

    See `claim`.
    """
    counted = slots(by_parts=by_parts)
    totals: defaultdict[Recipient, int] = defaultdict(int)
    names: defaultdict[Recipient, list[Recipient]] = defaultdict(list)
    for phone, contact, known, total in of.all(_TOTALS.format(slots=counted)):
        recipient = who(known or phone, contact)
        totals[recipient] += total
        names[recipient].append(who(phone, contact))
    crowds = [name for each, total in totals.items() if is_crowded(each, total) for name in names[each]]
    if not crowds:
        return []
    phones, contacts = ([each for each in crowds if isinstance(each, kind)] for kind in (str, int))
    return _queued(of.all(_CROWDED.format(slots=counted), phones=phones, contacts=contacts, **mine))


def _queued(found: Iterable[Any]) -> list[Queued]:
    return [Queued(row, who(phone, contact), count) for row, phone, contact, count in found]
