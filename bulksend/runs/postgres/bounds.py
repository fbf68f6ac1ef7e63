"""What a run may cost, and how many of its rows may end unsent, for all processes that send it: one row, locked first.

The same as `bulksend.sending.Budget` and `Errors` do for one process. What a row is held at stands with its send, and
counts as long as that is under way or in doubt, whoever began it. So nothing has to be taken over from who is gone: its
messages are put in doubt, and stay held. The first of each kind goes alone here, too: as long as it is under way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from bulksend.model import API_FIELD, Event, Message, Outcome
from bulksend.runs import life
from bulksend.runs.postgres.columns import who
from bulksend.runs.postgres.connecting import array
from bulksend.runs.postgres.outcomes import Intent
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State
from bulksend.sending import ErrorLimit, Errors, Money, Stop, StopReason, kind_of, paid, part_told, priced

_GOOD = {Event.ACCEPTED, Event.KNOWN}

_OPEN = "INSERT INTO bound VALUES (%(run)s, %(left)s, %(dearest)s, %(most)s, %(is_percent)s, %(done)s, %(bad)s)"
_HELD = """
UPDATE send SET held = was.held, bad = was.bad
FROM json_to_recordset(%(rows)s::json) AS was (row bigint, held bigint, bad boolean)
WHERE send.run = %(run)s AND send.row = was.row
"""
_LOCK = """
SELECT cost_left, dearest_part, most_errors, is_percent, done, bad FROM bound WHERE run = %(run)s FOR NO KEY UPDATE
"""
# Asked anew once the row is locked: what the statement that waited sees is older.
_PRICES = f"""
SELECT kind, part, is_known, EXISTS (
    SELECT FROM send s WHERE s.run = price.run AND s.row = price.first AND s.state = '{State.IN_FLIGHT}'
) FROM price WHERE run = %(run)s
"""
_MESSAGE = f"m.row, m.phone, m.contact, NULL, CASE WHEN position('{API_FIELD}' in m.text) > 0 THEN '{API_FIELD}'"
_MESSAGE += " ELSE '' END, m.parts, m.price"
_WANTED = f"""
SELECT {_MESSAGE}, CASE WHEN s.doubt_since IS NOT NULL THEN s.held END
FROM unnest(%(rows)s::bigint[]) WITH ORDINALITY AS wanted (row, place)
JOIN message m ON m.run = %(run)s AND m.row = wanted.row LEFT JOIN send s ON s.run = m.run AND s.row = m.row
ORDER BY place
"""
_UNDER_WAY = f"SELECT EXISTS (SELECT FROM send WHERE run = %(run)s AND state = '{State.IN_FLIGHT}')"
# Locked, for who takes a row over puts it in doubt: then all of it stays held, and its outcome is not noted.
_BEFORE = f"""
SELECT {_MESSAGE}, coalesce(s.held, 0), s.bad IS TRUE
FROM json_to_recordset(%(done)s::json) AS done (row bigint, epoch bigint, ticket bigint)
JOIN send s ON s.run = %(run)s AND s.row = done.row AND s.epoch = done.epoch AND s.ticket = done.ticket
    AND s.state = '{State.IN_FLIGHT}'
JOIN message m ON m.run = s.run AND m.row = s.row ORDER BY s.row FOR NO KEY UPDATE OF s
"""
_CHANGE = """
UPDATE bound SET cost_left = %(left)s, dearest_part = %(dearest)s, done = %(done)s, bad = %(bad)s WHERE run = %(run)s
"""
_TELL = """
INSERT INTO price VALUES (%(run)s, %(kind)s, %(part)s, true) ON CONFLICT (run, kind) DO UPDATE
SET part = greatest(price.part, excluded.part), is_known = true
"""
_GOES_FIRST = """
INSERT INTO price VALUES (%(run)s, %(kind)s, 0, false, %(first)s) ON CONFLICT (run, kind) DO UPDATE
SET first = excluded.first
"""
# Of what was sent nobody asks any more: to write millions of such rows anew would take long.
_FORGET = f"""
UPDATE send SET held = NULL, bad = NULL
WHERE run = %s AND (held > 0 OR bad) AND ({life.is_to_send()} OR {life.is_not_sent()})
"""
_ALL_HELD = f"""
SELECT {_MESSAGE}, s.held FROM send s JOIN message m ON m.run = s.run AND m.row = s.row
WHERE s.run = %(run)s AND (s.state = '{State.IN_FLIGHT}' OR s.state = '{State.UNKNOWN}') AND s.held > 0
    AND s.row <> ALL(%(ended)s::bigint[])
"""


class _Price(NamedTuple):
    part: int = 0
    is_known: bool = False
    is_under_way: bool = False


class _New(NamedTuple):
    kind: str
    is_first: bool
    cost: int  # that is not held yet


def forget(of: Reader) -> None:
    """Limit a run no more."""
    of.db.execute("DELETE FROM bound WHERE run = %s", [of.run])
    of.db.execute("DELETE FROM price WHERE run = %s", [of.run])
    of.db.execute(_FORGET, [of.run])


def open_bounds(of: Reader, money: Money | None, errors: Errors | None) -> None:
    """Limit a run, which nothing limits yet, as things stand: nothing of it is under way.

    Args:
        of: the run.
        money: what is left of its budget; None if it may cost anything.
        errors: how many rows may end unsent, with those so far; None for any number.
    """
    if money is None and errors is None:
        return
    which = {
        "run": of.run,
        "left": money and money.left,
        "dearest": money and money.dearest_part,
        "most": errors and errors.limit.number,
        "is_percent": errors and errors.limit.is_percent,
        "done": errors.done if errors else 0,
        "bad": errors.count if errors else 0,
    }
    of.db.execute(_OPEN, which)
    held, bad = money.held if money else {}, set(errors.so_far if errors else ())
    rows = [{"row": row, "held": held.get(row), "bad": row in bad} for row in held.keys() | bad]
    of.db.execute(_HELD, {"run": of.run, "rows": orjson.dumps(rows).decode()})
    for kind, part in (money.told if money else {}).items():
        of.db.execute("INSERT INTO price VALUES (%s, %s, %s, false)", [of.run, kind, part])


class Bounds:
    """A run's limits inside one transaction: they are locked until it ends.

    Args:
        of: the run.
        known: kinds of which this process knows what a part costs at most, and that everybody was told.

    Attributes:
        waits: rows that must not begin, for there is no money for them as things are; None if none were to begin.
        stop: why the run must end; None if it may go on.
        told: what was told of kinds.
    """

    def __init__(self, of: Reader, known: Mapping[str, int]) -> None:
        self.waits: list[int] | None = None
        self.stop: Stop | None = None
        self.told: dict[str, int] = {}
        self._of = of
        self._known = known
        self._new: dict[int, _New] = {}
        self._held: dict[int, int] = {}  # of the rows that end, as far as it has not come free
        self._ended: Collection[int] = ()
        left, dearest, most, is_percent, self._done, self._bad = of.first(_LOCK)
        self._left: int | None = left
        self._dearest: int = dearest or 0
        self._limit = None if most is None else ErrorLimit(most, is_percent)

    def hold(self, rows: Sequence[int]) -> dict[int, int]:
        """What rows that are about to begin are held at, in their order, as far as there is money for them."""
        self.waits = waits = self.waits or []
        if self._left is None:
            return dict.fromkeys(rows, 0)
        costs: dict[int, int] = {}
        prices = {kind: _Price(*rest) for kind, *rest in self._of.all(_PRICES)}
        left, is_filled = self._left, False
        for *named, held in self._of.all(_WANTED, rows=array(rows)):
            message = _message(*named)
            kind = kind_of(message.recipient)
            price = prices.get(kind, _Price())
            cost = priced(message, self._dearest, price.part).cost if held is None else held
            new = cost if held is None else 0
            is_not_yet = held is None and price.is_under_way and not price.is_known
            is_filled = is_filled or (held is None and cost > left and not is_not_yet)
            if is_filled or is_not_yet:
                waits.append(message.row)
                continue
            left -= new
            costs[message.row] = cost
            self._new[message.row] = _New(kind, held is None and not price.is_known, new)
            prices[kind] = price._replace(is_under_way=price.is_under_way or held is None)
        if is_filled and not costs and not self._of.first(_UNDER_WAY)[0]:
            self.stop = Stop(StopReason.BUDGET_FILLED, "the next message would exceed the budget")
        return costs

    def begun(self, rows: Iterable[int]) -> None:
        """Of those that were held these have begun."""
        new = [(row, self._new.pop(row)) for row in rows if row in self._new]
        if self._left is not None and (cost := sum(each.cost for _, each in new)):
            self._left -= cost
            self._change()
        for row, each in new:
            if each.is_first:
                self._of.db.execute(_GOES_FIRST, {"run": self._of.run, "kind": each.kind, "first": row})

    def settle(self, outcomes: Sequence[tuple[Outcome, Intent]]) -> dict[int, bool]:
        """Outcomes are about to be noted: what is held of them comes free, and errors are counted.

        Returns:
            By row that is done with, whether it is an error.
        """
        done = [{"row": each.row, "epoch": intent.epoch, "ticket": intent.ticket} for each, intent in outcomes]
        before = {row[0]: row for row in self._of.all(_BEFORE, done=orjson.dumps(done).decode())}
        self._held = {row: found[-2] for row, found in before.items()}
        self._ended = before.keys()
        bad: dict[int, bool] = {}
        for outcome, _ in outcomes:
            if (found := before.get(outcome.row)) is not None:
                *named, _, was_bad = found
                self._pay(outcome, _message(*named))
                if (is_bad := _is_bad(outcome)) is not None:
                    bad[outcome.row] = is_bad
                    self._done += not was_bad
                    self._bad += is_bad - was_bad
        if before:
            self._change()
        if self._limit is not None and self._limit.is_exceeded(self._bad, self._done):
            says = f"{self._bad} of {self._done} rows could not be sent, more than the limit of {self._limit}"
            self.stop = Stop(StopReason.TOO_MANY_ERRORS, says, self._bad, self._done, self._limit)
        return bad

    def take_back(self, held: int) -> None:
        """Intents were taken back that surely did not leave: what was held of them comes free."""
        if self._left is not None and held:
            self._left += held
            self._change()

    def _pay(self, outcome: Outcome, message: Message) -> None:
        if self._left is None or ((outcome.event is Event.DOUBTED or outcome.in_doubt) and outcome.event not in _GOOD):
            return  # it stays held
        held = self._held.pop(message.row)
        is_free = outcome.http_status == 409 and not outcome.in_doubt  # the server knew it from elsewhere
        if outcome.event is Event.ACCEPTED and not is_free:
            self._left += held - paid(message, held, outcome.answer)
            self._tell(kind_of(message.recipient), part_told(message, outcome.answer))
        else:
            self._left += held

    def _tell(self, kind: str, part: int) -> None:
        """An answer told what a part costs: what is held of its kind is held at no less."""
        if self._known.get(kind, -1) >= part or self.told.get(kind, -1) >= part:
            return
        before = {each: price for each, price, *_ in self._of.all(_PRICES)}.get(kind, 0)
        self._of.db.execute(_TELL, {"run": self._of.run, "kind": kind, "part": part})
        self.told[kind] = part
        self._dearest = max(self._dearest, part)
        if part <= before:
            return
        raised = []
        for *named, held in self._of.all(_ALL_HELD, ended=array(row for row in self._ended if row not in self._held)):
            message = _message(*named)
            cost = part * priced(message, 0, 0).parts
            if kind_of(message.recipient) == kind and cost > held:
                raised.append({"row": message.row, "held": cost})
                self._left = (self._left or 0) - cost + held
                if message.row in self._held:
                    self._held[message.row] = cost
        self._of.db.execute(
            """UPDATE send SET held = now.held FROM json_to_recordset(%s::json) AS now (row bigint, held bigint)
               WHERE send.run = %s AND send.row = now.row""",
            [orjson.dumps(raised).decode(), self._of.run],
        )

    def _change(self) -> None:
        now = {"left": self._left, "dearest": self._dearest, "done": self._done, "bad": self._bad}
        self._of.db.execute(_CHANGE, {"run": self._of.run, **now})


def _message(row: int, phone: str | None, contact: int | None, *rest: object) -> Message:
    return Message(row, who(phone, contact), *rest)  # type: ignore[arg-type]


def _is_bad(outcome: Outcome) -> bool | None:
    """Whether a row ended unsent, or in doubt with no safe repeat left; None if this run has not done with it."""
    if not outcome.final or (outcome.event is Event.EXCLUDED and not outcome.in_doubt):
        return None
    return outcome.event not in _GOOD
