"""What a run file comes to; SQLite sums it up, so that any run fits in memory. See `bulksend.runs.figures`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bulksend.model import Encoding, Status
from bulksend.runs import life, sums
from bulksend.runs.figures import Complained, Crowded, Crowding, NotSent, Size, Slice, Stretch
from bulksend.runs.sqlite import reasons
from bulksend.runs.sqlite.schema import explained
from bulksend.runs.states import State

_ENDED = "coalesce(ended_at, started_at)"
# Of each row only the last attempt's times are kept.
_MINUTES = f"""
SELECT min(started_at), max({_ENDED}), sum(state = '{State.SENT}') FROM sends WHERE attempts > 0
GROUP BY CAST({_ENDED} / 60 AS INTEGER) ORDER BY CAST({_ENDED} / 60 AS INTEGER)
"""
# Waits of about the same length are counted together, so that few groups come of any number of rows.
_WAIT = "max(ended_at - started_at, 0)"
_SLICES = f"""
SELECT CAST(ended_at / :width AS INTEGER) AS slice,
    CASE WHEN http_status IS NULL THEN NULL WHEN {_WAIT} < 0.2 THEN round({_WAIT}, 3)
    WHEN {_WAIT} < 2 THEN round({_WAIT} * 50) / 50 ELSE round(min({_WAIT}, 120) * 4) / 4 END AS wait,
    count(*), sum(state = '{State.SENT}')
FROM sends WHERE attempts > 0 AND ended_at IS NOT NULL GROUP BY slice, wait ORDER BY slice, wait
"""
_SIZES = f"""
SELECT m.encoding, m.parts, count(*), count(s.row) FROM messages m
LEFT JOIN sends s ON s.row = m.row AND s.state = '{State.SENT}'
WHERE m.status = '{Status.PENDING}' GROUP BY m.encoding, m.parts
"""
_CAPPED = "(typeof({0}recipient) = 'integer' OR {0}recipient LIKE :prefix || '%')"
_CROWDED = f"""
SELECT recipient FROM repeats WHERE {_CAPPED.format("")} GROUP BY recipient HAVING sum(parts) > :at_once
"""
_CROWDING = f"""
SELECT count(*), coalesce(sum(parts - :at_once), 0) FROM (
    SELECT sum(parts) AS parts FROM repeats WHERE {_CAPPED.format("")} GROUP BY recipient
    HAVING sum(parts) > :at_once)
"""
_MOST = f"""
SELECT r.recipient, count(*), sum(r.parts) AS parts, coalesce(sum(s.state = '{State.SENT}'), 0), min(s.started_at),
    max({_ENDED})
FROM repeats r LEFT JOIN sends s ON s.row = r.row AND s.attempts > 0
WHERE {_CAPPED.format("r.")} GROUP BY r.recipient HAVING sum(r.parts) > :at_once
ORDER BY parts DESC, r.recipient LIMIT :limit
"""
_OTHERS_UNTIL = f"""
SELECT max({_ENDED}) FROM sends WHERE attempts > 0
    AND row NOT IN (SELECT row FROM repeats WHERE recipient IN ({_CROWDED}))
"""
_COMPLAINED = f"""
SELECT m.row, m.recipient FROM messages m LEFT JOIN sends s ON s.row = m.row
WHERE m.row >= :first AND {life.told("s.", "m.status")} = :status AND coalesce(s.error, m.error, '') = :says
ORDER BY m.row LIMIT :limit
"""


class SqliteFigures:
    """What a run in a file comes to; see `bulksend.runs.figures.Figures`."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path = path
        self._db = db

    def stretches(self) -> list[Stretch]:
        """See `Figures.stretches`."""
        with explained(self._path):
            return sums.stretches(self._db.execute(_MINUTES))

    def slices(self, width_s: float) -> list[Slice]:
        """See `Figures.slices`."""
        with explained(self._path):
            return sums.slices(width_s, self._db.execute(_SLICES, {"width": width_s}))

    def sizes(self) -> list[Size]:
        """See `Figures.sizes`."""
        with explained(self._path):
            return [Size(Encoding(encoding), *counts) for encoding, *counts in self._db.execute(_SIZES)]

    def crowding(self, prefix: str, at_once: int, limit: int) -> Crowding:
        """See `Figures.crowding`."""
        which = {"prefix": prefix, "at_once": at_once, "limit": limit}
        with explained(self._path):
            phones, waiting = self._db.execute(_CROWDING, which).fetchone()
            if not phones:
                return Crowding(0, 0, (), None)
            most = tuple(map(Crowded._make, self._db.execute(_MOST, which)))
            return Crowding(phones, waiting, most, self._db.execute(_OTHERS_UNTIL, which).fetchone()[0])

    def complained(self, status: Status, says: str, first: int, limit: int) -> list[Complained]:
        """See `Figures.complained`."""
        which = {"status": status, "says": says, "first": first, "limit": limit}
        with explained(self._path):
            return list(map(Complained._make, self._db.execute(_COMPLAINED, which)))

    def pending(self, limit: int) -> list[int]:
        """See `Figures.pending`."""
        with explained(self._path):
            return reasons.pending(self._db, limit)

    def not_sent(self, limit: int, examples: int) -> list[NotSent]:
        """See `Figures.not_sent`."""
        with explained(self._path):
            return reasons.not_sent(self._db, limit, examples)
