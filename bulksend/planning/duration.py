"""How long a plan takes to send, as far as that is known before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bulksend.model import Recipient
from bulksend.planning.overview import Crowd, Overview


class PhoneCap(Protocol):
    """A limit for one phone."""

    def least_s(self, messages: int, slots: int) -> float:
        """How long so many messages take at least, in seconds, which count as so many against it."""


CapOf = Callable[[Recipient], PhoneCap | None]
"""The cap that holds for a recipient; None if none does."""


def min_seconds(overview: Overview, rate: float | None, cap_of: CapOf, *, by_parts: bool) -> tuple[float, float]:
    """How long sending takes at least, in seconds: by the account's rate, and by the most crowded phone's cap.

    Args:
        overview: what is to be sent.
        rate: messages per second of the whole account, or None for no limit.
        cap_of: the caps.
        by_parts: whether a message counts its parts against a cap, or one.
    """
    by_rate = overview.rows / rate if rate else 0.0
    return by_rate, max((crowd_seconds(crowd, cap_of, by_parts=by_parts) for crowd in overview.crowds), default=0.0)


def crowd_seconds(crowd: Crowd, cap_of: CapOf, *, by_parts: bool) -> float:
    """How long one recipient's messages take at least, for the cap on its phone."""
    cap = cap_of(crowd.recipient)
    return 0.0 if cap is None else cap.least_s(crowd.rows, crowd.parts if by_parts else crowd.rows)
