"""A run in a database, for reading: where it stands, what it costs, what became of each row; also while it is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Self

from bulksend.model import ContactId, Message, PhoneNumber, Recipient, RowInDoubt, Status
from bulksend.planning import PREVIEWS, Lines, Overview, Plan, Tally
from bulksend.runs.ends import Purge, Spell
from bulksend.runs.facts import Facts
from bulksend.runs.owner import Owner
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import charges, cut_off, queries, rows, telling, whole
from bulksend.runs.postgres.clock import Skew
from bulksend.runs.postgres.connecting import connect, explained, is_lost
from bulksend.runs.postgres.figures import PostgresFigures
from bulksend.runs.postgres.installing import check_installed, connect_anew
from bulksend.runs.postgres.listing import number_of
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.receipts import PostgresReceipts
from bulksend.runs.postgres.registry import shared
from bulksend.runs.postgres.times import PostgresTimes
from bulksend.runs.shared import Shared
from bulksend.runs.telling import Arrived, Charge, Complaint, MendRow, PlannedRow, RecentSend, ResultRow, RowTold, Span
from bulksend.sms import Observed


class PostgresRun:
    """A run in a database, open for reading; see `bulksend.runs.store.Run`.

    Args:
        reader: asks it; its connection is closed with the run.
        skew: see `bulksend.runs.postgres.clock`; None if it is still to be found.
    """

    def __init__(self, reader: Reader, skew: Skew | None = None) -> None:
        self._reader = reader
        self._skew = skew

    @classmethod
    def open(cls, named: DatabaseRun) -> PostgresRun:
        """Open a run for reading; nothing is written to it.

        Raises:
            UsageError: there is none of this name, or the database has no tables that this version reads.
            RunFileError: it cannot be read.
        """
        db = connect(named.database)
        try:
            with explained(named):
                check_installed(db, named.database)
                reader = Reader(db, number_of(db, named), named)
                reader.sends = cut_off.sends(reader)
                return cls(reader)
        except BaseException:
            db.close()
            raise

    @property
    def place(self) -> str:
        """See `Run.place`."""
        return str(self._reader.place)

    @property
    def facts(self) -> Facts:
        """See `Run.facts`."""
        return whole.of(self._reader).plan

    @property
    def owner(self) -> Owner | None:
        """See `Run.owner`."""
        return whole.of(self._reader).owner

    @property
    def shared(self) -> Shared | None:
        """See `Run.shared`."""
        with explained(self._reader.place):
            return shared(self._reader.db, self._reader.run)

    @property
    def spell(self) -> Spell:
        """See `Run.spell`."""
        return queries.spell(self._reader)

    @property
    def progress(self) -> str | None:
        """See `Run.progress`."""
        return whole.of(self._reader).progress

    @property
    def purge(self) -> Purge | None:
        """See `Run.purge`."""
        return whole.of(self._reader).purge

    def results_at(self) -> list[str]:
        """See `Run.results_at`."""
        return whole.of(self._reader).results_at

    @property
    def has_begun(self) -> bool:
        """See `Run.has_begun`."""
        return queries.has_begun(self._reader)

    @property
    def is_limited(self) -> bool:
        """See `Run.is_limited`."""
        return whole.of(self._reader).is_limited

    @property
    def span(self) -> Span | None:
        """See `Run.span`."""
        return queries.span(self._reader, self._skew_s)

    @property
    def is_keyed(self) -> bool:
        """See `Run.is_keyed`."""
        return whole.of(self._reader).is_keyed

    @property
    def turn(self) -> int:
        """See `Run.turn`."""
        return whole.of(self._reader).turn

    def plan(self, limit: int | None = None, previews: int = PREVIEWS) -> Plan:
        """See `Run.plan`."""
        return queries.plan(self._reader, limit, previews)

    def overview(self, limit: int | None = None) -> Overview:
        """See `Run.overview`."""
        return queries.overview(self._reader, limit)

    def tally(self) -> Tally:
        """See `Run.tally`."""
        return queries.tally(self._reader)

    def complaints(self, status: Status, limit: int) -> list[Complaint]:
        """See `Run.complaints`."""
        return queries.complaints(self._reader, status, limit)

    def in_doubt(self, limit: int | None = None) -> list[RowInDoubt]:
        """See `Run.in_doubt`."""
        return queries.in_doubt(self._reader, limit)

    def messages_in_doubt(self) -> Iterator[Message]:
        """See `Run.messages_in_doubt`."""
        return rows.messages_in_doubt(self._reader)

    def dearest_part(self) -> int | None:
        """See `Run.dearest_part`."""
        return charges.dearest_part(self._reader)

    def spent(self, part_micro: int) -> int:
        """See `Run.spent`."""
        return charges.spent(self._reader, part_micro)

    def errors(self) -> Iterator[int]:
        """See `Run.errors`."""
        return rows.errors(self._reader)

    def recent_sends(self, since_s: float, wall_s: float) -> Iterator[RecentSend]:
        """See `Run.recent_sends`."""
        return rows.recent_sends(self._reader, since_s, wall_s, self._skew_s)

    def arrived(self, since_s: float) -> Iterator[Arrived]:
        """See `Run.arrived`."""
        return rows.arrived(self._reader, since_s, self._skew_s)

    def knows(self, attempts: Sequence[tuple[int, float]]) -> set[int]:
        """See `Run.knows`."""
        return telling.knows(self._reader, attempts, self._skew_s)

    def has_sent(self, message_id: str, recipients: Collection[str]) -> bool:
        """See `Run.has_sent`."""
        return telling.has_sent(self._reader, message_id, recipients)

    def numbers(self) -> Iterator[tuple[ContactId, PhoneNumber]]:
        """See `Run.numbers`."""
        return rows.numbers(self._reader)

    def contacts(self) -> Iterator[ContactId]:
        """See `Run.contacts`."""
        return rows.contacts(self._reader)

    def reconnect(self) -> None:
        """Be able to ask after a time in which nothing was asked, and the connection may have been lost.

        Raises:
            UsageError: another server has taken over, or a newer version has changed the tables.
            RunFileError: the database cannot be reached.
        """
        if is_lost(self._reader.db):
            self._reader.db = connect_anew(self._reader.place.database)

    @property
    def is_open_to_workers(self) -> bool:
        """Whether workers can send it."""
        found = self._reader.first("SELECT opened = epoch FROM run WHERE id = %(run)s")
        return bool(found and found[0])

    def nameless(self) -> int:
        """See `Run.nameless`."""
        return telling.nameless(self._reader)

    def reached(self) -> Iterator[Recipient]:
        """See `Run.reached`."""
        return rows.reached(self._reader)

    def results(self, first: int = 1, last: int | None = None) -> Iterator[ResultRow]:
        """See `Run.results`."""
        return rows.results(self._reader, first, last)

    def planned(self) -> Iterator[PlannedRow]:
        """See `Run.planned`."""
        return rows.planned(self._reader)

    def to_mend(self) -> Iterator[MendRow]:
        """See `Run.to_mend`."""
        return rows.to_mend(self._reader)

    def told(self, rows: Sequence[int]) -> list[RowTold]:
        """See `Run.told`."""
        return telling.told(self._reader, rows)

    def rows_to(self, recipients: Collection[Recipient]) -> list[int]:
        """See `Run.rows_to`."""
        return telling.rows_to(self._reader, recipients)

    def lines(self) -> Lines:
        """See `Run.lines`."""
        return queries.lines(self._reader)

    @property
    def closed_at(self) -> float | None:
        """See `Run.closed_at`."""
        return whole.of(self._reader).closed_at

    @property
    def figures(self) -> PostgresFigures:
        """See `Run.figures`."""
        return PostgresFigures(self._reader)

    def charges(self) -> list[Charge]:
        """See `Run.charges`."""
        return charges.by_code(self._reader)

    def observed_rates(self) -> Iterator[Observed]:
        """See `Run.observed_rates`."""
        return charges.observed(self._reader)

    def last_charged_at(self) -> float | None:
        """See `Run.last_charged_at`."""
        return charges.last_at(self._reader)

    @property
    def receipts(self) -> PostgresReceipts:
        """See `Run.receipts`."""
        return PostgresReceipts(self._reader, self._skew_s)

    @property
    def times(self) -> PostgresTimes:
        """See `Run.times`."""
        return PostgresTimes(self._reader)

    def close(self) -> None:
        """See `Run.close`."""
        self._reader.db.close()

    @property
    def _skew_s(self) -> float:
        if self._skew is None:
            with explained(self._reader.place):
                self._skew = Skew(self._reader.db)
        return self._skew.ahead_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
