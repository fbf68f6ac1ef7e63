"""The processes that work on an account's runs side by side: who they are, and how its shards are dealt among them.

A shard's row says who sends to its phones, and that is all there is: no queue beside it could contradict it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple, Self

from bulksend.runs.ends import End
from bulksend.runs.facts import Address
from bulksend.runs.owner import Owner, processes_here
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import handing, opened, registry, shards
from bulksend.runs.postgres.accounts import made_account
from bulksend.runs.postgres.clock import boottime_s
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.leases import Hold
from bulksend.runs.postgres.linking import Link
from bulksend.runs.postgres.opened import OpenedRun, Progress
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.schema import SHARDS
from bulksend.runs.postgres.worked import WorkedRun
from bulksend.runs.shared import LEASE_S


class Dealt(NamedTuple):
    """How an account's shards are dealt at a moment.

    Attributes:
        mine: so many this worker has.
        fair: so many it may have.
        free: so many nobody has.
        workers: so many are at work, this one among them.
    """

    mine: int
    fair: int
    free: int
    workers: int

    @property
    def is_due(self) -> bool:
        """Whether this worker has to give some up, or can take some."""
        return self.mine > self.fair or (self.free > 0 and self.mine < self.fair)


class WorkerLease(Hold):
    """The hold of a worker on its place in the registry and on its shards; see `Hold`."""

    def __init__(
        self, database: str, worker: int, asked_s: float, length_s: float, clock_s: Callable[[], float]
    ) -> None:
        self.worker = worker
        super().__init__(database, database, asked_s, length_s, clock_s)

    def _renew_itself(self, db: Db) -> bool:
        return registry.renew(db, self.worker, self.length_s)

    def _lost(self) -> str:
        return f"{self._named}: this worker was not heard of for too long, and is taken to be gone"


class Worker:
    """This process as one worker of an account; a context manager, used by one thread at a time.

    Args:
        database: the address of the account's database.
        address: the account.
        length_s: how long its shards are its own unless it says so again.
        clock_s: see `Hold`.

    Raises:
        UsageError: the database cannot be used.
        RunFileError: it cannot be reached.
    """

    def __init__(
        self, database: str, address: Address, length_s: float = LEASE_S, *,
        clock_s: Callable[[], float] = boottime_s,
    ) -> None:  # fmt: skip
        self.owner = Owner.now(time.time(), processes_here())
        self._link = Link(database)
        try:
            self._account = self._link.ask(lambda db: made_account(db, address))
            asked_s = clock_s()
            with self._link.transaction() as db:
                number = registry.enter(db, self._account, self.owner, length_s)
        except BaseException:
            self._link.close()
            raise
        self.lease = WorkerLease(database, number, asked_s, length_s, clock_s)
        self.lease.hold(self._account, {}, asked_s)

    def ahead_s(self) -> float:
        """By how many seconds the database's clock is ahead of this machine's."""
        return self._link.skew_s

    def runs(self) -> list[OpenedRun]:
        """The account's runs that are opened for workers: first those that others are at work on, then the oldest."""
        self._link.see_clock()
        for number, name in self._link.ask(lambda db: handing.abandoned(db, self._account)):
            with self._link.transaction() as db:
                handing.take_back(Reader(db, number, DatabaseRun(self._link.database, name)))
        return self._link.ask(self._runs)

    def begin(self, run: OpenedRun) -> WorkedRun:
        """Be at work on a run from now on.

        Raises:
            AccountBusyError: others are at work on another run of the account; the sentence says who.
        """
        with self._link.transaction() as db:
            registry.begin(db, self._account, self.lease.worker, run.number)
        return WorkedRun.of_worker(self._named(run), run, self.lease)

    def leave(self) -> None:
        """Be at work on nothing any more, and give back all shards."""
        self.lease.let_go()
        with self._link.transaction() as db:
            registry.rest(db, self.lease.worker)

    def progress(self, run: OpenedRun) -> Progress:
        """Whether a run is still to be sent."""
        return self._link.ask(lambda db: opened.progress(Reader(db, run.number, self._named(run)), run.epoch))

    def stop(self, run: OpenedRun, reason: str, says: str) -> None:
        """End a run for all of its workers."""
        with self._link.transaction() as db:
            end = End(reason, says, time.time() + self._link.skew_s)
            opened.close(Reader(db, run.number, self._named(run)), run.epoch, end)

    def give_up(self, run: OpenedRun, reason: str, says: str) -> int:
        """Send no more of a run, which ends if nobody else does or is about to; how many others are or do."""
        with self._link.transaction() as db:
            end = End(reason, says, time.time() + self._link.skew_s)
            return opened.close_if_alone(Reader(db, run.number, self._named(run)), run, end, self.lease.worker)

    def look(self) -> Dealt:
        """How the shards are dealt now."""
        self._link.see_clock()
        return self._link.ask(self._dealt)

    def deal(self) -> Dealt:
        """Give up what is beyond the fair share, and take what is free up to it; nothing may be under way meanwhile."""
        seen = self.look()
        if seen.mine > seen.fair:
            self.lease.let_go(sorted(self.lease.shards)[seen.fair :])
        elif seen.is_due:
            asked_s = self.lease.clock_s()
            mine, most, length_s = self.lease.shards, seen.fair - seen.mine, self.lease.length_s
            with self._link.transaction() as db:
                free = shards.free(db, self._account, mine)
                taken = shards.take_free(db, self._account, free[:most], self.owner, length_s)
            self.lease.hold(self._account, taken, asked_s)
        return seen._replace(mine=len(self.lease.shards))

    def close(self) -> None:
        """Be no worker any more; what cannot be said comes free when the lease ends."""
        try:
            self.lease.let_go()
            with self._link.transaction() as db:
                registry.leave(db, self.lease.worker)
        finally:
            self.lease.close()
            self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _dealt(self, db: Db) -> Dealt:
        me, mine = self.lease.worker, self.lease.shards
        others = [each for each in registry.living(db, self._account) if each.run is not None and each.number != me]
        workers = 1 + len(others)
        return Dealt(len(mine), math.ceil(SHARDS / workers), len(shards.free(db, self._account, mine)), workers)

    def _runs(self, db: Db) -> list[OpenedRun]:
        others = [each for each in registry.living(db, self._account) if each.number != self.lease.worker]
        busy = registry.worked_on(db, others)
        return sorted(opened.opened_runs(db, self._account), key=lambda run: run.number not in busy)

    def _named(self, run: OpenedRun) -> DatabaseRun:
        return DatabaseRun(self._link.database, run.name)
