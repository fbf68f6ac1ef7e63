"""A run that a worker sends beside others: read as any run, and noted for the worker's shards alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from bulksend.errors import RunFileError
from bulksend.planning import Tally
from bulksend.runs.committing import GroupJournal
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import moving, opened, outcomes, past, shards
from bulksend.runs.postgres.clock import Skew
from bulksend.runs.postgres.connecting import array, connect, explained, transaction
from bulksend.runs.postgres.installing import check_installed
from bulksend.runs.postgres.journal import Commits
from bulksend.runs.postgres.leases import Hold
from bulksend.runs.postgres.notes import Notes
from bulksend.runs.postgres.opened import OpenedRun
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.reserving import Reserving
from bulksend.runs.postgres.run import PostgresRun
from bulksend.sending import DEDUP_MEMORY_S

T = TypeVar("T")


class WorkedRun(PostgresRun):
    """A run of which a worker sends what is in its shards; see `bulksend.runs.store.Run`.

    One connection does it all: while a journal is open its thread has it.

    Args:
        of: the run; its connection is closed in the end.
        run: the same, as it was opened.
        lease: the worker's hold on its shards.
        skew: see `bulksend.runs.postgres.clock`.
    """

    behind_s = 0.0
    """The database's clock counts, whatever becomes of this machine's."""

    def __init__(self, of: Reader, run: OpenedRun, lease: Hold, skew: Skew) -> None:
        super().__init__(of, skew)
        self._skew: Skew = skew
        self._run = run
        self._lease = lease
        self._learned: set[tuple[int, int]] = set()  # shards and their epochs, see `learn_known`

    @classmethod
    def of_worker(cls, named: DatabaseRun, run: OpenedRun, lease: Hold) -> WorkedRun:
        """Open a run for a worker.

        Raises:
            UsageError: the database has no tables that this version reads.
            RunFileError: it cannot be read.
        """
        db = connect(named.database)
        try:
            with explained(named):
                check_installed(db, named.database)
                return cls(Reader(db, run.number, named), run, lease, Skew(db))
        except BaseException:
            db.close()
            raise

    def journal(self, tries: int = 0) -> GroupJournal:
        """The notes of what is sent of the shards that the worker has by now; nothing else is asked of the run then.

        Args:
            tries: see `to_repeat`.
        """
        notes = self._ask(lambda: self._notes(tries))
        commits = Commits(notes)
        return GroupJournal(notes, commits, commits.end, commits.give_up, sharing=notes.commons)

    def learn_known(self) -> None:
        """Take over the numbers that the account knows by now, of contacts in shards that the worker has anew.

        In others' shards that is for their owners, before they begin: who is sending to a contact would not hear of it.
        So also in those that were lost since, which is seen under a lock that who takes over waits for.
        Raises as `is_left` does.
        """
        self._ask(self._learn_known)

    def cut_off(self) -> None:
        """Of what is under way in the worker's shards the end is not known; no journal may be open.

        An earlier one could note neither the end nor that, where the database refused it, and these shards nobody takes
        over who would. Raises as `is_left` does.
        """
        if epochs := dict(self._lease.shards):
            self._ask(lambda: self._cut_off(epochs))

    def is_left(self) -> bool:
        """Whether anything is left to send in the worker's shards.

        Raises:
            RunFileError: it cannot be read.
        """
        nos = sorted(self._lease.shards)
        return bool(nos) and self._ask(lambda: opened.is_left(self._reader, self._run, nos))

    def tally(self) -> Tally:
        """See `Run.tally`; over a new connection where the old one is broken."""
        return self._ask(super().tally)

    def has_accepted(self) -> bool:
        """Whether the API has accepted any of its messages; raises as `is_left` does."""
        return self._ask(lambda: opened.has_accepted(self._reader))

    def is_left_at_all(self) -> bool:
        """Whether anything is left to send in any shard; raises as `is_left` does."""
        return self._ask(lambda: opened.is_left(self._reader, self._run))

    def to_repeat(self, proof: int, wall_s: float, tries: int, *, is_mine: bool) -> set[int]:
        """The rows in doubt that may be repeated under a proof, in the worker's shards or in all others.

        Args:
            proof: see `bulksend.sending.Proof`.
            wall_s: seconds since 1970.
            tries: a row that was put in doubt since the run was opened is repeated until it was tried more often.
            is_mine: in which shards.

        Raises:
            RunFileError: it cannot be read.
        """
        which = {"proof": proof, "opened_at": self._run.at, "tries": tries, "is_mine": is_mine}
        which["repeats_until"] = self._run.repeats_until
        since_s, nos = wall_s + self._skew_s - DEDUP_MEMORY_S, array(self._lease.shards)
        return self._ask(lambda: past.to_repeat(self._reader, since=since_s, nos=nos, **which))

    def end_if_through(self, wall_s: float) -> bool:
        """End it for all workers if nothing is left to send or under way; whether it is over.

        Raises:
            RunFileError: it cannot be written.
        """
        return self._ask(lambda: self._end_if_through(wall_s + self._skew_s))

    def _notes(self, tries: int) -> Notes:
        orders = self._run.orders
        reserving = Reserving(orders.began_at, orders.repeat_after_s, repeat=orders.repeat)
        with explained(self.place):
            return Notes(
                self._reader, self._lease, self._run.epoch, self._skew,
                by_parts=orders.by_parts, limit=None, keyed=orders.keyed, reserving=reserving,
                run=self._run, tries=tries,
            )  # fmt: skip

    def _learn_known(self) -> None:
        now = set(self._lease.shards.items())
        if anew := dict(now - self._learned):
            account, of = self._lease.account, self._reader
            with explained(self.place), transaction(of.db):
                mine = of.all(shards.MINE, account=account, nos=list(anew), epochs=list(anew.values()))
                moving.tell_known(of, account, [no for _, no in mine], time.time() + self._skew_s)
        self._learned = now

    def _cut_off(self, epochs: Mapping[int, int]) -> None:
        with explained(self.place):
            outcomes.cut_off_left(self._reader, epochs)

    def _end_if_through(self, at_s: float) -> bool:
        with explained(self.place), transaction(self._reader.db):
            return opened.close_if_through(self._reader, self._run, at_s)

    def _ask(self, question: Callable[[], T]) -> T:
        """Ask something that may as well be asked twice: once more where the connection turns out to be broken."""
        self.reconnect()
        try:
            return question()
        except RunFileError:
            if not self._reader.db.closed:
                raise
            self.reconnect()
            return question()
