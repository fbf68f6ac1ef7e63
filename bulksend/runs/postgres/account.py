"""What outlives a run of an account that lives in a database; see `bulksend.runs.outliving.Account`.

Several processes may send for it at a time, each to phones of its own: which, the shards tell. So nothing is held here.
Which runs are being sent stands in the database, and what those have sent lately is read out of them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Self

from bulksend.errors import RunFileError, UsageError
from bulksend.model import ContactId, PhoneNumber
from bulksend.runs.clock import Clock
from bulksend.runs.contacts import lend
from bulksend.runs.facts import Address
from bulksend.runs.finding import found_again, key_of
from bulksend.runs.homes import note_home
from bulksend.runs.opted_out import OptedOut
from bulksend.runs.outliving import Earlier, History
from bulksend.runs.owned import OwnRun
from bulksend.runs.owner import Owner, processes_here
from bulksend.runs.places import place_of
from bulksend.runs.postgres import accounts, placing
from bulksend.runs.postgres.history import PostgresHistory
from bulksend.runs.postgres.linking import Link
from bulksend.runs.postgres.optouts import PostgresOptedOut
from bulksend.runs.postgres.owned import OwnPostgresRun
from bulksend.runs.postgres.reserving import Reserving
from bulksend.runs.store import Run
from bulksend.runs.telling import RecentSend

_KEPT_S = 3600.0  # what was sent is remembered so long at least: the next run may count by a longer window
# A contact whose answer never came counts by the number that any other answer told since.
_OTHERS_SENDS = """
SELECT coalesce(n.phone, r.phone), r.contact, parts, messages, least(ended_at, %(now)s) - %(skew)s AS ended
FROM recent r LEFT JOIN account_number n ON n.account = r.account AND n.contact = r.contact
WHERE r.account = %(account)s AND r.key <> ALL(%(own)s) AND ended_at >= %(since)s ORDER BY ended
"""
_REMEMBER = """
INSERT INTO recent SELECT %s, %s, * FROM unnest(
    %s::text[], %s::bigint[], %s::integer[], %s::integer[], %s::double precision[]
)
"""
_LEARN = """
INSERT INTO account_number SELECT %s, * FROM unnest(%s::bigint[], %s::text[])
ON CONFLICT (account, contact) DO UPDATE SET phone = excluded.phone WHERE account_number.phone <> excluded.phone
"""
_AT_WORK = "SELECT DISTINCT owner FROM shard WHERE account = %s AND lease_until > clock_timestamp()"


class PostgresAccount:
    """The state of one account in a database.

    Args:
        database: its address.
        address: the account.

    Attributes:
        history: who got what from it.
        optouts: who is to get nothing from it any more.

    Raises:
        UsageError: the database cannot be used.
        RunFileError: it cannot be read or written.
    """

    def __init__(self, database: str, address: Address) -> None:
        self._link = Link(database)
        try:
            self._account = self._link.ask(lambda db: accounts.made_account(db, address))
            self.history: History = PostgresHistory(self._link, self._account)
            self.optouts: OptedOut = PostgresOptedOut(self._link, address)
            with suppress(UsageError, RunFileError):  # where nothing can be noted, no run file can be sent either
                note_home(address, database)
        except BaseException:
            self._link.close()
            raise

    def begin(
        self, run: Run, *, since_s: float, wall_s: float, clock: Clock | None = None, began_at: float | None = None,
        is_remembered: bool = True, repeat_after_s: float | None = None,
    ) -> Earlier:  # fmt: skip
        """See `Account.begin`; of the clock nothing is needed, for times here are the database's."""
        del clock
        began_at = wall_s if began_at is None else began_at
        self._key = key_of(run)
        is_alone = not self._others_at_work()
        self.history.catch_up(run, closes=is_alone)
        if is_remembered:
            self.history.begin(run, began_at=began_at, wall_s=wall_s)
            if isinstance(run, OwnPostgresRun):
                run.reserve(Reserving(began_at, repeat_after_s or 0.0, repeat=repeat_after_s is None))
        own = [self._key, *run.facts.instead_of]  # a run knows its own sends after a kill; a copy of it does not
        is_lost = self._take_in_active(own, since_s, wall_s, is_alone=is_alone)
        since, now = since_s + self._link.skew_s, wall_s + self._link.skew_s
        with self._link.transaction() as db:
            accounts.remember_alone(db, self._account)
            if is_lost:
                db.execute("INSERT INTO quiet VALUES (%s, %s)", [self._account, now])
            db.execute(
                "INSERT INTO active VALUES (%s, %s, %s) ON CONFLICT (account, key) DO UPDATE SET run = excluded.run",
                [self._account, self._key, placing.kept(run)],
            )
            kept_since = self._kept_since(since_s, wall_s)
            for table in ("recent", "landed"):
                db.execute(f"DELETE FROM {table} WHERE account = %s AND ended_at < %s", [self._account, kept_since])
            # Whoever was cut off while it waited has not waited: it waits as long as it is not over.
            db.execute("DELETE FROM quiet WHERE account = %s AND since <= %s", [self._account, since])
            quiet = db.execute("SELECT FROM quiet WHERE account = %s LIMIT 1", [self._account]).fetchone()
            which = {"account": self._account, "own": own, "since": since, "now": now, "skew": self._link.skew_s}
            found = db.execute(_OTHERS_SENDS, which).fetchall()
        sends = [
            RecentSend(ContactId(contact) if phone is None else PhoneNumber(phone), parts, messages, ended)
            for phone, contact, parts, messages, ended in found
        ]
        return Earlier(sends, quiet is not None)

    def lend_numbers(self, run: OwnRun) -> None:
        """See `Account.lend_numbers`."""
        lend(run, lambda some: self._link.ask(lambda db: accounts.numbers(db, self._account, some)))

    def end(self, run: Run, *, since_s: float, wall_s: float, clock: Clock | None = None) -> None:
        """See `Account.end`; as long as others are at work on it, the run itself knows what it sent."""
        del clock
        with suppress(RunFileError, UsageError):
            goes_on = self._others_at_work()  # asked first: over a connection that broke meanwhile it is asked anew
            self._absorb(run, self._key, since_s, wall_s)
            if goes_on:
                return
            self.history.absorb(run)
            self._is_over(self._key)

    def close(self) -> None:
        """See `Account.close`."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_in_active(self, own: list[str], since_s: float, wall_s: float, *, is_alone: bool) -> bool:
        """Take over what other runs know that are being sent, or were cut off; whether one of the latter is gone."""
        sql = "SELECT key, run FROM active WHERE account = %s AND key <> ALL(%s)"
        is_lost = False
        for key, place in self._link.ask(lambda db: db.execute(sql, [self._account, own]).fetchall()):
            with found_again(key, place_of(placing.told(self._link.database, place))) as run:
                if run is not None:
                    self._absorb(run, key, since_s, wall_s)
                is_lost = is_lost or (run is None and is_alone)
            if is_alone:
                self._is_over(key)
        return is_lost

    def _absorb(self, run: Run, key: str, since_s: float, wall_s: float) -> None:
        skew_s = self._link.skew_s
        sends = list(run.recent_sends(self._kept_since(since_s, wall_s) - skew_s, wall_s))
        learned = sorted(run.numbers())
        columns = [
            [who if isinstance(who, str) else None for who, *_ in sends],
            [who if isinstance(who, int) else None for who, *_ in sends],
            [each.parts for each in sends],
            [each.messages for each in sends],
            [each.ended_at + skew_s for each in sends],
        ]
        with self._link.transaction() as db:
            accounts.remember_alone(db, self._account)
            db.execute("DELETE FROM recent WHERE account = %s AND key = %s", [self._account, key])
            db.execute(_REMEMBER, [self._account, key, *columns])
            contacts, phones = [contact for contact, _ in learned], [phone for _, phone in learned]
            db.execute(_LEARN, [self._account, contacts, phones])

    def _is_over(self, key: str) -> None:
        with self._link.transaction() as db:
            db.execute("DELETE FROM active WHERE account = %s AND key = %s", [self._account, key])

    def _others_at_work(self) -> bool:
        """Whether any other process has phones of the account for sending."""
        found = self._link.ask(lambda db: db.execute(_AT_WORK, [self._account]).fetchall())
        me = Owner.now(0.0, processes_here())
        owners = [Owner.read(owner) for (owner,) in found if owner]
        return any((each.pid, each.host, each.among) != (me.pid, me.host, me.among) for each in owners)

    def _kept_since(self, since_s: float, wall_s: float) -> float:
        """Since when to remember what was sent, by the database's clock."""
        return min(since_s, wall_s - _KEPT_S) + self._link.skew_s
