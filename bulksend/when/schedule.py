"""When a run is sent: from which moment on, in which windows, and what happens when one of them ends."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

from bulksend.errors import UsageError
from bulksend.when.moments import Moment
from bulksend.when.windows import Windows
from bulksend.when.zones import local

_STRETCHES = 1_000  # that a run is followed through
_ANY_TIME = Windows()


class WindowEnd(StrEnum):
    """What happens when a window ends before the run does."""

    STOP = "stop"
    """The command ends, and the same command goes on."""
    PAUSE = "pause"
    """The command sleeps until messages may leave again."""


class Span(NamedTuple):
    """From when to when a run is sent, as far as that can be told before.

    Attributes:
        begins: in seconds since 1970.
        ends: the same; ``math.inf`` if that is too far away to tell.
    """

    begins: float
    ends: float


class Schedule(NamedTuple):
    """When messages of a run may leave.

    Attributes:
        start: not before this moment; None for at once.
        windows: only in these.
        at_end: what happens when one of them ends.
        zone: by whose clock people are told of it; empty if nobody said anything of time.
    """

    start: Moment | None = None
    windows: Windows = _ANY_TIME
    at_end: WindowEnd = WindowEnd.STOP
    zone: str = ""

    @property
    def is_any_time(self) -> bool:
        """Whether messages may leave whenever they like."""
        return self.start is None and not self.windows.each

    def opens_at(self, now_s: float) -> float:
        """From when on messages may leave, not before now; ``math.inf`` if never. In seconds since 1970."""
        return self.windows.opens_at(now_s if self.start is None else max(now_s, self.start.at_s))

    def closes_at(self, now_s: float) -> float:
        """Until when messages may leave that may now; now if they may not, ``math.inf`` if that never ends."""
        return self.windows.closes_at(now_s) if self.opens_at(now_s) <= now_s else now_s

    def span(self, now_s: float, seconds: float) -> Span:
        """From when to when it is sent, if that takes so many seconds and whoever sends it always goes on."""
        begins = at_s = self.opens_at(now_s)
        for _ in range(_STRETCHES):
            closes = self.closes_at(at_s)
            if at_s == math.inf or closes - at_s >= seconds:
                return Span(begins, at_s + seconds)
            seconds -= closes - at_s
            at_s = self.windows.opens_at(closes)
        return Span(begins, math.inf)

    def check(self, now_s: float) -> None:
        """See that messages may leave at some time, as it was said just now.

        Raises:
            UsageError: they never may, or the moment is in no window and nobody is to wait for one.
        """
        opens = self.opens_at(now_s)
        if opens == math.inf:
            raise UsageError(f"the window never opens: {', '.join(map(str, self.windows.each))}")
        start = self.start
        if start is not None and start.at_s >= now_s and opens > start.at_s and self.at_end is WindowEnd.STOP:
            raise UsageError(
                f"{start.words} is outside the window ({', '.join(map(str, self.windows.each))}), which opens next on "
                f"{local(opens, self.zone):%Y-%m-%d at %H:%M} in {self.zone}: begin then, or have it pause until then"
            )
