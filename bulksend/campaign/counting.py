"""Where a run stands that workers send, by its own counts: none of them knows what the others do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from bulksend.campaign.events import Progressed, Started
from bulksend.campaign.meter import Meter, seconds_left
from bulksend.model import Status
from bulksend.planning import Tally
from bulksend.runs import Run
from bulksend.sending import Progress

_SHARE = 20  # counting takes the database one part in so many of the time
_ENDS = (Status.SENT, Status.REJECTED, Status.FAILED, Status.UNKNOWN)


class Counted(NamedTuple):
    """Where a run stands.

    Attributes:
        began: all that it is to send, what was sent before included.
        seen: what has become of that; paces are since somebody looks.
    """

    began: Started
    seen: Progressed


class Counting:
    """Counts a run's rows again and again, the less often the longer that takes.

    Args:
        clock_s: tells seconds that only go on.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._last: Counted | None = None
        self._next_s = 0.0

    def count(self, run: Run) -> Counted:
        """Where it stands, or stood lately; raises RunFileError if it cannot be read."""
        asked_s = self._clock_s()
        if self._last is None or asked_s >= self._next_s:
            tally = run.tally()
            now_s = self._clock_s()
            self._next_s = now_s + _SHARE * (now_s - asked_s)
            self._last = self._counted(tally, now_s)
        return self._last

    def _counted(self, tally: Tally, now_s: float) -> Counted:
        sent, pending = tally.statuses[Status.SENT], tally.statuses[Status.PENDING]
        if self._last is None:
            self._began_s, self._before, self._meter = now_s, sent, Meter(now_s)
        done = sent - self._before
        pace = self._meter.pace(now_s, done)
        self._meter.note(now_s, done)
        ends = {status: tally.statuses[status] for status in _ENDS}
        now = Progress(ends, tally.charged, 0, "", 0, 0, 0.0, tally.in_flight)
        left_s = seconds_left(pending, pace, 0.0)
        return Counted(
            Started(sum(ends.values()) + pending + tally.in_flight),
            Progressed(now, now_s - self._began_s, pace, self._meter.mean(now_s, done), left_s),
        )
