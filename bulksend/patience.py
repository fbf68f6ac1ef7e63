"""How long this process waits for whoever says nothing: as long as it takes, until somebody wants its end."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

SILENT_S = 5.0
"""So long one is waited for who says nothing, when somebody wants the end and has said so once."""


@dataclass(slots=True)
class Patience:
    """How much of it there is.

    Attributes:
        limit_s: for so long an answer is waited for.
        since_s: since when, by the monotonic clock.
        is_lost: whether somebody was found to be silent since: nobody is waited for then.
    """

    limit_s: float = math.inf
    since_s: float = 0.0
    is_lost: bool = False

    def end_wanted(self) -> None:
        """Somebody wants the process's end: silence is waited out no more; if he says so again, nothing is."""
        self.limit_s, self.since_s = SILENT_S if self.limit_s == math.inf else 0.0, time.monotonic()

    def is_over(self, asked_s: float) -> bool:
        """Whether an answer was waited for long enough that was asked for then, by the monotonic clock."""
        return self.is_lost or time.monotonic() >= max(asked_s, self.since_s) + self.limit_s


OURS = Patience()
"""This process's."""
