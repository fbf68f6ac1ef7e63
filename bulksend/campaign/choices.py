"""How a plan is sent: what the person decides who sends it."""

from __future__ import annotations

from dataclasses import dataclass

from bulksend.model import MicroUSD
from bulksend.sending import Caps, ErrorLimit, Pace


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How a plan is sent.

    Attributes:
        pace: how fast.
        caps: the telcos' caps.
        by_parts: whether a message counts its parts against a cap, or one.
        limit: send only the first so many pending rows; None for all.
        dedup: whether messages carry a clientDedup.
        max_cost: micro-USD that the whole run may cost, or None.
        max_errors: how many rows may end unsent, or None.
    """

    pace: Pace
    caps: Caps
    by_parts: bool = True
    limit: int | None = None
    dedup: bool = True
    max_cost: MicroUSD | None = None
    max_errors: ErrorLimit | None = None
