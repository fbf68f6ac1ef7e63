"""A run in a database is sent by this process as one worker, beside as many others as there are."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bulksend.campaign.choices import SendOptions
from bulksend.campaign.company import OthersAtWork
from bulksend.campaign.events import AccountBusy, CampaignEvent, Tell
from bulksend.campaign.limits import budget_of, errors_of, repeats_max
from bulksend.campaign.onlooking import Onlookers
from bulksend.campaign.patience import patiently
from bulksend.campaign.posts import Post, manned
from bulksend.campaign.windows import closed_words
from bulksend.campaign.work_events import TellWork, WorkBegun, WorkDealt, WorkEvent, WorkLeft
from bulksend.campaign.working import Shift
from bulksend.engagespark import Target
from bulksend.errors import AccountBusyError
from bulksend.runs import (
    FINISHED,
    LEASE_S,
    LIMITED,
    DatabaseRun,
    End,
    Orders,
    OwnRun,
    open_for_workers,
    open_run,
)
from bulksend.sending import Listener, Stop, Stopping, StopReason

if TYPE_CHECKING:
    from bulksend.runs import OpenedRun, Worker

_TURN_S = 1.0  # until it is looked again whether it is the run's turn
_ELSEWHERE = Stop(StopReason.TAKEN_OVER, "another bulksend process has taken this run over")


class Part(NamedTuple):
    """How this process's part in a run ended.

    Attributes:
        stop: why before the run's end; None if that is over.
        others: so many workers go on with it.
        is_noted: whether the run knows how it ended, if it has.
    """

    stop: Stop | None
    others: int = 0
    is_noted: bool = True


def open_to_workers(run: OwnRun, options: SendOptions, *, is_left: bool) -> None:
    """Let workers send a run that has begun for its account; see `leave_to_workers` also for what is raised.

    Args:
        run: the run.
        options: how it is sent.
        is_left: whether it waits for workers where none is at work on it.
    """
    how, tally = options.repeating, run.tally()
    limit = options.limit
    room = None if limit is None else repeats_max(run, tally, run.overview(limit).rows, options)
    repeats = room != 0 or not tally.undecided
    orders = Orders(
        tuple(options.caps), options.by_parts, options.dedup, how.began_at, how.repeat, how.repeat_after_s,
        rate=options.pace.rate, repeats=repeats, is_left=is_left,
    )  # fmt: skip
    budget = budget_of(run, options)
    money = None if budget is None else budget.money
    open_for_workers(run, orders, limit, money, errors_of(run, tally, options), room)


async def work_on(
    place: DatabaseRun, target: Target, options: SendOptions, stopping: Stopping, onlookers: Onlookers, rows: int,
    listener: Listener | None, *, is_own: bool,
) -> Part:  # fmt: skip
    """Send a run that is open to workers as one of them, until it is over or stopped.

    Args:
        place: the run's.
        target: where to.
        options: how fast; all else is the run's own.
        stopping: who wants this process's part to end asks this.
        onlookers: hear how it goes.
        rows: so many of it are to be sent.
        listener: hears of every attempt, if anybody wants to.
        is_own: whether this process has opened it: then others see where it stands, and it ends with its window.

    Raises:
        UsageError: the database cannot be used, or there is no room for so many connections.
        RunFileError: it cannot be reached.
        OwnedError: this worker was taken to be gone.
    """
    post = Post(place.database, target, LEASE_S)
    async with manned(post, onlookers.hear) as worker:
        open_runs = await patiently(stopping, post.length_s, worker.runs)
        opened = next((each for each in open_runs if each.name == place.name), None)
        if opened is None:
            return Part(await asyncio.to_thread(_stop_meanwhile, place))
        shift = Shift(
            worker, opened, post, options, stopping, _teller(onlookers.hear), listener,
            rows=rows, onlookers=onlookers if is_own else None, ahead_s=(lambda: 0.0) if is_own else worker.ahead_s,
        )  # fmt: skip
        until_s = time.monotonic() + options.turn_s
        while True:
            try:
                await shift.work()
                break
            except AccountBusyError as error:  # they began when this process had opened its run, and not begun with it
                left_s, says = until_s - time.monotonic(), str(error)
            if left_s <= 0:
                stopping.ask(Stop(StopReason.ACCOUNT_BUSY, f"{says}; it was waited for as long as it may be"))
            onlookers.hear(AccountBusy(says))
            await stopping.unless(asyncio.sleep(min(_TURN_S, left_s)))
            if stopping.why is not None or not shift.is_due or not (await shift.is_open()):
                break
        ended = partial(_ended, worker, opened, stopping.why, is_own=is_own)
        return await patiently(stopping, post.length_s, ended)


def _ended(worker: Worker, opened: OpenedRun, why: Stop | None, *, is_own: bool) -> Part:
    seen = worker.progress(opened)
    if not seen.is_open:
        return Part(seen.stop or _stop_of(seen.end))
    if why is not None:
        return Part(why, worker.give_up(opened, why.reason.value, why.says))
    closed = Stop(StopReason.WINDOW_CLOSED, closed_words(opened.schedule, time.time()))
    if is_own:
        worker.stop(opened, closed.reason.value, closed.says)
    return Part(closed)


def _stop_meanwhile(place: DatabaseRun) -> Stop | None:
    with open_run(place) as run:
        return _stop_of(run.spell.end)


def _stop_of(end: End | None) -> Stop | None:
    if end is None:
        return _ELSEWHERE
    return None if end.reason in {FINISHED, LIMITED} else Stop(StopReason(end.reason), end.says)


def _teller(tell: Tell) -> TellWork:
    """Tells who sends of the others, instead of how the shards are dealt."""
    others = 0

    def hear(event: WorkEvent | CampaignEvent) -> None:
        nonlocal others
        match event:
            case WorkBegun() | WorkLeft():
                pass
            case WorkDealt(_, workers):
                if workers - 1 != others:
                    others = workers - 1
                    tell(OthersAtWork(others))
            case _:
                tell(event)

    return hear
