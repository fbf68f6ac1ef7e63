"""Whose clock counts: times are kept by the database's, so that machines whose clocks differ understand each other."""

from __future__ import annotations

import time
from collections.abc import Callable

from bulksend.runs.postgres.connecting import Db, one

_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"


def skew_s(db: Db, now_s: Callable[[], float] = time.time) -> int:
    """By how many whole seconds the database's clock is ahead of this machine's: what is added to what is kept.

    0 where they agree to the second, so that times come back as they were given.

    Args:
        db: the database.
        now_s: this machine's clock, in seconds since 1970.
    """
    asked_s = now_s()
    (theirs_s,) = one(db.execute(_NOW))
    ahead_s = theirs_s - (asked_s + now_s()) / 2
    return 0 if abs(ahead_s) < 1 else round(ahead_s)


def boottime_s() -> float:
    """Seconds by a clock that nobody sets and that goes on while the machine sleeps.

    On Linux that is CLOCK_BOOTTIME; on macOS CLOCK_MONOTONIC, which goes on there (`time.monotonic` does not). No clock
    of a virtual machine goes on while that is paused.
    """
    return time.clock_gettime(_GOES_ON)


_GOES_ON = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
