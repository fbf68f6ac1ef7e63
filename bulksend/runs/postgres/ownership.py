"""How a process comes to have a run in a database, and how it gives it up: the SQL, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bulksend.errors import OwnedError
from bulksend.model import Event
from bulksend.runs import life
from bulksend.runs.owner import Owner
from bulksend.runs.postgres import commons, handing, kept, noted, registry, shards
from bulksend.runs.postgres.columns import CUTS_OFF
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.installing import check_known
from bulksend.runs.postgres.reader import Reader

_LOCK = """
SELECT lease_until > clock_timestamp(), (SELECT value FROM fact WHERE fact.run = run.id AND name = 'owner')
FROM run WHERE id = %s FOR UPDATE
"""
_TAKE = """
UPDATE run SET epoch = epoch + 1, lease_until = clock_timestamp() + %(length_s)s * interval '1 second'
WHERE id = %(run)s RETURNING epoch
"""
_IS_MINE = f"""
SELECT (SELECT version FROM installation), run.epoch = %(epoch)s AND (%(account)s::integer IS NULL OR EXISTS (
    SELECT FROM shard JOIN unnest(%(nos)s::smallint[], %(epochs)s::bigint[]) AS mine (no, epoch) USING (no, epoch)
    WHERE shard.account = %(account)s)),
    (SELECT value::integer FROM fact WHERE fact.run = run.id AND name = 'turn'), {commons.TOLD}
FROM run WHERE id = %(run)s
"""
_CUT_OFF = f"""
{CUTS_OFF}
WHERE run = %s AND {life.can_be(Event.CUT_OFF)}
"""


def take(of: Reader, now: Owner, length_s: float) -> int:
    """Become the owner; the epoch. The end of every attempt that an earlier owner left behind is not known.

    Raises:
        OwnedError: a living process has the run, or works on it; the sentence says which.
    """
    _check_unowned(of.db, of.run, of.place)
    shards.fence(of.db, of.run)
    registry.check_unworked(of.db, of.run, of.place)  # behind it: none of them can renew his lease meanwhile
    (epoch,) = of.first(_TAKE, length_s=length_s)
    noted.owner(of, now)
    cut_off(of)
    noted.advance(of)
    return int(epoch)


def check_free(db: Db, run: int, place: object) -> None:
    """See that nobody living has a run, and hold off who would take it until the transaction ends; nothing is changed.

    Raises:
        OwnedError: somebody has; the sentence says who.
    """
    _check_unowned(db, run, place)
    registry.check_unworked(db, run, place)


def check_epoch(of: Reader, epoch: int) -> None:
    """See that nobody else has taken the run over, and hold off who would.

    Raises:
        OwnedError: somebody has.
    """
    _check_epoch(of, epoch, "FOR SHARE")


def hold_off_all(of: Reader, epoch: int) -> None:
    """The same, and hold off whoever has to do with it: workers that begin with it, or note something of it.

    Raises as `check_epoch` does.
    """
    registry.hold_off(of.db, of.run)
    _check_epoch(of, epoch, "FOR UPDATE")


def check_mine(of: Reader, mine: Mapping[str, Any], *, begins: bool) -> tuple[Any, ...]:
    """See that nobody else has the run, nor all of its shards; its turn, and what `Commons.hear` is told.

    Args:
        of: the run.
        mine: what this process holds.
        begins: whether intents follow: then who would take the run over waits for them.

    Raises:
        OwnedError: somebody has.
        RunFileError: the tables are of another version by now; until the transaction ends they stay as they are.
    """
    found = of.first(f"{_IS_MINE} {'FOR SHARE OF run' if begins else ''}", **mine)
    if found is not None:
        check_known(found[0], of.place)
    if found is None or not found[1]:
        raise OwnedError(f"{of.place}: another bulksend process has taken this run over")
    return tuple(found[2:])


def wait_out(of: Reader, mine: Mapping[str, Any]) -> None:
    """Wait for an own transaction that noted intents, and may go on though its connection is gone.

    Args:
        of: the run.
        mine: what this process holds, by which such a transaction holds off who would take it over.
    """
    its_run = "SELECT FROM run WHERE id = %(run)s FOR NO KEY UPDATE"
    of.db.execute(its_run if mine["account"] is None else shards.MINE, {"run": of.run, **mine})


def cut_off(of: Reader) -> None:
    """Of whatever is under way the end is not known: nobody who has the run will note it."""
    of.db.execute(_CUT_OFF, [of.run])


def _check_unowned(db: Db, run: int, place: object) -> None:
    found = db.execute(_LOCK, [run]).fetchone()
    if found is None:
        raise OwnedError(f"{place}: another bulksend process has removed this run")
    is_living, owner = found
    has_it = None if owner is None else Owner.read(owner)
    if is_living and not (has_it and has_it.is_gone):
        named = f" ({has_it})" if has_it else ""
        raise OwnedError(f"{place}: another bulksend process is at work on this run{named}")


def _check_epoch(of: Reader, epoch: int, lock: str) -> None:
    found = of.first(f"SELECT epoch, (SELECT version FROM installation) FROM run WHERE id = %(run)s {lock}")
    if found is not None:
        check_known(found[1], of.place)
    if found is None or found[0] != epoch:
        raise OwnedError(f"{of.place}: another bulksend process has taken this run over")


def give_up(of: Reader) -> None:
    """Let others have the run; workers send on what was left to them."""
    noted.advance(of)
    handing.go_on(of)
    kept.forget(of.db, of.run, "owner")
    of.db.execute("UPDATE run SET lease_until = NULL WHERE id = %s", [of.run])
