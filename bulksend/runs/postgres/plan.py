"""Writes a plan into a database: a run without a name, which gets it when the plan is whole.

So a run that has a name always holds a whole plan. What a killed planner left has no name, and its lease runs out: the
next one removes it. Deleting a run takes a second for some hundred thousand rows; it is done apart from the moment in
which names change, so that it holds up nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg

from bulksend.errors import RunFileError, UsageError
from bulksend.model import Recipient, Status
from bulksend.planning import Findings, Lines, PlannedRows
from bulksend.runs.edits import Edits
from bulksend.runs.facts import Facts
from bulksend.runs.owner import Owner, processes_here
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import carried, compared, kept, moving, naming
from bulksend.runs.postgres.clock import Skew, boottime_s
from bulksend.runs.postgres.connecting import connect, explained, one, transaction
from bulksend.runs.postgres.installing import check_installed
from bulksend.runs.postgres.leases import Lease
from bulksend.runs.postgres.listing import number_of
from bulksend.runs.postgres.owned import OwnPostgresRun
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.shards import account_of, shard_of
from bulksend.runs.shared import LEASE_S

_WAITING_MAX = 5_000  # rows of repeats and of those that are skipped, until they are written

_NEW = """
INSERT INTO run (planned_at, epoch, lease_until)
VALUES (extract(epoch FROM clock_timestamp()), 1, clock_timestamp() + %s * interval '1 second') RETURNING id
"""
_ALIKE = "CREATE TEMP TABLE alike (row bigint PRIMARY KEY)"  # rows that have recipient and text of others
_ADD = """
COPY message (run, row, status, phone, contact, shard, sender, text, encoding, parts, price, error, cells) FROM STDIN
"""
_SKIP = """
UPDATE message m SET status = 'skipped', sender = NULL, text = '', encoding = NULL, parts = 0, price = NULL,
    error = skipped.says
FROM unnest(%s::bigint[], %s::text[]) AS skipped (row, says)
WHERE m.run = %s AND m.row = skipped.row AND m.status = 'pending'
"""
_COUNT_COPIES = """
INSERT INTO copy SELECT %(run)s, row, before FROM (
    SELECT m.row, row_number() OVER (PARTITION BY m.phone, m.contact, m.sender, m.text ORDER BY m.row) - 1 AS before
    FROM message m JOIN pg_temp.alike a ON a.row = m.row WHERE m.run = %(run)s
) AS counted WHERE before > 0
"""


class PlanWriter:
    """A plan that is being written.

    Args:
        named: how people will name the run; one of this name is replaced in the end.
        length_s: how long a hold on it lasts that is not renewed.

    Raises:
        UsageError: the database has no tables that this version writes.
        RunFileError: it cannot be written.
    """

    def __init__(self, named: DatabaseRun, length_s: float = LEASE_S) -> None:
        self.named = named
        self._counts: Counter[Status] = Counter()
        self._taken_up: dict[int, str] = {}
        self._repeats: list[tuple[str | None, int | None, int, int]] = []
        self._alike: list[int] = []
        self._skipped: list[tuple[int, str]] = []
        db = connect(named.database)
        try:
            with explained(named):
                check_installed(db, named.database)
                db.execute("SET synchronous_commit = off")  # what was cut off is thrown away; `finish` is on the disk
                naming.sweep(db)
                db.execute(_ALIKE)
                asked_s = boottime_s()
                run = int(one(db.execute(_NEW, [length_s]))[0])
        except BaseException:
            db.close()
            raise
        self._of = Reader(db, run, named)
        self._lease = Lease(named, run, 1, asked_s, length_s=length_s)

    def add(self, rows: PlannedRows) -> None:
        """Add the next rows in input order.

        Raises:
            UsageError: a text has a character that a database cannot hold.
        """
        self._counts.update(rows.counts())
        run = self._of.run
        with self._writing(), self._of.db.cursor() as cursor, cursor.copy(_ADD) as copy:
            for row, status, recipient, *message, cells in rows.columns().records():
                shard = None if recipient is None else shard_of(recipient)
                copy.write_row((run, row, status, *_split(recipient), shard, *message, cells.decode()))

    def add_repeats(self, recipient: Recipient, messages: Iterable[tuple[int, int]], alike: Iterable[int] = ()) -> None:
        """See `PlanSink.add_repeats`."""
        whom = _split(recipient)
        self._repeats += [(*whom, row, parts) for row, parts in messages]
        self._alike += alike
        if len(self._repeats) > _WAITING_MAX:
            self._flush()

    def skip(self, rows: Iterable[int], says: str) -> None:
        """Leave rows out after all."""
        self._skipped += [(row, says) for row in rows]
        if len(self._skipped) > _WAITING_MAX:
            self._flush()

    def edits_since(self, named: DatabaseRun) -> Edits:
        """How the plan differs from that of a run of the same database; once all rows are added.

        Raises:
            UsageError: there is no such run.
            RunFileError: it cannot be read.
        """
        self._flush()
        with self._writing(), transaction(self._of.db):
            return compared.edits(self._of, number_of(self._of.db, named))

    def carry_over(self, run: OwnPostgresRun, now: Sequence[str]) -> int:
        """Take over what a run has sent, or may have; once all rows are added. See `carried`.

        Returns the row from which on are those that the input does not have any more.

        Args:
            run: of the same database.
            now: the plan's columns.

        Raises:
            RunFileError: the run cannot be read, or the plan not be written.
        """
        self._flush()
        columns = run.facts.columns
        with self._writing(), transaction(self._of.db):
            added, taken_up = carried.carry_over(self._of, run.number, columns, now)
            moving.place(self._of)
        rows = self._counts.total()
        self._counts[Status.PENDING] += added + len(taken_up)
        self._counts[Status.SKIPPED] -= len(taken_up)
        self._taken_up = taken_up
        return rows + 1

    def finish(
        self,
        made_of: Facts,
        findings: Findings,
        lines: Lines | None,
        wall_s: float,
        instead_of: OwnPostgresRun | None = None,
    ) -> OwnPostgresRun:
        """Make the plan durable and give it its name; the run, owned.

        Args:
            made_of: what the plan was made of.
            findings: what planning found.
            lines: the rows' places in the sheet; None if they are not known.
            wall_s: seconds since 1970.
            instead_of: a run that has begun and is replaced, for what it has sent was carried over, and closed; None if
                none.

        Raises:
            OwnedError: another process is sending the run of this name.
            RunFileError: it cannot be written, or the run of this name has begun meanwhile.
        """
        self._flush()
        of, db = self._of, self._of.db
        # Counting millions of rows takes seconds, and a plan does not change: so its counts are kept.
        counts = {status.value: rows for status, rows in self._counts.items()}
        left = findings.without(self._taken_up)
        packed = None if lines is None else lines.packed()
        owner = Owner.now(wall_s, processes_here())
        with self._writing():
            with transaction(db):
                db.execute(_COUNT_COPIES, {"run": of.run})
                for name, value in {"plan": made_of, "findings": left, "counts": counts}.items():
                    kept.note(db, of.run, name, value)
                account = account_of(db, made_of.address)
                db.execute("UPDATE run SET lines = %s, account = %s WHERE id = %s", [packed, account, of.run])
            db.execute("DROP TABLE pg_temp.alike")
            db.execute("ANALYZE message")
            db.execute("SET synchronous_commit = on")  # and so is whatever was written before
            naming.give_name(of, owner, None if instead_of is None else instead_of.number)
        if instead_of is not None:
            instead_of.close()
        with self._writing():
            skew = Skew(db)
            naming.sweep(db)
        return OwnPostgresRun(of, self._lease, owner, skew)

    def discard(self) -> None:
        """Throw the plan away."""
        self._lease.close()
        with suppress(RunFileError), self._writing(), transaction(self._of.db):  # or the next one removes it
            naming.remove(self._of.db, self._of.run)
        self._of.db.close()

    def _flush(self) -> None:
        """Write what waits."""
        with self._writing(), self._of.db.cursor() as cursor:
            if self._repeats:
                with cursor.copy("COPY repeat (run, phone, contact, row, parts) FROM STDIN") as copy:
                    for each in self._repeats:
                        copy.write_row((self._of.run, *each))
            if self._alike:
                with cursor.copy("COPY pg_temp.alike FROM STDIN") as copy:
                    for row in self._alike:
                        copy.write_row((row,))
            if self._skipped:
                which = [list(each) for each in zip(*self._skipped, strict=True)]
                skipped = cursor.execute(_SKIP, [*which, self._of.run]).rowcount
                self._counts[Status.PENDING] -= skipped
                self._counts[Status.SKIPPED] += skipped
        self._repeats, self._alike, self._skipped = [], [], []

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with explained(self.named):
            try:
                yield
            except psycopg.DataError as error:
                raise UsageError(f"{self.named}: a database cannot hold a text of this plan: {error}") from error


def _split(recipient: Recipient | None) -> tuple[str | None, int | None]:
    """A recipient as it is kept: its number and its contact."""
    return (recipient, None) if isinstance(recipient, str) else (None, recipient)
