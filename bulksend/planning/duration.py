"""How long a plan takes to send, as far as that is known before."""

from __future__ import annotations

from bulksend.planning.overview import Crowd, Overview
from bulksend.sending import SendOptions


def min_seconds(overview: Overview, options: SendOptions) -> tuple[float, float]:
    """How long sending takes at least, in seconds: by the account's rate, and by the most crowded phone's cap."""
    by_rate = overview.rows / options.pace.rate if options.pace.rate else 0.0
    return by_rate, max((crowd_seconds(crowd, options) for crowd in overview.crowds), default=0.0)


def crowd_seconds(crowd: Crowd, options: SendOptions) -> float:
    """How long one recipient's messages take at least, for the cap on its phone."""
    cap = options.caps.of(crowd.recipient)
    if cap is None:
        return 0.0
    return cap.least_s(crowd.rows, crowd.parts if options.by_parts else crowd.rows)
