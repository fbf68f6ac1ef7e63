"""What a run in a database comes to; PostgreSQL sums it up. See `bulksend.runs.figures`."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.model import Encoding, Status
from bulksend.runs import life, sums
from bulksend.runs.figures import Complained, Crowded, Crowding, NotSent, Size, Slice, Stretch
from bulksend.runs.postgres import whole
from bulksend.runs.postgres.columns import WITH_SENDS, with_who
from bulksend.runs.postgres.queries import first_unfinished
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State

_ENDED = "coalesce(s.ended_at, s.started_at)"
# Of each row only the last attempt's times are kept.
_MINUTES = f"""
SELECT min(s.started_at), max({_ENDED}), count(*) FILTER (WHERE s.state = '{State.SENT}') FROM {{sends}} s
WHERE s.run = %(run)s AND s.attempts > 0 GROUP BY floor({_ENDED} / 60) ORDER BY floor({_ENDED} / 60)
"""
# Waits of about the same length are counted together, so that few groups come of any number of rows.
_SLICES = f"""
SELECT floor(ended_at / %(width)s::float8)::bigint AS slice,
    CASE WHEN http_status IS NULL THEN NULL WHEN wait < 0.2 THEN round(wait::numeric, 3)::float8
    WHEN wait < 2 THEN floor(wait * 50 + 0.5) / 50 ELSE floor(least(wait, 120) * 4 + 0.5) / 4 END AS about,
    count(*), count(*) FILTER (WHERE state = '{State.SENT}')
FROM {{sends}} s CROSS JOIN LATERAL (SELECT greatest(ended_at - started_at, 0) AS wait) waited
WHERE run = %(run)s AND attempts > 0 AND ended_at IS NOT NULL GROUP BY slice, about ORDER BY slice, about
"""
_SIZES = f"""
SELECT m.encoding, m.parts, count(*), count(s.row) FROM message m
LEFT JOIN {{sends}} s ON s.run = m.run AND s.row = m.row AND s.state = '{State.SENT}'
WHERE m.run = %(run)s AND m.status = '{Status.PENDING}' GROUP BY m.encoding, m.parts ORDER BY m.encoding, m.parts
"""
_CAPPED = "r.run = %(run)s AND (r.contact IS NOT NULL OR starts_with(r.phone, %(prefix)s))"
_CROWDED = f"""
SELECT r.phone, r.contact, sum(r.parts) AS parts FROM repeat r WHERE {_CAPPED} GROUP BY r.phone, r.contact
HAVING sum(r.parts) > %(at_once)s
"""
_CROWDING = f"SELECT count(*), coalesce(sum(parts - %(at_once)s), 0)::bigint FROM ({_CROWDED}) crowded"
_MOST = f"""
SELECT r.phone, r.contact, count(*), sum(r.parts) AS parts, count(*) FILTER (WHERE s.state = '{State.SENT}'),
    min(s.started_at), max({_ENDED})
FROM repeat r LEFT JOIN {{sends}} s ON s.run = r.run AND s.row = r.row AND s.attempts > 0
WHERE {_CAPPED} GROUP BY r.phone, r.contact HAVING sum(r.parts) > %(at_once)s
ORDER BY parts DESC, r.contact, r.phone LIMIT %(limit)s
"""
_OTHERS_UNTIL = f"""
SELECT max({_ENDED}) FROM {{sends}} s WHERE s.run = %(run)s AND s.attempts > 0 AND NOT EXISTS (
    SELECT FROM repeat r JOIN ({_CROWDED}) crowded
        ON r.phone = crowded.phone OR r.contact = crowded.contact
    WHERE r.run = s.run AND r.row = s.row)
"""
_COMPLAINED = f"""
SELECT m.row, m.phone, m.contact FROM {WITH_SENDS}
WHERE m.run = %(run)s AND m.row >= %(first)s AND {life.told("s.", "m.status")} = %(status)s
    AND coalesce(s.error, m.error, '') = %(says)s
ORDER BY m.row LIMIT %(limit)s
"""
_PENDING = f"""
SELECT m.row FROM {WITH_SENDS} WHERE m.run = %(run)s AND m.row >= %(first)s AND m.status = '{Status.PENDING}'
    AND (s.row IS NULL OR s.state = '{State.PENDING}') ORDER BY m.row LIMIT %(limit)s
"""
# Why rows were not sent is asked of those rows alone, for most of millions were.
_SAID = "coalesce(error, '')"
_COMMONEST = f"""
SELECT status, says, rows, first FROM (
    SELECT *, row_number() OVER (PARTITION BY status ORDER BY rows DESC, first) AS place FROM (
        SELECT {life.told("", "''")} AS status, {_SAID} AS says, count(*) AS rows, min(row) AS first
        FROM {{sends}} s WHERE run = %(run)s AND {life.is_not_sent()} GROUP BY 1, 2) reasons) places
WHERE place <= %(limit)s
"""
_FIRST = f"""
SELECT row FROM {{sends}} s WHERE run = %(run)s AND {life.is_not_sent()} AND row >= %(first)s
    AND {life.told("", "''")} = %(status)s AND {_SAID} = %(says)s ORDER BY row LIMIT %(limit)s
"""


class PostgresFigures:
    """What a run in a database comes to; see `bulksend.runs.figures.Figures`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def stretches(self) -> list[Stretch]:
        """See `Figures.stretches`."""
        return sums.stretches(self._reader.all(_MINUTES))

    def slices(self, width_s: float) -> list[Slice]:
        """See `Figures.slices`."""
        return sums.slices(width_s, self._reader.all(_SLICES, width=width_s))

    def sizes(self) -> list[Size]:
        """See `Figures.sizes`."""
        return [Size(Encoding(encoding), *counts) for encoding, *counts in self._reader.all(_SIZES)]

    def crowding(self, prefix: str, at_once: int, limit: int) -> Crowding:
        """See `Figures.crowding`."""
        which = {"prefix": prefix, "at_once": at_once}
        with self._reader.snapshot():
            phones, waiting = self._reader.first(_CROWDING, **which)
            if not phones:
                return Crowding(0, 0, (), None)
            most = self._reader.all(_MOST, limit=limit, **which)
            (others_until_s,) = self._reader.first(_OTHERS_UNTIL, **which)
        return Crowding(phones, waiting, tuple(map(Crowded._make, with_who(most, 0))), others_until_s)

    def complained(self, status: Status, says: str, first: int, limit: int) -> list[Complained]:
        """See `Figures.complained`."""
        found = self._reader.all(_COMPLAINED, status=status, says=says, first=first, limit=limit)
        return list(map(Complained._make, with_who(found)))

    def pending(self, limit: int) -> list[int]:
        """See `Figures.pending`."""
        found = self._reader.all(_PENDING, first=first_unfinished(self._reader), limit=limit)
        return [row for (row,) in found]

    def not_sent(self, limit: int, examples: int) -> list[NotSent]:
        """See `Figures.not_sent`."""
        with self._reader.snapshot():
            tried = list(self._tried(limit, examples))
            return sums.not_sent(tried, whole.of(self._reader).findings, limit, examples)

    def _tried(self, limit: int, examples: int) -> Iterator[NotSent]:
        for status, says, rows, first in self._reader.all(_COMMONEST, limit=limit):
            which = {"status": status, "says": says, "first": first, "limit": min(rows, examples)}
            yield NotSent(Status(status), says, rows, tuple(row for (row,) in self._reader.all(_FIRST, **which)))
