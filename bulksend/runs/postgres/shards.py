"""The parts of an account's phones: which one a recipient belongs to, and how a process comes to have them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict

import orjson

from bulksend.errors import AccountBusyError, Advice
from bulksend.model import Event, Recipient
from bulksend.runs import life
from bulksend.runs.accounts import account_name
from bulksend.runs.facts import Address
from bulksend.runs.owner import Owner
from bulksend.runs.postgres.connecting import Db, one
from bulksend.runs.postgres.schema import SHARDS

_MAKE = f"""
WITH made AS (INSERT INTO account (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING RETURNING id)
INSERT INTO shard (account, no) SELECT id, no FROM made, generate_series(0, {SHARDS - 1}) AS no
"""
# In the order of their numbers, as all who lock several: so nobody waits for who waits for them.
_LOCK = """
SELECT owner, lease_until > clock_timestamp() FROM shard WHERE account = %s AND no = ANY(%s) ORDER BY no FOR UPDATE
"""
_TAKE = """
UPDATE shard SET epoch = epoch + 1, owner = %(owner)s,
    lease_until = clock_timestamp() + %(length_s)s * interval '1 second'
WHERE account = %(account)s AND no = ANY(%(shards)s) RETURNING no, epoch
"""
_CUT_OFF = f"""
UPDATE send SET {life.after(Event.CUT_OFF)}, error = '{life.CUT_OFF}', ended_at = extract(epoch FROM clock_timestamp())
FROM run, message m, shard
WHERE run.account = %(account)s AND send.run = run.id AND {life.can_be(Event.CUT_OFF, "send.")}
    AND m.run = send.run AND m.row = send.row AND shard.account = run.account AND shard.no = m.shard
    AND shard.no = ANY(%(shards)s) AND send.epoch < shard.epoch
"""


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
        has_it = None if others is None else Owner(**orjson.loads(others))
        if has_it is not None and is_living and not has_it.is_gone:
            raise AccountBusyError(
                f"another run of this account is sending ({has_it}): one at a time, so that no phone gets too many",
                Advice.WAIT_FOR_ACCOUNT,
            )
    which = {"account": account, "shards": list(shards)}
    told = which | {"owner": orjson.dumps(asdict(owner)).decode(), "length_s": length_s}
    epochs: dict[int, int] = dict(db.execute(_TAKE, told).fetchall())
    db.execute(_CUT_OFF, which)
    return epochs


def give_back(db: Db, account: int, epochs: dict[int, int]) -> None:
    """Let others have shards, as far as they are still this process's."""
    db.execute(
        """UPDATE shard SET owner = NULL, lease_until = NULL
           FROM unnest(%s::smallint[], %s::bigint[]) AS mine (no, epoch)
           WHERE shard.account = %s AND shard.no = mine.no AND shard.epoch = mine.epoch""",
        [list(epochs), list(epochs.values()), account],
    )
