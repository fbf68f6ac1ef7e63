"""The parts of an account's phones: which one a recipient belongs to, and how a process comes to have them."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from bulksend.errors import AccountBusyError, Advice
from bulksend.model import Event, Recipient
from bulksend.runs import life
from bulksend.runs.accounts import account_name
from bulksend.runs.facts import Address
from bulksend.runs.owner import Owner
from bulksend.runs.postgres.columns import CUTS_OFF
from bulksend.runs.postgres.connecting import Db, one
from bulksend.runs.postgres.schema import SHARDS

_MAKE = f"""
WITH made AS (INSERT INTO account (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING RETURNING id)
INSERT INTO shard (account, no) SELECT id, no FROM made, generate_series(0, {SHARDS - 1}) AS no
"""
MINE = """
    SELECT account, no FROM shard JOIN unnest(%(nos)s::smallint[], %(epochs)s::bigint[]) AS mine (no, epoch)
        USING (no, epoch)
    WHERE account = %(account)s ORDER BY no FOR NO KEY UPDATE OF shard
"""
"""Locks the shards that are still a process's own, in the order of their numbers, as all who lock several: so nobody
waits for who waits for them."""
_LOCK = """
SELECT owner, lease_until > clock_timestamp() FROM shard WHERE account = %s AND no = ANY(%s) ORDER BY no FOR UPDATE
"""
_TAKE = """
UPDATE shard SET epoch = epoch + 1, owner = %(owner)s,
    lease_until = clock_timestamp() + %(length_s)s * interval '1 second'
WHERE account = %(account)s AND no = ANY(%(shards)s) RETURNING no, epoch
"""
_OTHERS = """
SELECT no, epoch, lease_until, owner, lease_until > clock_timestamp()
FROM shard WHERE account = %s AND no <> ALL(%s) ORDER BY no
"""
# As they were seen: whoever went on in the meantime has renewed them, and sends by them.
_LOCK_FREE = """
SELECT no FROM shard JOIN unnest(%s::smallint[], %s::bigint[], %s::timestamptz[]) AS free (no, epoch, lease_until)
    USING (no, epoch)
WHERE account = %s AND shard.lease_until IS NOT DISTINCT FROM free.lease_until
ORDER BY no FOR UPDATE OF shard SKIP LOCKED
"""
_FENCE = """
WITH theirs AS (
    SELECT shard.account, shard.no FROM shard JOIN worker USING (account, owner)
    WHERE worker.run = %s ORDER BY shard.no FOR NO KEY UPDATE OF shard)
UPDATE shard SET epoch = epoch + 1, owner = NULL, lease_until = NULL FROM theirs
WHERE shard.account = theirs.account AND shard.no = theirs.no
"""
_GIVE_BACK = f"""
WITH mine AS ({MINE}) UPDATE shard SET owner = NULL, lease_until = NULL FROM mine
WHERE shard.account = mine.account AND shard.no = mine.no
"""
_CUT_OFF = f"""
{CUTS_OFF}
FROM run, shard
WHERE run.account = %(account)s AND send.run = run.id AND {life.can_be(Event.CUT_OFF, "send.")}
    AND shard.account = run.account AND shard.no = send.shard
    AND shard.no = ANY(%(shards)s) AND send.epoch < shard.epoch
"""


class Free(NamedTuple):
    """A shard as it was seen when nobody living had it."""

    no: int
    epoch: int
    lease_until: datetime | None


def shard_of(recipient: Recipient) -> int:
    """Which part of the account's phones somebody belongs to, for good; a contact by its id."""
    return zlib.crc32(str(recipient).encode()) % SHARDS


def account_of(db: Db, address: Address) -> int | None:
    """The account of an address, made if it is new, inside the caller's transaction; None if that is nobody's."""
    if address.is_rehearsal:
        return None
    name = account_name(address.base_url, address.org_id)
    db.execute(_MAKE, {"name": name})
    return int(one(db.execute("SELECT id FROM account WHERE name = %s", [name]))[0])


def take(db: Db, account: int, shards: Sequence[int], owner: Owner, length_s: float) -> dict[int, int]:
    """Take shards over, inside the caller's transaction; their epochs.

    What an earlier owner has under way in them is in doubt from now on: it will be refused.

    Raises:
        AccountBusyError: somebody living has one of them; the sentence says who.
    """
    for others, is_living in db.execute(_LOCK, [account, list(shards)]).fetchall():
        has_it = None if others is None else Owner.read(others)
        if has_it is not None and is_living and not has_it.is_gone:
            raise AccountBusyError(
                f"another run of this account is sending ({has_it}): one at a time, so that no phone gets too many",
                Advice.WAIT_FOR_ACCOUNT,
            )
    return _taken(db, account, list(shards), owner, length_s)


def free(db: Db, account: int, mine: Collection[int]) -> list[Free]:
    """The shards that nobody living has; none of one's own, whose leases are one's own to renew."""
    found = db.execute(_OTHERS, [account, list(mine)]).fetchall()
    return [Free(*each) for *each, owner, is_living in found if not (owner and is_living and not _is_gone(owner))]


def take_free(db: Db, account: int, some: Sequence[Free], owner: Owner, length_s: float) -> dict[int, int]:
    """Take over those of some shards that are as they were seen free, inside the caller's transaction; their epochs.

    Nobody is waited for: who is just about to take one, or whose last notes are on their way, has it. See also `take`.
    """
    seen = [[each.no for each in some], [each.epoch for each in some], [each.lease_until for each in some]]
    locked = db.execute(_LOCK_FREE, [*seen, account]).fetchall()
    return _taken(db, account, [no for (no,) in locked], owner, length_s) if locked else {}


def fence(db: Db, run: int) -> None:
    """Take from whoever is at work on a run what he sends by: none of them may live, which is looked at after this.

    A worker that stood still renews its lease when it goes on, and would send what is somebody else's to decide by now.
    """
    db.execute(_FENCE, [run])


def kept(owner: Owner) -> str:
    """An owner, as it is kept."""
    return orjson.dumps(owner.kept).decode()


def give_back(db: Db, account: int, epochs: dict[int, int]) -> None:
    """Let others have shards, as far as they are still this process's."""
    db.execute(_GIVE_BACK, {"account": account, "nos": list(epochs), "epochs": list(epochs.values())})


def _taken(db: Db, account: int, nos: list[int], owner: Owner, length_s: float) -> dict[int, int]:
    which = {"account": account, "shards": nos}
    epochs: dict[int, int] = dict(db.execute(_TAKE, which | {"owner": kept(owner), "length_s": length_s}).fetchall())
    db.execute(_CUT_OFF, which)
    return epochs


def _is_gone(owner: str) -> bool:
    return Owner.read(owner).is_gone
