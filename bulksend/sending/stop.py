"""Why a run takes no more messages before its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bulksend.sending.limits import ErrorLimit


class StopReason(StrEnum):
    """Why a run ends early."""

    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"
    HUNG_UP = "hung up"
    """Whoever looked on has gone."""
    ASKED = "asked to stop"
    """Somebody elsewhere wants its end."""
    OUT_OF_FUNDS = "out of funds"
    KEY_REFUSED = "key refused"
    NO_ENDPOINT = "no such endpoint"
    REDIRECTED = "redirected"
    """The server sends us elsewhere, where the key does not go."""
    BLOCKED = "blocked"
    """Somebody before the API refuses."""
    UNTRUSTED = "not trusted"
    """The server's certificate is."""
    FOREIGN_KEY = "key of another message"
    """The server knows a message's dedup key, as another message's."""
    BUDGET_FILLED = "budget filled"
    TOO_MANY_ERRORS = "too many errors"
    WINDOW_CLOSED = "window closed"
    """Messages are to leave at certain hours only, or not yet."""
    SERVER_AWAY = "server away"
    """For longer than the person has patience."""
    ALL_REJECTED = "all rejected"
    TAKEN_OVER = "taken over"
    """Somebody else has the run by now."""
    ACCOUNT_BUSY = "account busy"
    """Others send another run of the account, and were waited for as long as they may be."""
    STORE_FAILED = "store failed"
    """What cannot be noted must not be sent."""

    @property
    def leaves_time(self) -> bool:
        """Whether there is time, and a store, to look up afterwards what is in doubt."""
        return not self.is_interruption and self not in {StopReason.TAKEN_OVER, StopReason.STORE_FAILED}

    @property
    def is_of_run(self) -> bool:
        """Whether it holds for all processes that send the run, and not only for the one that saw it."""
        return self in _OF_RUN

    @property
    def is_interruption(self) -> bool:
        """Whether somebody waits for the end."""
        return self in _INTERRUPTIONS


_INTERRUPTIONS = frozenset({StopReason.INTERRUPTED, StopReason.TERMINATED, StopReason.HUNG_UP, StopReason.ASKED})
_OF_RUN = frozenset(
    {
        StopReason.OUT_OF_FUNDS, StopReason.FOREIGN_KEY, StopReason.BUDGET_FILLED, StopReason.TOO_MANY_ERRORS,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stop:
    """Why one run ended early.

    Attributes:
        reason: of which kind.
        says: the sentence for people; it names no flag or button.
        unsent: rows that could not be sent, where these were too many.
        done: rows that were done by then.
        limit: how many were allowed.
    """

    reason: StopReason
    says: str
    unsent: int = 0
    done: int = 0
    limit: ErrorLimit | None = None
