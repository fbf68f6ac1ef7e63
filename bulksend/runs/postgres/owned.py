"""Owns a run in a database: takes it over, writes what is decided, lends the engine its journal, and gives it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from bulksend.errors import BulksendError, RunFileError
from bulksend.model import ContactId, Event, PhoneNumber
from bulksend.runs.committing import GroupJournal
from bulksend.runs.ends import End
from bulksend.runs.facts import Address
from bulksend.runs.orders import Orders
from bulksend.runs.owner import Owner, processes_here
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import closing, deciding, kept, moving, naming, noted, opened, ownership, purging, shards
from bulksend.runs.postgres.awaiting import OwnPostgresReceipts
from bulksend.runs.postgres.clock import Skew, boottime_s
from bulksend.runs.postgres.connecting import connect, explained, transaction
from bulksend.runs.postgres.installing import check_installed
from bulksend.runs.postgres.journal import Commits
from bulksend.runs.postgres.leases import Lease
from bulksend.runs.postgres.listing import number_of
from bulksend.runs.postgres.notes import Notes
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.reserving import Reserving
from bulksend.runs.postgres.results_file import PostgresResultsFile
from bulksend.runs.postgres.run import PostgresRun
from bulksend.runs.postgres.scheduling import OwnPostgresTimes
from bulksend.runs.postgres.schema import SHARDS
from bulksend.runs.shared import LEASE_S
from bulksend.runs.telling import KnownRow, OpenRow, UnsentRow
from bulksend.sending import Errors, Money


class OwnPostgresRun(PostgresRun):
    """A run in a database that this process alone may write; see `bulksend.runs.store.OwnRun`.

    One connection does it all: while a journal is open its thread has it, otherwise whoever holds the run.

    Args:
        of: the run; its connection is closed in the end.
        lease: the hold on it, which it gives up in the end.
        owner: this process.
        skew: see `bulksend.runs.postgres.clock`.
    """

    behind_s = 0.0
    """The database's clock counts, whatever becomes of this machine's."""

    def __init__(self, of: Reader, lease: Lease, owner: Owner, skew: Skew) -> None:
        super().__init__(of, skew)
        self._skew: Skew = skew
        self._lease = lease
        self._owner = owner
        self._reserving: Reserving | None = None

    @classmethod
    def own(
        cls, named: DatabaseRun, wall_s: float, length_s: float = LEASE_S, *,
        clock_s: Callable[[], float] = boottime_s, now_s: Callable[[], float] | None = None,
    ) -> OwnPostgresRun:  # fmt: skip
        """Take a run for sending.

        Args:
            named: how people name it.
            wall_s: seconds since 1970.
            length_s: how long a hold lasts that is not renewed.
            clock_s: see `Lease`.
            now_s: this machine's clock, in seconds since 1970.

        Raises:
            UsageError: there is none of this name, or the database has no tables that this version reads.
            OwnedError: another process has it; the sentence says which.
            RunFileError: it cannot be written.
        """
        db = connect(named.database)
        try:
            with explained(named):
                check_installed(db, named.database)
                of = Reader(db, number_of(db, named), named)
                skew, asked_s, owner = Skew(db, now_s), clock_s(), Owner.now(wall_s, processes_here())
                with transaction(db):
                    epoch = ownership.take(of, owner, length_s)
            lease = Lease(named, of.run, epoch, asked_s, length_s=length_s, clock_s=clock_s)
            return cls(of, lease, owner, skew)
        except BaseException:
            db.close()
            raise

    def readdress(self, address: Address) -> None:
        """See `OwnRun.readdress`."""
        facts = replace(self.facts, org_id=address.org_id, base_url=address.base_url)
        with self._writing() as of:
            kept.note(of.db, of.run, "plan", facts)
            of.db.execute("UPDATE run SET account = %s WHERE id = %s", [shards.account_of(of.db, address), of.run])

    def note_input(self, digest: str) -> None:
        """See `OwnRun.note_input`."""
        facts = replace(self.facts, input_digest=digest)
        with self._writing() as of:
            kept.note(of.db, of.run, "plan", facts)

    def learn(self, numbers: Sequence[tuple[ContactId, PhoneNumber]]) -> None:
        """See `OwnRun.learn`."""
        with self._writing() as of:
            moving.lend(of, dict(reversed(numbers)))

    def decide(self, rows: Sequence[int], *, resend: bool) -> None:
        """See `OwnRun.decide`."""
        with self._writing() as of:
            deciding.decide(of, rows, Event.RESENT if resend else Event.LEFT)

    @property
    def looked_at(self) -> str:
        """See `OwnRun.looked_at`."""
        return self._kept("looked at")

    def note_look(self, at: str) -> None:
        """See `OwnRun.note_look`."""
        with self._writing() as of:
            kept.note(of.db, of.run, "looked at", at)

    @property
    def excluded_by(self) -> str:
        """See `OwnRun.excluded_by`."""
        return self._kept("excluded by")

    def note_excluded_by(self, lists: str) -> None:
        """See `OwnRun.note_excluded_by`."""
        with self._writing() as of:
            kept.note(of.db, of.run, "excluded by", lists)

    def unsent(self, after: int, limit: int) -> list[UnsentRow]:
        """See `OwnRun.unsent`."""
        return deciding.unsent(self._reader, after, limit)

    def to_exclude(self, after: int, limit: int) -> list[OpenRow]:
        """See `OwnRun.to_exclude`."""
        return deciding.to_exclude(self._reader, after, limit)

    def alike_left_out(self, rows: Sequence[int]) -> dict[int, int]:
        """See `OwnRun.alike_left_out`."""
        return deciding.alike_left_out(self._reader, rows)

    def leave_out(self, rows: Sequence[tuple[int, str]], event: Event, wall_s: float) -> None:
        """See `OwnRun.leave_out`."""
        with self._writing() as of:
            deciding.leave_out(of, rows, event, wall_s + self._skew_s)

    def count_on(self, rows: Sequence[tuple[int, int]]) -> None:
        """See `OwnRun.count_on`."""
        with self._writing() as of:
            deciding.count_on(of, rows)

    def known(self, since_s: float, after: int, limit: int) -> list[KnownRow]:
        """See `OwnRun.known`."""
        return deciding.known(self._reader, since_s + self._skew_s, after, limit)

    def explain(self, rows: Sequence[tuple[int, str]]) -> None:
        """See `OwnRun.explain`."""
        with self._writing() as of:
            deciding.explain(of, rows)

    def take_up(self) -> None:
        """See `OwnRun.take_up`."""
        with self._writing() as of:
            deciding.take_up(of)

    def close_rows(self, says: str, wall_s: float) -> None:
        """See `OwnRun.close_rows`."""
        with self._writing() as of:
            closing.close(of, says, wall_s + self._skew_s)

    def note_start(self, wall_s: float) -> None:
        """See `OwnRun.note_start`."""
        with self._writing() as of:
            noted.start(of, self._lease.epoch, wall_s + self._skew_s)

    @property
    def results_file(self) -> PostgresResultsFile:
        """See `OwnRun.results_file`."""
        return PostgresResultsFile(self._note_results)

    def _note_results(self, path: str) -> None:
        with self._writing() as of:
            noted.results(of, path)

    def forget(self, wall_s: float) -> None:
        """See `OwnRun.forget`."""
        with self._writing() as of:
            purging.forget(of, wall_s + self._skew_s)
        with explained(self.place):
            purging.clean(self._reader.db)
        with self._writing() as of:
            purging.note_whole(of)

    def note_end(self, end: End) -> None:
        """See `OwnRun.note_end`."""
        at_s = None if end.at_s is None else end.at_s + self._skew_s
        with self._writing() as of:
            noted.end(of, self._lease.epoch, end._replace(at_s=at_s))

    @property
    def asked_at(self) -> float | None:
        """See `OwnRun.asked_at`."""
        with explained(self.place):
            at_s = noted.asked_at(self._reader, self._lease.epoch)
        return None if at_s is None else at_s - self._skew_s

    @property
    def receipts(self) -> OwnPostgresReceipts:
        """See `OwnRun.receipts`."""
        return OwnPostgresReceipts(self._reader, self._writing, self._skew_s)

    @property
    def times(self) -> OwnPostgresTimes:
        """See `OwnRun.times`."""
        return OwnPostgresTimes(self._reader, self._writing, self._lease.epoch)

    def reserve(self, how: Reserving) -> None:
        """Let journals from now on reserve phones and texts before they are sent, against other runs of the account."""
        self._reserving = how

    def claim_account(self) -> None:
        """See `OwnRun.claim_account`: all of the account's shards are taken, until the journal or the run is closed."""
        if self._lease.shards:
            return
        asked_s = self._lease.clock_s()
        with self._writing() as of:
            (account,) = of.first("SELECT account FROM run WHERE id = %(run)s")
            if account is not None:
                epochs = shards.take(of.db, account, range(SHARDS), self._owner, self._lease.length_s)
        if account is not None:
            self._lease.hold(account, epochs, asked_s)

    def open_for_workers(
        self, orders: Orders, limit: int | None, money: Money | None, errors: Errors | None,
        repeats: int | None = None,
    ) -> None:  # fmt: skip
        """Let workers send it as soon as it is closed; see `bulksend.runs.open_for_workers`."""
        with self._writing() as of:
            opened.open_run(of, self._lease.epoch, orders, limit, money, errors, repeats)
        self._lease.let_go()

    def journal(self, *, by_parts: bool = True, limit: int | None = None, keyed: bool | None = None) -> GroupJournal:
        """See `OwnRun.journal`; all of the account's shards are taken for it, if they were not before.

        Raises:
            AccountBusyError: another run of the account is sending.
        """
        self.claim_account()
        with explained(self.place):
            notes = Notes(
                self._reader, self._lease, self._lease.epoch, self._skew,
                by_parts=by_parts, limit=limit, keyed=keyed, reserving=self._reserving,
            )  # fmt: skip
        commits = Commits(notes)
        return GroupJournal(notes, commits, lambda: self._end_journal(commits), commits.give_up, sharing=notes.commons)

    def close(self) -> None:
        """Give the run up in order."""
        with suppress(RunFileError):
            self._lease.let_go()
        self._lease.close()
        with suppress(BulksendError), self._writing() as of:  # it is somebody else's, or cannot be reached
            ownership.give_up(of)
        self._reader.db.close()

    def remove(self) -> None:
        """See `OwnRun.remove`; what was opened for workers is theirs, and stays."""
        self._lease.close()
        self.reconnect()
        with explained(self.place), transaction(self._reader.db):
            naming.remove_own(self._reader, self._lease.epoch)
        self._reader.db.close()

    @property
    def number(self) -> int:
        """Which of the database's runs it is."""
        return self._lease.run

    def _end_journal(self, commits: Commits) -> None:
        commits.end()
        with suppress(RunFileError):
            self._lease.let_go()

    def _kept(self, name: str) -> str:
        with explained(self.place):
            return str(kept.read(self._reader.db, self._reader.run, name) or "")

    @contextmanager
    def _writing(self) -> Iterator[Reader]:
        """A transaction of the run's owner, whole or not at all."""
        self.reconnect()
        of = self._reader
        with explained(of.place), transaction(of.db):
            ownership.check_epoch(of, self._lease.epoch)
            yield of
