"""Delivery receipts are fetched into a run, once or until all are in, and history hears what they say of each phone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiolimiter import AsyncLimiter

from bulksend.campaign.clients import client
from bulksend.campaign.events import StillAwaited
from bulksend.engagespark import Looked, Pause, SmsApi, Target, ask_for_receipts
from bulksend.errors import UsageError
from bulksend.runs import OwnRun, Run, history_of

_RATE = 5.0  # requests a second: nobody waits for receipts, and the account has other things to do
_TIMEOUT_S = 20.0
_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 120.0
_FOR_GOOD = frozenset(
    {Looked.REFUSED, Looked.WITHHELD, Looked.NO_SUCH, Looked.NOT_UNDERSTOOD}
)  # asking again would not help


@dataclass(frozen=True, slots=True)
class Patience:
    """How long it is waited for receipts, and by what.

    Attributes:
        until_done_s: for so many seconds it is asked again as long as not all are in; 0 for once.
        mono_s: seconds that only go forward.
        pause: waits.
    """

    until_done_s: float = 0.0
    mono_s: Callable[[], float] = time.monotonic
    pause: Pause = asyncio.sleep


def check_has_receipts(run: Run) -> None:
    """See that there is somebody to ask.

    Raises:
        UsageError: there is not.
    """
    if run.facts.address.is_rehearsal:
        raise UsageError(f"{run.place}: this was a rehearsal: its private sandbox is gone, and its receipts with it")


async def fetch_receipts(
    run: OwnRun, target: Target, patience: Patience, tell: Callable[[StillAwaited], None]
) -> Looked:
    """Ask for the receipts of a run's messages that are not final yet, and note them as they come.

    Args:
        run: the run; stays with the caller.
        target: where it was sent to.
        patience: how long.
        tell: hears that it is asked again.

    Returns:
        How the last asking went: only if it is THROUGH was the API asked for all of them.

    Raises:
        RunFileError: the run cannot be written.
        UsageError: history cannot be used.
    """
    try:
        async with client(target, _TIMEOUT_S) as api:
            return await _fetch(run, api, patience, tell)
    finally:
        _remember(run)


async def _fetch(run: OwnRun, api: SmsApi, patience: Patience, tell: Callable[[StillAwaited], None]) -> Looked:
    limiter = AsyncLimiter(_RATE, 1.0)
    until_s = patience.mono_s() + patience.until_done_s
    pause_s = _FIRST_PAUSE_S
    while True:
        awaiting = run.receipts.awaited()
        looked = await ask_for_receipts(api, awaiting, limiter, patience.pause)
        left_s = until_s - patience.mono_s()
        now = run.receipts.deliveries(0)
        if not now.open or looked in _FOR_GOOD or left_s <= 0:
            return looked
        pause_s = min(pause_s, left_s)
        tell(StillAwaited(now, looked, pause_s))
        await patience.pause(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _remember(run: OwnRun) -> None:
    """Let the account's history know which phones were reached, also when the run's file is gone."""
    to = run.facts.address
    if run.receipts.were_fetched and to.base_url and to.org_id:
        with history_of(run.place, to) as history:
            history.reach.take_in(run)
