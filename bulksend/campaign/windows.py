"""Nothing of a run leaves before its moment or outside its windows, whoever sends it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bulksend.campaign.alongside import alongside
from bulksend.campaign.events import Ended
from bulksend.model import Status
from bulksend.planning import Tally
from bulksend.sending import Stop, Stopping, StopReason
from bulksend.when import Schedule, WindowEnd, local

_STEP_S = 0.5  # the clock may be set, or stand still with the machine
_SET_BACK_S = 5.0  # a clock that is put right by so little when a window has just opened does not close it


@asynccontextmanager
async def heeding_hours(
    schedule: Schedule,
    stopping: Stopping,
    *,
    wall_s: Callable[[], float] = time.time,
    ahead_s: Callable[[], float] = lambda: 0.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[None]:
    """Ask for a send's end when its window does, for as long as it works.

    Args:
        schedule: when messages may leave.
        stopping: is asked for the end; it looks at the clock itself before each message.
        wall_s: seconds since 1970, as whoever sends looks at them.
        ahead_s: by so many seconds the clock that counts for the schedule is ahead of that.
        sleep: for so many seconds.
    """
    if schedule.is_any_time:
        yield
        return
    _look(schedule, stopping, wall_s() + ahead_s(), ahead_s())
    async with alongside(_watch(schedule, stopping, wall_s, ahead_s, sleep)):
        yield


def is_over(stop: Stop | None, tally: Tally) -> bool:
    """Whether a window closed on the last answers only, so that nothing was stopped."""
    closed = stop is not None and stop.reason is StopReason.WINDOW_CLOSED
    return closed and not tally.statuses[Status.PENDING] and not tally.resent


def pauses(ended: Ended, schedule: Schedule) -> bool:
    """Whether a send that ended is only to wait until its window opens again."""
    is_closed = ended.stop is not None and ended.stop.reason is StopReason.WINDOW_CLOSED
    return is_closed and schedule.at_end is WindowEnd.PAUSE


async def _watch(
    schedule: Schedule, stopping: Stopping, wall_s: Callable[[], float], ahead_s: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:  # fmt: skip
    while stopping.why is None:
        now_s = wall_s() + ahead_s()
        opens_s = schedule.opens_at(now_s)
        closes_s = _look(schedule, stopping, opens_s if opens_s - now_s < _SET_BACK_S else now_s, ahead_s())
        await sleep(min(_STEP_S, max(0.0, closes_s - now_s)))


def _look(schedule: Schedule, stopping: Stopping, now_s: float, ahead_s: float) -> float:
    """See that the end is asked for in time; when that is, by the clock that counts."""
    closes_s = schedule.closes_at(now_s)
    if closes_s == math.inf:  # it is open around the clock
        return closes_s
    stopping.ask_at(closes_s - ahead_s, Stop(StopReason.WINDOW_CLOSED, closed_words(schedule, closes_s)))
    stopping.look(now_s - ahead_s)
    return closes_s


def closed_words(schedule: Schedule, at_s: float) -> str:
    """That no message may leave at a time, and when the next may."""
    opens_s = schedule.opens_at(at_s)
    if opens_s == math.inf:
        return "its window is closed for good"
    opens, zone = local(opens_s, schedule.zone), schedule.zone
    if schedule.start is not None and at_s < schedule.start.at_s:
        return f"it is not to begin before {opens:%a %d %b %Y, %H:%M} ({zone})"
    return f"its window is closed from {local(at_s, zone):%H:%M} to {opens:%a %d %b %Y, %H:%M} ({zone})"
