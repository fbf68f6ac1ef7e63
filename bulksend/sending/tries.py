"""How often messages were tried, and how long they wait for the next time: only what is their own fault counts."""

from __future__ import annotations

import random

from bulksend.sending.absence import Absence
from bulksend.sending.verdict import Verdict, Voice

_BACKOFF_S = 0.5
_BACKOFF_MAX_S = 30.0
_API = Voice.API


class Tries:
    """Counts what was tried in vain.

    Args:
        most: how often a message is tried again after its first attempt.
        rng: the waits' jitter.
    """

    __slots__ = ("_most", "_rng", "_silent", "_slowed", "_used")

    def __init__(self, most: int, rng: random.Random) -> None:
        self._most = most
        self._rng = rng
        self._used: dict[int, int] = {}
        self._slowed: dict[int, int] = {}  # how often a row was told to come later
        self._silent: list[int] = []  # rows whose tries were counted since the API spoke last

    def heard(self, verdict: Verdict) -> None:
        """An attempt ended."""
        if verdict.voice is _API:
            self._silent.clear()

    def take_back(self) -> None:
        """The server is away, and was: the last tries were not their messages' fault."""
        for row in self._silent:
            if self._used.get(row, 0) > 1:
                self._used[row] -= 1
            else:
                self._used.pop(row, None)
        self._silent.clear()

    def wait_s(self, row: int, verdict: Verdict, absence: Absence) -> float | None:
        """How long a message waits until it is tried again; None if its tries are used up.

        Args:
            row: whose last attempt was in vain.
            verdict: what came of it.
            absence: heard of it already.
        """
        if verdict.slow:
            times = self._slowed[row] = self._slowed.get(row, 0) + 1
        elif absence.is_away:
            times = 1
        else:
            times = self._used.get(row, 0) + 1
            is_silent = verdict.voice is Voice.NONE
            if times > self._most and not (is_silent and absence.is_in_question):
                return None
            self._used[row] = min(times, self._most)
            if is_silent:
                self._silent.append(row)
        return self._rng.uniform(0, min(_BACKOFF_MAX_S, _BACKOFF_S * 2 ** (min(times, 10) - 1)))

    def forget(self, row: int) -> None:
        """A message is done with."""
        self._used.pop(row, None)
        self._slowed.pop(row, None)
