"""A run in a file, for reading: where it stands, what it costs, what became of each row; also while it is sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Self

from bulksend.model import ContactId, Message, PhoneNumber, Recipient, RowInDoubt, Status
from bulksend.planning import PREVIEWS, Lines, Overview, Plan, Tally, extremes
from bulksend.runs.ends import Purge, Spell
from bulksend.runs.facts import Facts
from bulksend.runs.owner import Owner
from bulksend.runs.sqlite import charges, kept, mending, purging, queries, telling, unsent
from bulksend.runs.sqlite.figures import SqliteFigures
from bulksend.runs.sqlite.receipts import SqliteReceipts
from bulksend.runs.sqlite.schema import connect, explained, show
from bulksend.runs.sqlite.times import SqliteTimes
from bulksend.runs.sqlite.wholeness import check_whole, epoch_gone, left_to
from bulksend.runs.states import State
from bulksend.runs.telling import Arrived, Charge, Complaint, MendRow, PlannedRow, RecentSend, ResultRow, RowTold, Span
from bulksend.sms import Observed


class SqliteRun:
    """A run in a file, open for reading; see `bulksend.runs.store.Run`."""

    shared = None
    """A file has one owner."""

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
        check_whole(path)
        db, version = connect(path)
        try:
            with explained(path):
                gone = epoch_gone(db, version)
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
    def spell(self) -> Spell:
        """See `Run.spell`."""
        with explained(self.path):
            return kept.spell(self._db)

    @property
    def progress(self) -> str | None:
        """See `Run.progress`."""
        with explained(self.path):
            return kept.progress(self._db)

    @property
    def purge(self) -> Purge | None:
        """See `Run.purge`."""
        with explained(self.path):
            return purging.purge(self._db)

    def results_at(self) -> list[str]:
        """See `Run.results_at`."""
        with explained(self.path):
            return kept.results_at(self._db)

    @property
    def has_begun(self) -> bool:
        """See `Run.has_begun`."""
        with explained(self.path):
            return kept.has_begun(self._db)

    @property
    def is_limited(self) -> bool:
        """See `Run.is_limited`."""
        with explained(self.path):
            return kept.is_limited(self._db)

    @property
    def span(self) -> Span | None:
        """See `Run.span`."""
        with explained(self.path):
            return queries.span(self._db)

    @property
    def is_keyed(self) -> bool:
        """See `Run.is_keyed`."""
        with explained(self.path):
            return kept.is_keyed(self._db)

    @property
    def turn(self) -> int:
        """See `Run.turn`."""
        with explained(self.path):
            return kept.turn(self._db)

    def plan(self, limit: int | None = None, previews: int = PREVIEWS) -> Plan:
        """See `Run.plan`."""
        with explained(self.path):
            findings = kept.findings(self._db)
            first = queries.previews(self._db, previews if limit is None else min(limit, previews))
            marked = queries.marked(self._db, limit, findings.longest, findings.dearest) if previews else ()
        outside = extremes(*marked, {each.row for each in first}, self.lines()) if marked else ()
        return Plan(self.facts.input_name, self.tally(), self.overview(limit), findings, first, outside)

    def overview(self, limit: int | None = None) -> Overview:
        """See `Run.overview`."""
        with explained(self.path):
            return queries.overview(self._db, limit)

    def tally(self) -> Tally:
        """See `Run.tally`."""
        with explained(self.path):
            return queries.tally(self._db)

    def complaints(self, status: Status, limit: int) -> list[Complaint]:
        """See `Run.complaints`."""
        with explained(self.path):
            return queries.complaints(self._db, status, limit)

    def in_doubt(self, limit: int | None = None) -> list[RowInDoubt]:
        """See `Run.in_doubt`."""
        with explained(self.path):
            return queries.in_doubt(self._db, limit)

    def messages_in_doubt(self) -> Iterator[Message]:
        """See `Run.messages_in_doubt`."""
        held = f"state IN ('{State.IN_FLIGHT}', '{State.UNKNOWN}')"
        sql = f"SELECT row, recipient, sender, text, parts, price FROM messages JOIN sends USING (row) WHERE {held}"
        with explained(self.path):
            for row in self._db.execute(sql):
                yield Message(*row)

    def dearest_part(self) -> int | None:
        """See `Run.dearest_part`."""
        with explained(self.path):
            return charges.dearest_part(self._db)

    def spent(self, part_micro: int) -> int:
        """See `Run.spent`."""
        with explained(self.path):
            return charges.spent(self._db, part_micro)

    def errors(self) -> Iterator[int]:
        """See `Run.errors`."""
        with explained(self.path):
            yield from unsent.errors(self._db)

    def recent_sends(self, since_s: float, wall_s: float) -> Iterator[RecentSend]:
        """See `Run.recent_sends`."""
        with explained(self.path):
            yield from map(RecentSend._make, queries.recent_sends(self._db, since_s, wall_s))

    def arrived(self, since_s: float) -> Iterator[Arrived]:
        """See `Run.arrived`."""
        with explained(self.path):
            yield from map(Arrived._make, unsent.arrived(self._db, since_s))

    def knows(self, attempts: Sequence[tuple[int, float]]) -> set[int]:
        """See `Run.knows`."""
        with explained(self.path):
            return unsent.knows(self._db, attempts)

    def has_sent(self, message_id: str, recipients: Collection[str]) -> bool:
        """See `Run.has_sent`."""
        with explained(self.path):
            return queries.has_sent(self._db, message_id, recipients)

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

    def nameless(self) -> int:
        """See `Run.nameless`."""
        with explained(self.path):
            return telling.nameless(self._db)

    def reached(self) -> Iterator[Recipient]:
        """See `Run.reached`."""
        with explained(self.path):
            yield from (recipient for (recipient,) in queries.reached(self._db))

    def results(self, first: int = 1, last: int | None = None) -> Iterator[ResultRow]:
        """See `Run.results`."""
        with explained(self.path):
            yield from queries.results(self._db, first, last)

    def planned(self) -> Iterator[PlannedRow]:
        """See `Run.planned`."""
        left_out = f"s.state IN ('{State.LEFT_OUT}', '{State.EXCLUDED}')"
        sql = f"""SELECT m.row, CASE WHEN {left_out} THEN '{Status.SKIPPED}' ELSE m.status END, m.recipient, m.encoding,
            m.parts, m.price, m.text, CASE WHEN {left_out} THEN s.error ELSE m.error END, m.cells
            FROM messages m LEFT JOIN sends s ON s.row = m.row ORDER BY m.row"""
        with explained(self.path):
            yield from self._db.execute(sql)

    def to_mend(self) -> Iterator[MendRow]:
        """See `Run.to_mend`."""
        with explained(self.path):
            yield from mending.to_mend(self._db)

    def told(self, rows: Sequence[int]) -> list[RowTold]:
        """See `Run.told`."""
        with explained(self.path):
            return telling.told(self._db, rows)

    def rows_to(self, recipients: Collection[Recipient]) -> list[int]:
        """See `Run.rows_to`."""
        with explained(self.path):
            return telling.rows_to(self._db, recipients)

    def lines(self) -> Lines:
        """See `Run.lines`."""
        with explained(self.path):
            packed = kept.read(self._db, "lines")
        return Lines() if packed is None else Lines.unpacked(packed)

    @property
    def closed_at(self) -> float | None:
        """See `Run.closed_at`."""
        with explained(self.path):
            return mending.closed_at(self._db)

    @property
    def figures(self) -> SqliteFigures:
        """See `Run.figures`."""
        return SqliteFigures(self.path, self._db)

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

    @property
    def receipts(self) -> SqliteReceipts:
        """See `Run.receipts`."""
        return SqliteReceipts(self._db, self.path)

    @property
    def times(self) -> SqliteTimes:
        """See `Run.times`."""
        return SqliteTimes(self._db, self.path)

    def close(self) -> None:
        """See `Run.close`."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
