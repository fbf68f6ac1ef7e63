"""What a machine's clock said, beside the time since its start, which nobody sets: so that a step of the clock is seen.

Times are kept as seconds since 1970. If the clock was set since, they are read as late as they can have been: then a
send counts against a cap too long rather than too short.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_LENGTH = 36  # of a UUID as Linux spells it


class Clock(NamedTuple):
    """How a machine's clock stands.

    Attributes:
        boot: which start of which machine.
        started_at: when that was by the clock, in seconds since 1970; it changes only when the clock is set.
    """

    boot: str
    started_at: float

    @classmethod
    def now(cls, wall_s: float) -> Clock | None:
        """How it stands if it says ``wall_s``; None where the machine does not tell one start from another."""
        boot = boot_id()
        return None if boot is None else cls(boot, wall_s - time.clock_gettime(time.CLOCK_BOOTTIME))

    def or_before(self, then: Clock | None) -> Clock:
        """The lower of both ways in which it stood since the machine started."""
        return self if then is None or then.boot != self.boot else min(self, then)

    def or_after(self, then: Clock | None) -> Clock:
        """The higher of both."""
        return self if then is None or then.boot != self.boot else max(self, then)


def lag(then: Clock | None, now: Clock | None) -> float:
    """By how many seconds times that were kept under ``then`` may be too early by now's clock; 0 if nobody knows."""
    return 0.0 if now is None else now.started_at - now.or_before(then).started_at


def boot_id() -> str | None:
    """What tells this start of this machine from all others; None where it does not tell: it is not Linux."""
    try:
        found = _BOOT_ID.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    return found if len(found) == _LENGTH else None
