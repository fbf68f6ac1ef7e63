"""A run that workers send is taken by somebody for a while, and comes back to them: the SQL, inside the transaction.

Who takes it may settle or read something of it, or mean to send it. Unless it was sent, ended or closed by then,
workers send on as if nobody had had it: also where he is killed, for nobody else may come. What was asked of him
meanwhile, that it end, holds for them.
"""

from __future__ import annotations

from bulksend.runs.ends import End, asked_words
from bulksend.runs.postgres import kept, noted
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.reader import Reader
from bulksend.sending import StopReason

_BEFORE = "SELECT opened FROM run WHERE id = %(run)s AND opened < epoch"
_GO_ON = "UPDATE run SET opened = epoch WHERE id = %(run)s RETURNING epoch"
_END = "UPDATE run SET opened = NULL WHERE id = %(run)s RETURNING epoch"
_ABANDONED = """
SELECT id, name FROM run
WHERE account = %s AND name IS NOT NULL AND opened < epoch AND lease_until < clock_timestamp() ORDER BY id
"""
_LOCK = "SELECT FROM run WHERE id = %(run)s AND lease_until < clock_timestamp() FOR UPDATE"
# So that who was only taken for dead is refused from now on.
_TAKE_BACK = "UPDATE run SET epoch = epoch + 1, lease_until = NULL WHERE id = %(run)s"


def go_on(of: Reader) -> None:
    """Have workers send on what was open to them when it was taken, or end it if that was asked since."""
    before = _before(of)
    if before is None:
        return
    asked = kept.read(of.db, of.run, "asked to end")
    if asked is not None and asked[0] > before:
        end(of, asked_end(asked[1], asked[1]))
        return
    _become(of, _GO_ON)


def end(of: Reader, how: End) -> bool:
    """End what was open to workers when it was taken, and would be once more; whether it was."""
    if _before(of) is None:
        return False
    noted.end(of, _become(of, _END), how)
    return True


def asked_end(at_s: float, noted_s: float) -> End:
    """That somebody asked for the end, then by this machine's clock and by the database's."""
    return End(StopReason.ASKED.value, asked_words(at_s), noted_s)


def abandoned(db: Db, account: int) -> list[tuple[int, str]]:
    """The runs of an account, with their names, that were taken from workers by somebody who was not heard of since."""
    return db.execute(_ABANDONED, [account]).fetchall()


def take_back(of: Reader) -> None:
    """Have workers send on such a run, if that is what is to become of it."""
    if of.first(_LOCK) is not None and _before(of) is not None:
        of.db.execute(_TAKE_BACK, {"run": of.run})
        kept.forget(of.db, of.run, "owner")
        go_on(of)


def _become(of: Reader, change: str) -> int:
    """Note what becomes of a run for workers; its epoch, under which it was sent from now on, or it was cut off."""
    first, _ = kept.read(of.db, of.run, "started")
    (epoch,) = of.first(change)
    kept.note(of.db, of.run, "started", [first, epoch])
    return int(epoch)


def _before(of: Reader) -> int | None:
    """The epoch under which a run was open to workers before it was taken; None if that is over."""
    found = of.first(_BEFORE)
    if found is None or kept.read(of.db, of.run, "closed") is not None:
        return None
    before = int(found[0])
    (_, sent_under), ended = kept.read(of.db, of.run, "started"), kept.read(of.db, of.run, "end")
    return before if sent_under == before and (ended is None or ended[0] <= before) else None
