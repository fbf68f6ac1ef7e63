"""How fast a run goes, and how long it still takes: pure, with the time as an argument."""

from __future__ import annotations

import math
from collections import deque

_WINDOW_S = 10.0
_APART_S = 0.5


class Meter:
    """Measures a pace.

    Args:
        mono_s: when the run started.
    """

    def __init__(self, mono_s: float) -> None:
        self._began = mono_s
        self._seen: deque[tuple[float, int]] = deque([(mono_s, 0)])

    def note(self, mono_s: float, done: int) -> None:
        """So many are done by now."""
        if mono_s - self._seen[-1][0] >= _APART_S:
            self._seen.append((mono_s, done))
        while len(self._seen) > 1 and self._seen[1][0] <= mono_s - _WINDOW_S:
            self._seen.popleft()

    def pace(self, mono_s: float, done: int) -> float:
        """How many a second, over the last ten seconds."""
        at, before = self._seen[0]
        return (done - before) / max(mono_s - at, 0.001)

    def mean(self, mono_s: float, done: int) -> float:
        """How many a second, from the start."""
        return done / max(mono_s - self._began, 0.001)


def seconds_left(free: int, pace: float, caps_s: float, pause_s: float = 0.0) -> float | None:
    """How long a run still takes; None if nobody can tell, for nothing goes on.

    Args:
        free: messages that nothing holds up.
        pace: how many a second are done.
        caps_s: how long those take at least that wait for a phone's cap.
        pause_s: how long nothing starts.
    """
    if free > 0 and pace <= 0:
        return None
    going_s = free / pace if free > 0 else 0.0
    return max(pause_s + going_s, caps_s, 0.0) if math.isfinite(caps_s) else None
