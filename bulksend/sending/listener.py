"""Who hears of every attempt of a send, beside the journal: logs and measures, if anybody wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from bulksend.model import Attempt, Outcome


class Heard(NamedTuple):
    """An attempt that was concluded, and what it showed; a row that never left has no attempt.

    Attributes:
        outcome: what it showed.
        attempt: what was sent; None if nothing left this machine.
        took_s: seconds from the POST to its answer, or to where that was given up.
    """

    outcome: Outcome
    attempt: Attempt | None = None
    took_s: float = 0.0


class Listener(Protocol):
    """Hears of attempts in the event loop, and must come back at once."""

    def hear_of(self, heard: Sequence[Heard]) -> None:
        """What was concluded, in groups, once it is committed."""
