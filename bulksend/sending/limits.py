"""What ends a run early for its own good: too many errors, or the same rejection from the first on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bulksend.errors import UsageError

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


class Errors:
    """Counts the rows of a whole run that could not be sent, those of earlier commands included.

    A row in doubt is one of them as long as no safe repeat is left; it and one that failed may still turn out well.

    Args:
        limit: how many there may be.
        done: rows that were done with before.
        for_good: of these, so many are errors that nothing changes any more.
        so_far: of these, the rows that are errors so far.
    """

    __slots__ = ("_bad", "_for_good", "done", "limit")

    def __init__(self, limit: ErrorLimit, *, done: int = 0, for_good: int = 0, so_far: Iterable[int] = ()) -> None:
        self.limit = limit
        self.done = done
        self._for_good = for_good
        self._bad = set(so_far)

    @property
    def count(self) -> int:
        """How many there are."""
        return self._for_good + len(self._bad)

    @property
    def so_far(self) -> frozenset[int]:
        """The rows that are errors, and may still turn out well."""
        return frozenset(self._bad)

    @property
    def is_exceeded(self) -> bool:
        """Whether they are too many."""
        return self.limit.is_exceeded(self.count, self.done)

    def hope(self, row: int) -> None:
        """A row of before is to be repeated safely: it is no error yet."""
        if row in self._bad:
            self._bad.remove(row)
            self.done -= 1

    def sent(self, row: int) -> None:
        """A row was sent."""
        if row in self._bad:
            self._bad.remove(row)
        else:
            self.done += 1

    def not_sent(self, row: int) -> None:
        """A row could not be sent, or is in doubt and cannot be repeated."""
        if row not in self._bad:
            self._bad.add(row)
            self.done += 1


def alike_max(concurrency: int) -> int:
    """So many first messages rejected in the same words mean that the fault is not theirs."""
    return max(50, 4 * concurrency)
