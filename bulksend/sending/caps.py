"""A telco's cap on one phone, kept as an exact rolling window.

The API document's last section: Philippine telcos let 5 SMS per number and minute through and silently lose what
exceeds it. Only an exact window keeps that promise: a leaky bucket of the same rate lets up to 9 through in its
first minute.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bulksend.errors import UsageError
from bulksend.model import Recipient

_CAP = re.compile(r"\+?(?P<prefix>[1-9]\d{0,14})=(?P<count>[1-9]\d{0,5})/(?P<window>\d+(?:\.\d+)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``count`` SMS in any ``window_s`` seconds to one phone whose number starts with ``prefix``."""

    prefix: str
    count: int
    window_s: float

    @classmethod
    def parse(cls, text: str) -> Cap:
        """Read ``prefix=count/seconds``, such as ``63=5/60``.

        Raises:
            UsageError: the text is not of that form.
        """
        found = _CAP.fullmatch(text.strip())
        if not found or not float(found["window"]):
            raise UsageError(f"cap {text!r} is not understood: write PREFIX=COUNT/SECONDS, such as 63=5/60")
        return cls(found["prefix"], int(found["count"]), float(found["window"]))

    def least_s(self, messages: int, slots: int) -> float:
        """How long so many messages to one phone take at least, in seconds; one longer than the cap counts as full."""
        return (math.ceil(min(slots, messages * self.count) / self.count) - 1) * self.window_s

    def __str__(self) -> str:
        return f"{self.prefix}={self.count}/{self.window_s:g}"


PHILIPPINES = Cap("63", 5, 60.0)
"""5 SMS per number and minute (API document, after the list of HTTP status codes)."""


class Caps:
    """Which cap holds for whom; the longest prefix wins, and a given cap replaces the known one of its prefix."""

    __slots__ = ("_by_prefix", "_strictest")

    def __init__(self, given: Iterable[Cap] = ()) -> None:
        known = {PHILIPPINES.prefix: PHILIPPINES} | {cap.prefix: cap for cap in given}
        self._by_prefix = sorted(known.values(), key=lambda cap: len(cap.prefix), reverse=True)
        self._strictest = Cap(
            "", min(cap.count for cap in self._by_prefix), max(cap.window_s for cap in self._by_prefix)
        )

    def of(self, recipient: Recipient) -> Cap | None:
        """The recipient's cap, or None if it is free; a contact of unknown number is held to every one."""
        if isinstance(recipient, int):
            return self._strictest
        for cap in self._by_prefix:
            if recipient.startswith(cap.prefix):
                return cap
        return None

    def __iter__(self) -> Iterator[Cap]:
        return iter(self._by_prefix)

    @property
    def longest_window_s(self) -> float:
        """How far back a send can still count, in seconds."""
        return max(cap.window_s for cap in self._by_prefix)


class Window:
    """The SMS to one phone that count against its cap now.

    A slot is taken when an attempt starts and comes free one window after its answer arrived, because the SMS
    reached the server at some moment between the two: so no two arrivals are ever closer than they look from here.

    Attributes:
        in_flight: slots of attempts that have no answer yet.
    """

    __slots__ = ("_held", "in_flight")

    def __init__(self) -> None:
        self.in_flight = 0
        self._held: list[tuple[float, int]] = []  # (free at, slots), earliest first; a list, for there are many windows

    def take(self, slots: int) -> None:
        """An attempt starts."""
        self.in_flight += slots

    def answered(self, slots: int, free_at: float) -> None:
        """An attempt's answer came, or its time-out struck: its slots stay taken until ``free_at``."""
        self.in_flight -= slots
        self.hold(slots, free_at)

    def hold(self, slots: int, free_at: float) -> None:
        """Count slots taken elsewhere or earlier until ``free_at``."""
        self._held.append((free_at, slots))
        if len(self._held) > 1 and self._held[-2][0] > free_at:
            self._held.sort()

    def unsent(self, slots: int) -> None:
        """An attempt certainly never left this machine: its slots come back at once."""
        self.in_flight -= slots

    def merge(self, other: Window) -> None:
        """Count what ``other`` counts as well: two spellings turned out to be one phone."""
        self.in_flight += other.in_flight
        self._held = sorted([*self._held, *other._held])

    def free_at(self, slots: int, count: int, mono_s: float) -> float:
        """When ``slots`` more fit under ``count``: ``mono_s``, later, or ``math.inf`` if only an answer can tell.

        A message of more slots than the cap goes when nothing else counts any more.
        """
        self._expire(mono_s)
        used = self.in_flight + sum(held for _, held in self._held)
        room = max(count - slots, 0)
        if used <= room:
            return mono_s
        for free_at, held in self._held:
            used -= held
            if used <= room:
                return free_at
        return math.inf

    def is_empty(self, mono_s: float) -> bool:
        """Whether nothing counts any more, so that the window can be forgotten."""
        self._expire(mono_s)
        return not self.in_flight and not self._held

    def _expire(self, mono_s: float) -> None:
        while self._held and self._held[0][0] <= mono_s:
            del self._held[0]
