"""A run is opened for workers, sent by all of them, and ended once: the SQL, inside the caller's transaction.

Open is a run under the epoch of whoever opened it: as long as somebody else has it, it is not. How it comes back to the
workers then: `bulksend.runs.postgres.handing`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import orjson

from bulksend.runs.ends import FINISHED, LIMITED, End
from bulksend.runs.orders import Orders
from bulksend.runs.postgres import bounds, kept, noted, past, queries, registry, stops
from bulksend.runs.postgres.connecting import Db, array
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State
from bulksend.runs.times import schedule_of
from bulksend.sending import Errors, Money, Proof, Stop
from bulksend.when import Schedule

_OPEN = """
UPDATE run SET opened = epoch, opened_at = extract(epoch FROM clock_timestamp())
WHERE id = %(run)s AND epoch = %(epoch)s RETURNING opened_at
"""
_CLOSE = "UPDATE run SET opened = NULL WHERE id = %(run)s AND opened = epoch AND epoch = %(epoch)s RETURNING id"
_LIST = """
SELECT run.id, run.name, opened, opened_at, o.value, s.value FROM run
JOIN fact o ON o.run = run.id AND o.name = 'orders' LEFT JOIN fact s ON s.run = run.id AND s.name = 'schedule'
WHERE account = %s AND opened = epoch AND run.name IS NOT NULL ORDER BY opened_at, run.id
"""
_LEFT = f"""
SELECT EXISTS (SELECT FROM message m LEFT JOIN send s ON s.run = m.run AND s.row = m.row
    WHERE m.run = %(run)s AND m.row BETWEEN %(first)s AND %(until)s AND m.status = 'pending'
        AND {past.TO_SEND} AND {past.UNTRIED} AND {past.MINE})
"""
_UNDER_WAY = f"SELECT EXISTS (SELECT FROM send WHERE run = %(run)s AND state = '{State.IN_FLIGHT}')"


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run that workers send.

    Attributes:
        number: which of the database's runs it is.
        name: its name.
        epoch: under which it was opened.
        at: when, in seconds since 1970, by the database's clock: what failed since is not tried again.
        orders: how it is sent.
        schedule: when.
    """

    number: int
    name: str
    epoch: int
    at: float
    orders: Orders
    schedule: Schedule

    @property
    def repeats_until(self) -> int:
        """The last row that is repeated of those that were in doubt then."""
        return queries.LAST_ROW if self.orders.repeats_until is None else self.orders.repeats_until


class Progress(NamedTuple):
    """Where the run stands that a worker is at work on.

    Attributes:
        is_open: whether it is still to be sent.
        stop: why it is to end for all, or did, if one of its workers has seen that.
        end: how it ended, if it did.
    """

    is_open: bool
    stop: Stop | None = None
    end: End | None = None


def open_run(
    of: Reader, epoch: int, orders: Orders, limit: int | None, money: Money | None, errors: Errors | None,
    repeats: int | None = None,
) -> None:  # fmt: skip
    """Open a run of this owner's for workers, who begin when he has given it up; see also `open_bounds`.

    Args:
        of: the run.
        epoch: the owner's.
        orders: how it is sent.
        limit: only the first so many rows; None for all.
        money: what is left of its budget.
        errors: how many of its rows may end unsent.
        repeats: only the first so many rows in doubt are repeated; None for all.

    Raises:
        OwnedError: workers are at work on it.
    """
    registry.check_unworked(of.db, of.run, of.place)  # those of the last time may not have left yet
    if limit is not None:
        orders = replace(orders, until=queries.until(of, limit))
    (at,) = of.first(_OPEN, epoch=epoch)
    if orders.repeats and not (errors is None and repeats is None):
        hoped = _undecided(of, orders, float(at))[:repeats]
        if repeats is not None:
            orders = replace(orders, repeats_until=hoped[-1] if hoped else 0)
        for row in hoped:
            if errors is not None:
                errors.hope(row)
    kept.note(of.db, of.run, "orders", orders)
    noted.start(of, epoch, at)
    bounds.open_bounds(of, money, errors)


def _undecided(of: Reader, orders: Orders, at: float) -> list[int]:
    """The rows in doubt that may be repeated, in their order."""
    proof = Proof(int(kept.read(of.db, of.run, "turn") or 0), keyed=orders.keyed)
    if not proof.held:
        return []
    mine = {"nos": None, "opened_at": at, "tries": 0, "repeats_until": queries.LAST_ROW}
    return [each.row for each in past.undecided(of, mine, at - proof.memory_s, proof.held, by_parts=True)]


def close(of: Reader, epoch: int, end: End) -> bool:
    """End a run for all of its workers, as it is only ended once; whether this did.

    Args:
        of: the run.
        epoch: under which it was opened.
        end: how; its time by the database's clock.
    """
    if of.first(_CLOSE, epoch=epoch) is None:
        return False
    noted.end(of, epoch, end)
    return True


def close_if_alone(of: Reader, opened: OpenedRun, end: End, worker: int) -> int:
    """End a run that nobody else has to do with any more, unless it was left to workers; how many have.

    Args:
        of: the run.
        opened: the same, as it was opened.
        end: how it ends; its time by the database's clock.
        worker: who leaves it.
    """
    of.first("SELECT FROM run WHERE id = %(run)s FOR UPDATE")
    others = registry.at_work(of.db, of.run) or registry.waiting(of.db, of.run, worker)
    if not others and not opened.orders.is_left:
        close(of, opened.epoch, end)
    return len(others)


def close_if_through(of: Reader, opened: OpenedRun, at_s: float) -> bool:
    """End a run of which nothing is left to send, nor under way; whether it is open no more."""
    found = of.first("SELECT opened FROM run WHERE id = %(run)s AND opened = epoch FOR UPDATE")
    if found is None or found[0] != opened.epoch:
        return True
    noted.advance(of)
    if is_left(of, opened) or of.first(_UNDER_WAY)[0]:
        return False
    is_limited = opened.orders.until is not None and is_left(of, opened, is_limited=False)
    return close(of, opened.epoch, End(LIMITED if is_limited else FINISHED, at_s=at_s))


def is_opened(of: Reader) -> bool:
    """Whether a run was opened for workers, and not closed since."""
    return bool(of.first("SELECT opened IS NOT NULL FROM run WHERE id = %(run)s")[0])


def is_left(
    of: Reader, opened: OpenedRun, shards: list[int] | None = None, *, is_limited: bool = True
) -> bool:  # fmt: skip
    """Whether anything of a run is left to send, in some shards or in all."""
    until = opened.orders.until if is_limited else None
    which = {"first": queries.first_unfinished(of), "until": queries.LAST_ROW if until is None else until}
    nos = None if shards is None else array(shards)
    return bool(of.first(_LEFT, opened_at=opened.at, nos=nos, **which)[0])


def has_accepted(of: Reader) -> bool:
    """Whether any message of a run was accepted."""
    return bool(of.first(f"SELECT EXISTS (SELECT FROM send WHERE run = %(run)s AND state = '{State.SENT}')")[0])


def progress(of: Reader, epoch: int) -> Progress:
    """Where a run stands that was opened under an epoch."""
    found = of.first(
        f"SELECT opened = epoch AND epoch = %(epoch)s, {stops.TOLD} FROM run WHERE id = %(run)s", epoch=epoch
    )
    stop = None if found is None else stops.told(found[1])
    if found is not None and found[0]:
        return Progress(is_open=True, stop=stop)
    ended = None if found is None else kept.read(of.db, of.run, "end")
    return Progress(is_open=False, stop=stop, end=End(*ended[1:]) if ended and ended[0] == epoch else None)


def opened_runs(db: Db, account: int) -> list[OpenedRun]:
    """The runs of an account that are opened for workers, the oldest first."""
    return [
        OpenedRun(
            number, name, epoch, at, Orders.told(orjson.loads(orders)),
            Schedule() if schedule is None else schedule_of(orjson.loads(schedule)),
        )
        for number, name, epoch, at, orders, schedule in db.execute(_LIST, [account]).fetchall()
    ]  # fmt: skip
