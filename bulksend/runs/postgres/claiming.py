"""The rows of a run that are to be sent, of the own shards: the SQL, inside the caller's transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bulksend.model import Queued, Recipient
from bulksend.runs.postgres.columns import NUMBER, who
from bulksend.runs.postgres.connecting import array
from bulksend.runs.postgres.past import MINE, TO_SEND, UNTRIED, slots
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.schema import SHARDS

_QUEUED = "m.row, coalesce(n.phone, m.phone), m.contact, {slots}"
# Shard by shard in the order of an index, as few rows as are needed, whatever the database knows of its tables: OFFSET
# keeps it from joining all of them first.
_CLAIM = f"""
SELECT m.shard, {_QUEUED} FROM unnest(%(nos)s::smallint[]) AS mine (no) CROSS JOIN LATERAL (
    SELECT m.* FROM message m
    LEFT JOIN LATERAL (SELECT * FROM send WHERE send.run = m.run AND send.row = m.row OFFSET 0) s ON true
    WHERE m.run = %(run)s AND m.shard = mine.no AND m.row > %(after)s AND m.row <= %(until)s AND m.status = 'pending'
        AND {TO_SEND} AND {UNTRIED}
    ORDER BY m.row LIMIT %(each)s
) m {NUMBER} ORDER BY m.row
"""
_ALL = array(range(SHARDS))
_UNEVEN = 16  # more rows of a shard than its share, for its rows do not come evenly
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
    nos = _ALL if mine["nos"] is None else mine["nos"]
    each = min(limit, limit // (nos.count(",") + 1) + _UNEVEN)
    which = {**mine, "nos": nos, "after": after, "each": each}
    found = of.all(_CLAIM.format(slots=slots(by_parts=by_parts)), **which)
    return _queued(row for _, *row in found[: min(limit, _whole(found, each))])


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


def _whole(found: Sequence[Any], each: int) -> int:
    """Of rows in order, as many of each shard at most, so many have none between them that was not found."""
    counts: Counter[int] = Counter()
    for place, (shard, *_) in enumerate(found, 1):
        counts[shard] += 1
        if counts[shard] == each:
            return place
    return len(found)


def _queued(found: Iterable[Any]) -> list[Queued]:
    return [Queued(row, who(phone, contact), count) for row, phone, contact, count in found]
