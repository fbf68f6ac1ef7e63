"""A process's hold on a run, and on the shards that it sends for: a lease, renewed in time by a thread of its own.

The database's clock says how long a lease lasts, and its epoch who has it. The process itself counts from before it
asked for the renewal, by a clock that goes on while the machine sleeps, and only to 0.8 of the length: when somebody
else takes over it has long stopped.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Mapping

from bulksend.errors import OwnedError, RunFileError
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import shards
from bulksend.runs.postgres.clock import boottime_s
from bulksend.runs.postgres.connecting import Db, connect, explained, is_lost, limit_standstill, transaction
from bulksend.runs.shared import LEASE_S

_SAFE = 0.8
_RENEWALS = 3  # in its length
_RETRIES = 30  # in its length, while the database cannot be reached

_RENEW_RUN = """
UPDATE run SET lease_until = clock_timestamp() + %s * interval '1 second' WHERE id = %s AND epoch = %s
"""
_RENEW_SHARDS = f"""
WITH mine AS ({shards.MINE})
UPDATE shard SET lease_until = clock_timestamp() + %(length_s)s * interval '1 second' FROM mine
WHERE shard.account = mine.account AND shard.no = mine.no RETURNING shard.no
"""


class Hold:
    """The hold of this process on something in a database, taken just now; it is renewed until it is closed.

    Args:
        database: its address.
        named: what is held, for errors.
        asked_s: when it was asked for, by the clock.
        length_s: how long the hold lasts unless it is renewed.
        clock_s: seconds by a clock that goes on while the machine sleeps.
    """

    def __init__(
        self, database: str, named: object, asked_s: float, length_s: float, clock_s: Callable[[], float]
    ) -> None:
        self.length_s = length_s
        self.account: int | None = None
        self.clock_s = clock_s
        self._database = database
        self._named = named
        self._shards: Mapping[int, int] = {}
        self._asked_s = asked_s
        self._db: Db | None = None
        self._one_renews = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._renew_in_time, name="lease", daemon=True)
        self._thread.start()

    @property
    def shards(self) -> Mapping[int, int]:
        """The epochs of the shards that it holds beside, by their numbers."""
        return self._shards

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have it yet, nor its shards."""
        return self.clock_s() < self._asked_s + _SAFE * self.length_s

    @property
    def ends_in_s(self) -> float:
        """How long the hold lasts unless it is renewed: below zero if it may be over, minus infinity if it is lost."""
        return self._asked_s + self.length_s - self.clock_s()

    def hold(self, account: int, epochs: Mapping[int, int], asked_s: float) -> None:
        """Hold shards as well, which were taken just now and asked for at ``asked_s``."""
        with self._one_renews:
            self.account = account
            self._shards = {**self._shards, **epochs}
            self._asked_s = min(self._asked_s, asked_s)

    def let_go(self, nos: Collection[int] | None = None) -> None:
        """Hold some shards no more, or none at all, and give them back.

        Raises:
            RunFileError: the database cannot be used; they come free when the lease ends.
        """
        with self._one_renews:
            given = {no: epoch for no, epoch in self._shards.items() if nos is None or no in nos}
            self._shards = {no: epoch for no, epoch in self._shards.items() if no not in given}
            if given and self.account is not None:
                db = self._connection()
                with explained(self._database), transaction(db):
                    shards.give_back(db, self.account, given)

    def renew(self) -> None:
        """Hold it for its whole length from now on; shards that somebody else has are held no more.

        Raises:
            OwnedError: somebody else has it.
            RunFileError: the database cannot be used.
        """
        with self._one_renews:
            asked_s = self.clock_s()
            try:
                kept = self._renewed()
            except RunFileError:
                self._disconnect()
                raise
            if kept is None:
                self._asked_s = -math.inf
                raise OwnedError(self._lost())
            self._shards = {no: epoch for no, epoch in self._shards.items() if no in kept}
            self._asked_s = asked_s

    def close(self) -> None:
        """Renew it no more."""
        self._ends.set()
        self._thread.join()
        self._disconnect()

    def _renew_itself(self, db: Db) -> bool:
        """Renew what is held beside the shards, inside the transaction; whether it still is."""
        raise NotImplementedError

    def _lost(self) -> str:
        """That it is held no more, for people."""
        raise NotImplementedError

    def _renewed(self) -> set[int] | None:
        """Which shards are still this process's; None if what it holds beside them is not."""
        db = self._connection()
        with explained(self._database), transaction(db):
            if not self._renew_itself(db):
                return None
            if not self._shards:
                return set()
            nos, epochs = list(self._shards), list(self._shards.values())
            which = {"account": self.account, "nos": nos, "epochs": epochs, "length_s": self.length_s}
            return {no for (no,) in db.execute(_RENEW_SHARDS, which).fetchall()}

    def _renew_in_time(self) -> None:
        wait_s = self.length_s / _RENEWALS
        while not self._ends.wait(wait_s):
            try:
                self.renew()
                wait_s = self.length_s / _RENEWALS
            except OwnedError:
                return
            except RunFileError:
                wait_s = self.length_s / _RETRIES

    def _connection(self) -> Db:
        if self._db is None or is_lost(self._db):
            self._db = connect(self._database)
            with explained(self._database):
                limit_standstill(self._db, self.length_s)
        return self._db

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


class Lease(Hold):
    """The hold of this process on a run.

    Args:
        place: the run's.
        run: its id.
        epoch: under which this process has it.
        asked_s: see `Hold`, also for the others.
    """

    def __init__(
        self, place: DatabaseRun, run: int, epoch: int, asked_s: float, *,
        length_s: float = LEASE_S, clock_s: Callable[[], float] = boottime_s,
    ) -> None:  # fmt: skip
        self.run = run
        self.epoch = epoch
        super().__init__(place.database, place, asked_s, length_s, clock_s)

    def _renew_itself(self, db: Db) -> bool:
        return bool(db.execute(_RENEW_RUN, [self.length_s, self.run, self.epoch]).rowcount)

    def _lost(self) -> str:
        return f"{self._named}: another bulksend process has taken this run over"
