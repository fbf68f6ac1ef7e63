"""How fast a run goes, and how stubbornly."""

from __future__ import annotations

from dataclasses import dataclass

from aiolimiter import AsyncLimiter


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and how stubbornly.

    Attributes:
        concurrency: requests under way at once.
        rate: messages per second of the whole account, or None for no limit.
        timeout_s: how long one request may take.
        retries: how often a message is tried again after its first attempt.
        patience_s: how long the server may be away before the run gives up.
        grace_s: how long requests under way may go on after the run was interrupted.
    """

    concurrency: int = 32
    rate: float | None = None
    timeout_s: float = 30.0
    retries: int = 4
    patience_s: float = 600.0
    grace_s: float = 10.0


def limiter(rate: float | None) -> AsyncLimiter | None:
    """A twentieth of a second's worth of burst, one message at least: no second sees more than 110 % of the rate."""
    if rate is None:
        return None
    burst = max(1.0, rate / 20)
    return AsyncLimiter(burst, burst / rate)
