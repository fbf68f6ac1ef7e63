"""Whose clock counts: times are kept by the database's, so that machines whose clocks differ understand each other."""

from __future__ import annotations

import time
from collections.abc import Callable

from bulksend.runs.postgres.connecting import Db, one

_LOOKS = 3  # at most, where the answer took long
_SOON_S = 0.05
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"


class Skew:
    """How far the database's clock is ahead of this machine's, also after that was set.

    Args:
        db: the database.
        now_s: this machine's clock, in seconds since 1970; None for its own.
        goes_on_s: seconds by a clock that nobody sets.
    """

    def __init__(
        self, db: Db, now_s: Callable[[], float] | None = None, goes_on_s: Callable[[], float] | None = None
    ) -> None:
        self._now_s = now_s or time.time
        self._goes_on_s = goes_on_s or boottime_s
        self._first_s = skew_s(db, self._now_s)
        self._apart_s = self._now_s() - self._goes_on_s()

    @property
    def ahead_s(self) -> float:
        """By so many seconds it is ahead; 0 where the clocks may agree, as long as this machine's is not set."""
        set_by_s = self._now_s() - self._goes_on_s() - self._apart_s
        return self._first_s if abs(set_by_s) < _SOON_S else self._first_s - set_by_s


def skew_s(db: Db, now_s: Callable[[], float] = time.time) -> float:
    """By how many seconds the database's clock is ahead of this machine's: what is added to what is kept.

    Known to half of the time that the database takes to answer. 0 where the clocks may agree, so that times come back
    as they were given.

    Args:
        db: the database.
        now_s: this machine's clock, in seconds since 1970.
    """
    for _ in range(_LOOKS):
        asked_s = now_s()
        (theirs_s,) = one(db.execute(_NOW))
        told_s = now_s()
        if told_s - asked_s < _SOON_S:
            break
    return 0.0 if asked_s <= theirs_s <= told_s else theirs_s - (asked_s + told_s) / 2


def boottime_s() -> float:
    """Seconds by a clock that nobody sets and that goes on while the machine sleeps.

    On Linux that is CLOCK_BOOTTIME; on macOS CLOCK_MONOTONIC, which goes on there (`time.monotonic` does not). No clock
    of a virtual machine goes on while that is paused.
    """
    return time.clock_gettime(_GOES_ON)


_GOES_ON = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
