"""How a plan is sent: what the person decides who sends it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from bulksend.model import MicroUSD
from bulksend.sending import Caps, ErrorLimit, Pace


@dataclass(frozen=True, slots=True)
class Repeating:
    """What is sent again of what history holds.

    Attributes:
        repeat: whether also what is equal and of the last hours.
        repeat_after_s: for so long an equal message is taken for a slip, counted from command to command.
        not_within_s: who got anything for so long is left out; None if nobody is for that.
        began_at: when the command was given, in seconds since 1970.
        exclude_dead: whether phones are left out that the last two runs did not reach, by their receipts.
    """

    repeat: bool = False
    repeat_after_s: float = 20 * 3600.0
    not_within_s: float | None = None
    began_at: float = field(default_factory=time.time)
    exclude_dead: bool = False


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
        repeating: what is sent again of what history holds.
        history_days: for so long history is kept.
        is_trial: whether it is none of a campaign's messages, so that history neither keeps nor holds up any of it.
        turn_s: for so many seconds at most it waits for its turn, where others began with another run of the account
            when this one was opened.
    """

    pace: Pace
    caps: Caps
    by_parts: bool = True
    limit: int | None = None
    dedup: bool = True
    max_cost: MicroUSD | None = None
    max_errors: ErrorLimit | None = None
    repeating: Repeating = field(default_factory=Repeating)
    history_days: int = 400
    is_trial: bool = False
    turn_s: float = math.inf
