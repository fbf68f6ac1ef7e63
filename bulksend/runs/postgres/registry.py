"""The registry of workers: who lives, on which run, and with how many shards; the SQL, inside the caller's transaction.

A worker lives as long as it says so in time, and as nobody can see that its process is gone.
"""

from __future__ import annotations

from typing import NamedTuple

from bulksend.errors import AccountBusyError, Advice, OwnedError
from bulksend.runs.owner import Owner
from bulksend.runs.postgres import shards
from bulksend.runs.postgres.connecting import Db, one
from bulksend.runs.postgres.schema import SHARDS
from bulksend.runs.shared import AtWork, Shared

_FORGOTTEN_S = 86_400  # so long nobody asks after a worker that was seen last then
_FORGET = """
DELETE FROM worker WHERE id IN (
    SELECT id FROM worker WHERE seen_until < clock_timestamp() - %s * interval '1 second'
    ORDER BY id FOR UPDATE SKIP LOCKED)
"""
_ENTER = """
INSERT INTO worker (account, owner, seen_until)
VALUES (%s, %s, clock_timestamp() + %s * interval '1 second') RETURNING id
"""
_ONE_BY_ONE = "ORDER BY id FOR NO KEY UPDATE"
_LOCK = f"SELECT FROM worker WHERE account = %s {_ONE_BY_ONE}"
_IS_OPEN = "SELECT id FROM run WHERE id = ANY(%s) AND opened = epoch"
_RENEW = "UPDATE worker SET seen_until = clock_timestamp() + %s * interval '1 second' WHERE id = %s"
_OPENER = """
SELECT account, value FROM run JOIN fact ON fact.run = run.id AND fact.name = 'owner'
WHERE id = %s AND account IS NOT NULL AND lease_until > clock_timestamp()
"""
_LIVING = """
SELECT w.id, w.run, w.owner, extract(epoch FROM w.seen_until - clock_timestamp())::float8, (
    SELECT count(*) FROM shard s
    WHERE s.account = w.account AND s.owner = w.owner AND s.lease_until > clock_timestamp())
FROM worker w WHERE w.account = %s AND w.seen_until > clock_timestamp() ORDER BY w.id
"""


class Living(NamedTuple):
    """A living worker.

    Attributes:
        number: its own in the registry.
        run: on which it is at work; None if on none.
        owner: which process it is.
        left_s: so long it is taken to live unless it says so again.
        shards: so many it has.
    """

    number: int
    run: int | None
    owner: Owner
    left_s: float
    shards: int


def enter(db: Db, account: int, owner: Owner, length_s: float) -> int:
    """Be one of an account's workers from now on; its number. Who was not seen for long is forgotten."""
    db.execute(_FORGET, [_FORGOTTEN_S])
    return int(one(db.execute(_ENTER, [account, shards.kept(owner), length_s]))[0])


def renew(db: Db, number: int, length_s: float) -> bool:
    """Live for as long from now on; whether one was not forgotten."""
    return bool(db.execute(_RENEW, [length_s, number]).rowcount)


def begin(db: Db, account: int, number: int, run: int) -> None:
    """Be at work on a run from now on: all workers of an account on the same, also who begin at the same moment.

    Else one could wait for rows in shards that another keeps, who waits for rows of another run in this one's.

    Raises:
        AccountBusyError: others are at work on another run; the sentence says who.
    """
    db.execute(_LOCK, [account])
    others = [each for each in living(db, account) if each.number != number and each.run != run]
    busy = worked_on(db, others)
    for each in others:
        if each.run in busy:
            says = f"workers are at work on another run of this account ({each.owner}): one is sent after the other"
            raise AccountBusyError(says, Advice.WAIT_FOR_ACCOUNT)
    db.execute("UPDATE worker SET run = %s WHERE id = %s", [run, number])


def hold_off(db: Db, run: int) -> None:
    """Let no worker of a run's account begin with anything until the transaction ends."""
    db.execute(f"SELECT FROM worker WHERE account = (SELECT account FROM run WHERE id = %s) {_ONE_BY_ONE}", [run])


def rest(db: Db, number: int) -> None:
    """Be at work on no run any more."""
    db.execute("UPDATE worker SET run = NULL WHERE id = %s", [number])


def worked_on(db: Db, workers: list[Living]) -> set[int]:
    """The runs on which any of some workers are at work, of those that are still to be sent."""
    runs = [each.run for each in workers if each.run is not None]
    return {run for (run,) in db.execute(_IS_OPEN, [runs])}


def leave(db: Db, number: int) -> None:
    """Be no worker any more."""
    db.execute("DELETE FROM worker WHERE id = %s", [number])


def living(db: Db, account: int) -> list[Living]:
    """The living workers of an account, in the order in which they came."""
    found = db.execute(_LIVING, [account]).fetchall()
    workers = [Living(number, run, Owner.read(owner), *rest) for number, run, owner, *rest in found]
    return [each for each in workers if not each.owner.is_gone]


def at_work(db: Db, run: int) -> list[Living]:
    """Those that are at work on a run."""
    found = db.execute("SELECT account FROM run WHERE id = %s AND account IS NOT NULL", [run]).fetchone()
    return [] if found is None else [each for each in living(db, found[0]) if each.run == run]


def waiting(db: Db, run: int, worker: int) -> list[Living]:
    """Who has opened a run and waits for its turn, if that is another than some worker."""
    found = db.execute(_OPENER, [run]).fetchone()
    if found is None:
        return []
    account, opener = found[0], Owner.read(found[1])
    process = (opener.pid, opener.host, opener.among)
    others = [each for each in living(db, account) if each.number != worker and each.run is None]
    return [each for each in others if (each.owner.pid, each.owner.host, each.owner.among) == process]


def check_unworked(db: Db, run: int, place: object) -> None:
    """See that no living worker is at work on a run.

    Raises:
        OwnedError: one is; the sentence says who.
    """
    workers = at_work(db, run)
    if workers:
        others = f" and {len(workers) - 1} more" if workers[1:] else ""
        raise OwnedError(f"{place}: workers are at work on this run ({workers[0].owner}{others})")


def shared(db: Db, run: int) -> Shared | None:
    """Who works on a run; None if it is not opened for workers."""
    found = db.execute("SELECT account FROM run WHERE id = %s AND opened = epoch", [run]).fetchone()
    return None if found is None else _shared(run, living(db, found[0]), len(shards.free(db, found[0], ())))


def all_shared(db: Db) -> dict[int, Shared]:
    """Who works on each run of a database that is opened for workers."""
    opened = db.execute("SELECT id, account FROM run WHERE opened = epoch").fetchall()
    accounts = {account for _, account in opened}
    found = {account: (living(db, account), len(shards.free(db, account, ()))) for account in accounts}
    return {run: _shared(run, *found[account]) for run, account in opened}


def _shared(run: int, workers: list[Living], free: int) -> Shared:
    at = tuple(AtWork(each.owner, each.run == run, each.left_s, each.shards) for each in workers)
    return Shared(at, free, SHARDS)
