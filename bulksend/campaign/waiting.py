"""A run waits until its messages may leave: whoever has it sleeps, and everybody can see until when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bulksend.campaign.events import Tell, Waiting
from bulksend.runs import OwnRun, asked_words
from bulksend.sending import Stop, Stopping, StopReason
from bulksend.when import Schedule

_STEP_S = 1.0  # the clock may be set, or stand still with the machine; and somebody may want the end


async def wait_until_open(
    run: OwnRun,
    schedule: Schedule,
    stopping: Stopping,
    tell: Tell,
    *,
    wall_s: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> bool:
    """Sleep until messages of a run may leave, or somebody asks for the end; whether there was need.

    Args:
        run: the run; nobody else can send it meanwhile, but others of its account can be sent.
        schedule: when its messages may leave.
        stopping: who wants it to end asks this.
        tell: hears until when it sleeps, each second.
        wall_s: seconds since 1970.
        sleep: for so many seconds.

    Raises:
        RunFileError: the run cannot be read or written.
        OwnedError: somebody else has taken it over.
    """
    noted = None
    while stopping.why is None:
        now_s = wall_s()
        until_s = schedule.opens_at(now_s)
        if until_s <= now_s:
            break
        if until_s != noted:
            run.times.wait(until_s)
            noted = until_s
        if (at_s := run.asked_at) is not None:
            stopping.ask(Stop(StopReason.ASKED, asked_words(at_s)))
            break
        tell(Waiting(until_s, now_s, schedule.zone))
        await stopping.unless(_slept(sleep, min(_STEP_S, until_s - now_s)))
    if noted is not None:
        run.times.wait(None)
    return noted is not None


async def _slept(sleep: Callable[[float], Awaitable[None]], seconds: float) -> None:
    await sleep(seconds)
