"""Reads a run file: where the run stands, what it costs, what became of each row; also while it is being sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import orjson

from bulksend.model import ContactId, Doubtful, Encoding, PhoneNumber, Status
from bulksend.planning.overview import CROWDS_MAX, PREVIEWS, Crowd, Group, Overview, Plan, Preview, Tally, summed
from bulksend.runs.facts import Facts, Owner
from bulksend.runs.paths import state_path
from bulksend.runs.sqlite import charges, departures, kept, life
from bulksend.runs.sqlite.schema import connect, explained, show
from bulksend.runs.states import State
from bulksend.runs.store import Charge, Complaint, PlannedRow, RecentSend, ResultRow
from bulksend.sms import phones
from bulksend.sms.rates.learning import Observed

PENDING = f"m.row >= :first AND m.status = 'pending' AND (s.row IS NULL OR {life.is_to_send('s.')})"
"""Of ``messages m`` left-joined with ``sends s``: it is still to be sent."""
NUMBER = "LEFT JOIN numbers n ON typeof({0}.recipient) = 'integer' AND n.contact = {0}.recipient"
"""A contact's number, where it is known; TEXT and INTEGER must not meet, or a number could pass for a contact's id."""

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
_NTH_PENDING = f"""
SELECT m.row FROM messages m LEFT JOIN sends s ON s.row = m.row WHERE {PENDING} ORDER BY m.row LIMIT 1 OFFSET :before
"""
_COMPLAINTS = """
SELECT coalesce(s.error, m.error, '') AS said, count(*) AS n, min(m.row) FROM messages m
LEFT JOIN sends s ON s.row = m.row WHERE coalesce(s.state, m.status) = ?
GROUP BY said ORDER BY n DESC, min(m.row) LIMIT ?
"""
_IN_DOUBT = f"""
SELECT m.row, m.recipient, m.text, s.doubt_since, s.started_at, coalesce(s.error, '') FROM sends s
JOIN messages m ON m.row = s.row WHERE {life.is_unsettled("s.")} ORDER BY m.row LIMIT ?
"""
_RESULTS = """
SELECT m.row, coalesce(s.state, m.status), m.recipient, s.answer, coalesce(s.error, m.error), s.http_status,
    coalesce(s.attempts, 0), s.started_at, m.cells
FROM messages m LEFT JOIN sends s ON s.row = m.row ORDER BY m.row
"""
# Of a row in doubt only the last attempt's time is kept: its earlier ones are counted as if they had been as late. An
# attempt whose end nobody saw may have left at the last moment, for its intent may have waited: it ends now.
_RECENT_SENDS = f"""
SELECT coalesce(n.number, m.recipient) AS who,
    m.parts * CASE WHEN s.doubt_since IS NULL THEN 1 ELSE s.attempts END AS parts,
    CASE WHEN s.doubt_since IS NULL THEN 1 ELSE s.attempts END AS messages,
    coalesce(s.ended_at, :now) AS ended
FROM sends s JOIN messages m ON m.row = s.row {NUMBER.format("m")}
WHERE {life.may_have_arrived("s.")} AND ended >= :since ORDER BY ended
"""

LAST_ROW = 2**62


class SqliteRun:
    """A run in a file, open for reading; see `bulksend.runs.store.Run`."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self.path = path
        self._db = db

    @classmethod
    def open(cls, path: Path) -> SqliteRun:
        """Open a run file for reading; nothing is written to it.

        Raises:
            UsageError: there is no such file, or it is no run file, or of a newer version.
            RunFileError: it cannot be read.
        """
        db, version = connect(path)
        try:
            with explained(path):
                owner = kept.owner(db)
                gone = kept.epoch(db) if owner is None or owner.is_gone else None
                show(db, version, gone=gone, left_to=None if gone is None else left_to(db))
            return cls(path, db)
        except BaseException:
            db.close()
            raise

    @property
    def place(self) -> str:
        """See `Run.place`."""
        return str(self.path)

    @property
    def facts(self) -> Facts:
        """See `Run.facts`."""
        with explained(self.path):
            return kept.plan(self._db)

    @property
    def owner(self) -> Owner | None:
        """See `Run.owner`."""
        with explained(self.path):
            return kept.owner(self._db)

    @property
    def has_begun(self) -> bool:
        """See `Run.has_begun`."""
        with explained(self.path):
            return kept.has_begun(self._db)

    @property
    def is_dedup_proven(self) -> bool:
        """See `Run.is_dedup_proven`."""
        with explained(self.path):
            return kept.is_dedup_proven(self._db)

    def plan(self, limit: int | None = None) -> Plan:
        """See `Run.plan`."""
        with explained(self.path):
            findings = kept.findings(self._db)
        previews = self._previews(PREVIEWS if limit is None else min(limit, PREVIEWS))
        return Plan(self.facts.input_name, self.tally(), self.overview(limit), findings, previews)

    def overview(self, limit: int | None = None) -> Overview:
        """See `Run.overview`."""
        with explained(self.path):
            within = {"first": kept.first_unfinished(self._db), "until": until(self._db, limit)}
            found = [_group(*group) for group in self._db.execute(_GROUPS, within)]
            busiest = tuple(Crowd(*crowd) for crowd in self._db.execute(_CROWDS, within))
        return Overview(summed(found), busiest)

    def tally(self) -> Tally:
        """See `Run.tally`."""
        with explained(self.path):
            return _tally(self._db)

    def complaints(self, status: Status, limit: int) -> list[Complaint]:
        """See `Run.complaints`."""
        with explained(self.path):
            return list(map(Complaint._make, self._db.execute(_COMPLAINTS, [status, limit])))

    def in_doubt(self, limit: int | None = None) -> list[Doubtful]:
        """See `Run.in_doubt`."""
        keyed = f"{self.facts.campaign}-"
        with explained(self.path):
            found = self._db.execute(_IN_DOUBT, [-1 if limit is None else limit]).fetchall()
        return [
            Doubtful(row, recipient, text, f"{keyed}{row}", since, until, error)
            for row, recipient, text, since, until, error in found
        ]

    def prices_in_doubt(self) -> dict[int, int | None]:
        """See `Run.prices_in_doubt`."""
        held = f"state IN ('{State.IN_FLIGHT}', '{State.UNKNOWN}')"
        with explained(self.path):
            return dict(self._db.execute(f"SELECT row, price FROM messages JOIN sends USING (row) WHERE {held}"))

    def message_ids(self, since_s: float) -> set[str]:
        """See `Run.message_ids`."""
        sql = "SELECT json_extract(answer, '$.messageId') FROM sends WHERE answer IS NOT NULL AND ended_at >= ?"
        with explained(self.path):
            return {message_id for (message_id,) in self._db.execute(sql, [since_s])}

    def dearest_message(self) -> int | None:
        """See `Run.dearest_message`."""
        sql = "SELECT max(price) FROM (SELECT price FROM messages UNION ALL SELECT charged FROM sends)"
        with explained(self.path):
            (price,) = self._db.execute(sql).fetchone()
        return None if price is None else int(price)

    def recent_sends(self, since_s: float, wall_s: float) -> Iterator[RecentSend]:
        """See `Run.recent_sends`."""
        with explained(self.path):
            yield from map(RecentSend._make, self._db.execute(_RECENT_SENDS, {"since": since_s, "now": wall_s}))

    def numbers(self) -> Iterator[tuple[ContactId, PhoneNumber]]:
        """See `Run.numbers`."""
        with explained(self.path):
            yield from self._db.execute("SELECT contact, number FROM numbers")

    def contacts(self) -> Iterator[ContactId]:
        """See `Run.contacts`."""
        sql = "SELECT DISTINCT recipient FROM messages WHERE typeof(recipient) = 'integer'"
        with explained(self.path):
            for (contact,) in self._db.execute(sql):
                yield ContactId(contact)

    def results(self) -> Iterator[ResultRow]:
        """See `Run.results`."""
        with explained(self.path):
            for row, state, recipient, said, *rest in self._db.execute(_RESULTS):
                yield (row, state, recipient, orjson.loads(said) if said else None, *rest)

    def planned(self) -> Iterator[PlannedRow]:
        """See `Run.planned`."""
        sql = "SELECT row, status, recipient, encoding, parts, price, error, cells FROM messages ORDER BY row"
        with explained(self.path):
            yield from self._db.execute(sql)

    def charges(self) -> list[Charge]:
        """See `Run.charges`."""
        with explained(self.path):
            return charges.by_code(self._db)

    def observed_rates(self) -> Iterator[Observed]:
        """See `Run.observed_rates`."""
        with explained(self.path):
            yield from charges.observed(self._db)

    def last_charged_at(self) -> float | None:
        """See `Run.last_charged_at`."""
        with explained(self.path):
            return charges.last_at(self._db)

    def close(self) -> None:
        """See `Run.close`."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _previews(self, limit: int) -> tuple[Preview, ...]:
        with explained(self.path):
            which = {"first": kept.first_unfinished(self._db), "limit": limit}
            return tuple(Preview.of(*found) for found in self._db.execute(_PREVIEWS, which))


def until(db: sqlite3.Connection, limit: int | None) -> int:
    """The last row of the first ``limit`` that are still to be sent."""
    if limit is None:
        return LAST_ROW
    which = {"first": kept.first_unfinished(db), "before": limit - 1}
    found = db.execute(_NTH_PENDING, which).fetchone()
    return int(found[0]) if found else LAST_ROW


def recent_sends(db: sqlite3.Connection, since_s: float, wall_s: float) -> list[Any]:
    """What `Run.recent_sends` tells, inside the caller's transaction."""
    return db.execute(_RECENT_SENDS, {"since": since_s, "now": wall_s}).fetchall()


def left_to(db: sqlite3.Connection) -> int | None:
    """The last ticket of the run's last owner that may have left; None if nobody knows."""
    token = kept.token(db)
    return None if token is None else departures.left_to(departures_of(db), token)


def departures_of(db: sqlite3.Connection) -> Path:
    """Where the mark lies of how far a run's intents have left."""
    return state_path() / "departures" / kept.plan(db).plan_id


def _group(start: str, encoding: str, parts: int, rows: int, price: int | None, unpriced: int) -> Group:
    """A group, by the first three digits of its numbers: no dialing code is the beginning of another."""
    code = phones.dialing_code(PhoneNumber(start)) if start else ""
    return Group(code, Encoding(encoding), parts, rows, price or 0, unpriced)


def _tally(db: sqlite3.Connection) -> Tally:
    # One transaction, so that both counts are of the same moment.
    db.execute("BEGIN")
    try:
        planned = kept.counts(db)
        rows, attempts, charged = db.execute(
            "SELECT count(*), coalesce(sum(attempts), 0), coalesce(sum(charged), 0) FROM sends"
        ).fetchone()
        # Grouping sorts: most of many rows are sent, and need not be.
        others = dict(db.execute("SELECT state, count(*) FROM sends WHERE state <> 'sent' GROUP BY state").fetchall())
    finally:
        db.execute("ROLLBACK")
    statuses = dict.fromkeys(Status, 0) | planned
    statuses[Status.PENDING] -= rows
    statuses[Status.SENT] += rows - sum(others.values())
    for state, count in others.items():
        if status := State(state).status:
            statuses[status] += count
    return Tally(statuses, others.get(State.IN_FLIGHT, 0), attempts, charged)
