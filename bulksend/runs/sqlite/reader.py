"""Reads a run file: where the run stands, what it costs, what became of each row; also while it is being sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import orjson

from bulksend.model import Doubtful, Encoding, PhoneNumber, Status
from bulksend.planning import CROWDS_MAX, PREVIEWS, Crowd, Group, Overview, Plan, Preview, Tally, summed
from bulksend.runs.sqlite.file import (
    IN_FLIGHT,
    TO_SEND,
    Owner,
    PlanFacts,
    connect,
    explained,
    first_unfinished,
    is_begun,
    read_counts,
    read_facts,
    read_findings,
)
from bulksend.sms import phones

_PENDING = f"m.row >= :first AND m.status = 'pending' AND {TO_SEND}"


class RunReport:
    """Reads a run file, also while another process writes it; never changes it."""

    def __init__(self, path: Path) -> None:
        """Open for reading.

        Raises:
            UsageError: there is no such file, or it is no run file of this version.
        """
        self.path = path
        self._db = connect(path)

    @property
    def facts(self) -> PlanFacts:
        """What the plan was made of."""
        with explained(self.path):
            return read_facts(self._db)

    @property
    def owner(self) -> Owner | None:
        """Who has it or had it last for sending; None if nobody yet."""
        with explained(self.path):
            found = self._db.execute("SELECT value FROM facts WHERE name = 'owner'").fetchone()
        return Owner(**orjson.loads(found[0])) if found else None

    @property
    def is_begun(self) -> bool:
        """Whether a message may have been accepted, so that the plan must not be replaced."""
        with explained(self.path):
            return is_begun(self._db)

    def plan(self, limit: int | None = None) -> Plan:
        """Sum up the plan, with what is still to be sent of it, or the first ``limit`` rows of that."""
        with explained(self.path):
            findings = read_findings(self._db)
        previews = self.previews(PREVIEWS if limit is None else min(limit, PREVIEWS))
        return Plan(self.facts.input_name, self.tally(), self.overview(limit), findings, previews)

    def overview(self, limit: int | None = None) -> Overview:
        """Sum up what is still to be sent, or the first ``limit`` rows of it."""
        until = f"""(SELECT coalesce(max(row), 0) FROM (SELECT m.row FROM messages m LEFT JOIN sends s ON s.row = m.row
                    WHERE {_PENDING} ORDER BY m.row LIMIT {limit}))"""
        within = "" if limit is None else f"AND {{}}.row <= {until}"
        groups = f"""SELECT CASE typeof(m.recipient) WHEN 'text' THEN substr(m.recipient, 1, 3) ELSE '' END AS start,
                     m.encoding, m.parts, count(*), sum(m.price), count(*) - count(m.price) FROM messages m
                     LEFT JOIN sends s ON s.row = m.row WHERE {_PENDING} {within.format("m")}
                     GROUP BY start, m.encoding, m.parts"""
        crowds = f"""SELECT r.recipient, count(*), sum(r.parts) AS parts FROM repeats r
                    LEFT JOIN sends s ON s.row = r.row
                    WHERE {TO_SEND} {within.format("r")}
                    GROUP BY r.recipient HAVING count(*) > 1 ORDER BY parts DESC, r.recipient LIMIT {CROWDS_MAX}"""
        with explained(self.path):
            first = {"first": first_unfinished(self._db)}
            found = [_group(*group) for group in self._db.execute(groups, first)]
            busiest = tuple(Crowd(*crowd) for crowd in self._db.execute(crowds, first if within else {}))
        return Overview(summed(found), busiest)

    def tally(self) -> Tally:
        """Count the rows by what became of them."""
        with explained(self.path):
            return _tally(self._db)

    @property
    def is_dedup_proven(self) -> bool:
        """Whether the server has shown that it knows clientDedup, so that rows in doubt can be repeated."""
        with explained(self.path):
            return self._db.execute("SELECT 1 FROM facts WHERE name = 'dedup proven'").fetchone() is not None

    def doubtful_prices(self) -> dict[int, int | None]:
        """The planned prices of the rows that may have been accepted."""
        with explained(self.path):
            return dict(
                self._db.execute(
                    "SELECT row, price FROM messages JOIN sends USING (row) WHERE state IN (?, 'unknown')", [IN_FLIGHT]
                )
            )

    def doubtful(self, limit: int | None = None) -> list[Doubtful]:
        """The rows that may have been accepted and were not left at that, in input order; those in flight are not."""
        keyed = f"{self.facts.campaign}-"
        sql = """SELECT m.row, m.recipient, m.text, s.doubt_since, s.started_at, coalesce(s.error, '') FROM sends s
                 JOIN messages m ON m.row = s.row WHERE s.state = 'unknown' AND s.doubt_since IS NOT NULL
                 ORDER BY m.row LIMIT ?"""
        with explained(self.path):
            found = self._db.execute(sql, [-1 if limit is None else limit]).fetchall()
        return [
            Doubtful(row, recipient, text, f"{keyed}{row}", since, until, error)
            for row, recipient, text, since, until, error in found
        ]

    def message_ids(self, since: float) -> set[str]:
        """The messageIds of what was sent at ``since`` or later."""
        with explained(self.path):
            found = self._db.execute(
                "SELECT json_extract(answer, '$[0]') FROM sends WHERE answer IS NOT NULL AND ended_at >= ?", [since]
            )
            return {message_id for (message_id,) in found}

    def dearest_message(self) -> int | None:
        """The highest price of a message, planned or charged; None if none is known."""
        with explained(self.path):
            (price,) = self._db.execute(
                "SELECT max(price) FROM (SELECT price FROM messages UNION ALL SELECT charged FROM sends)"
            ).fetchone()
        return None if price is None else int(price)

    def errors(self, status: Status, limit: int) -> list[tuple[str, int, int]]:
        """The commonest errors of a status: (sentence, rows, first row)."""
        sql = """SELECT coalesce(s.error, m.error) AS said, count(*) AS n, min(m.row) FROM messages m
                 LEFT JOIN sends s ON s.row = m.row
                 WHERE CASE WHEN s.state = ? THEN 'unknown' ELSE coalesce(s.state, m.status) END = ?
                 GROUP BY said ORDER BY n DESC, min(m.row) LIMIT ?"""
        with explained(self.path):
            found = self._db.execute(sql, [IN_FLIGHT, status, limit]).fetchall()
        return [(said or "its outcome was not noted yet", rows, first) for said, rows, first in found]

    def results(self) -> Iterator[tuple[Any, ...]]:
        """All rows in input order, as `bulksend.reports.results` wants them."""
        sql = """SELECT m.row, coalesce(s.state, m.status), m.recipient, s.answer, coalesce(s.error, m.error),
                 s.http_status, coalesce(s.attempts, 0), s.started_at, m.cells
                 FROM messages m LEFT JOIN sends s ON s.row = m.row ORDER BY m.row"""
        with explained(self.path):
            yield from self._db.execute(sql)

    def planned(self) -> Iterator[tuple[Any, ...]]:
        """What the plan says of all rows in input order, as `bulksend.reports.results` wants them."""
        with explained(self.path):
            yield from self._db.execute(
                "SELECT row, status, recipient, encoding, parts, price, error, cells FROM messages ORDER BY row"
            )

    def previews(self, limit: int) -> tuple[Preview, ...]:
        """The first messages still to be sent."""
        sql = f"""SELECT m.row, m.recipient, m.sender, m.text FROM messages m LEFT JOIN sends s ON s.row = m.row
                  WHERE {_PENDING} ORDER BY m.row LIMIT :limit"""
        with explained(self.path):
            found = self._db.execute(sql, {"first": first_unfinished(self._db), "limit": limit}).fetchall()
        return tuple(Preview.of(row, to, sender, text) for row, to, sender, text in found)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _group(start: str, encoding: str, parts: int, rows: int, price: int | None, unpriced: int) -> Group:
    """A group, by the first three digits of its numbers: no dialing code is the beginning of another."""
    code = phones.dialing_code(PhoneNumber(start)) if start else ""
    return Group(code, Encoding(encoding), parts, rows, price or 0, unpriced)


def _tally(db: sqlite3.Connection) -> Tally:
    # One transaction, so that both counts are of the same moment.
    db.execute("BEGIN")
    try:
        planned = read_counts(db)
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
        statuses[Status.UNKNOWN if state == IN_FLIGHT else Status(state)] += count
    return Tally(statuses, others.get(IN_FLIGHT, 0), attempts, charged)
