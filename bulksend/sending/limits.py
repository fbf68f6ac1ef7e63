"""What ends a run early for its own good: a filled budget, too many errors, nothing but failures."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bulksend.errors import UsageError
from bulksend.model import MicroUSD

_JUDGED_FROM = 100  # rows; of fewer, a percentage says nothing
_LIMIT = re.compile(r"(?P<number>\d{1,9})(?P<percent>%)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """How many rows may end unsent before the run stops.

    Attributes:
        number: rows, or percent of the rows done so far (from the 100th on).
        is_percent: which of the two.
    """

    number: int
    is_percent: bool

    @classmethod
    def parse(cls, text: str) -> ErrorLimit:
        """Read ``20`` or ``5%``.

        Raises:
            UsageError: it is neither.
        """
        found = _LIMIT.fullmatch(text.strip())
        if not found or (found["percent"] and int(found["number"]) > 100):
            raise UsageError(
                f"error limit {text!r} is not understood: write a number such as 20, or a share such as 5%"
            )
        return cls(int(found["number"]), found["percent"] is not None)

    def is_exceeded(self, errors: int, done: int) -> bool:
        """Whether so many errors of so many rows done are too many."""
        if self.is_percent:
            return done >= _JUDGED_FROM and errors * 100 > self.number * done
        return errors > self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.is_percent else f"{self.number}"


def failures_max(concurrency: int) -> int:
    """So many failed attempts in a row mean that the fault is not the messages'; more than go under in one outage."""
    return max(50, 4 * concurrency)


class Budget:
    """What a run may cost; it counts what is in flight and what may have been accepted, so it is never overshot.

    A message without a known price is taken to cost as much as the dearest known one.

    Args:
        limit: micro-USD of the whole run.
        spent: micro-USD that it was charged already.
        dearest: micro-USD of the dearest message known.
        in_doubt: by row, what messages cost that may have been accepted.
    """

    __slots__ = ("_dearest", "_held", "_left")

    def __init__(self, limit: MicroUSD, *, spent: int, dearest: int, in_doubt: dict[int, int | None]) -> None:
        self._dearest = dearest
        self._held = {row: dearest if price is None else price for row, price in in_doubt.items()}
        self._left = limit - spent - sum(self._held.values())

    def hold(self, row: int, price: int | None) -> bool:
        """Set a message's price aside before it leaves; False if there is not so much left."""
        if row in self._held:
            return True  # a repeat of what may have been charged already
        price = self._dearest if price is None else price
        if price > self._left:
            return False
        self._held[row] = price
        self._left -= price
        return True

    def accepted(self, row: int, charged: int | None) -> None:
        """It was sent; if the API did not say for how much, then for its price."""
        held = self._held.pop(row, 0)
        cost = held if charged is None else charged
        self._left += held - cost
        self._dearest = max(self._dearest, cost)

    def not_sent(self, row: int) -> None:
        """It certainly was not accepted: its price is free again."""
        self._left += self._held.pop(row, 0)
