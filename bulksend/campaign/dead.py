"""Phones that the last runs did not reach are left out, where somebody wants that."""

from __future__ import annotations

from bulksend.model import Event
from bulksend.runs import History, OwnRun

_AT_ONCE = 5_000  # rows
DEAD = "the last two runs did not reach this phone, by their delivery receipts"
"""Why a row is left out, as its results tell."""


def leave_out_dead(run: OwnRun, history: History, wall_s: float) -> int:
    """Leave out what is to be sent to phones that the last two runs of the account did not reach; how many rows."""
    after = left_out = 0
    while some := run.unsent(after, _AT_ONCE):
        after = some[-1][0]
        dead = history.reach.dead([number or recipient for _, recipient, number, _ in some])
        rows = [(some[place][0], DEAD) for place in sorted(dead)]
        run.leave_out(rows, Event.LEFT_OUT, wall_s)
        left_out += len(rows)
    return left_out
