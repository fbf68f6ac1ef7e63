"""A worker: one of as many processes as are wanted that send the runs of an account in a database.

An engine has a fixed set of shards for its life. When these are to be dealt anew, what is under way comes to its end
and another engine begins, with the caps as they are by then: so nobody sends to a phone that somebody else is sending
to, or has just sent to unseen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bulksend.campaign.alongside import alongside
from bulksend.campaign.choices import Repeating, SendOptions
from bulksend.campaign.clients import client
from bulksend.campaign.collector import rare_collector
from bulksend.campaign.engines import engine_of, look_up, past_of
from bulksend.campaign.events import CampaignEvent, StoppingEarly
from bulksend.campaign.onlooking import Onlookers
from bulksend.campaign.patience import patiently
from bulksend.campaign.posts import Post, manned
from bulksend.campaign.remembering import recall, remember
from bulksend.campaign.repeats import Repeats
from bulksend.campaign.room import with_room
from bulksend.campaign.spans import as_last
from bulksend.campaign.watching import told
from bulksend.campaign.windows import heeding_hours
from bulksend.campaign.work_events import TellWork, WorkBegun, WorkDealt, WorkLeft
from bulksend.engagespark import SmsApi
from bulksend.errors import AccountBusyError, RunFileError
from bulksend.model import Endpoint
from bulksend.runs import (
    Account,
    DatabaseRun,
    End,
    OptedOut,
    account_of,
    check_no_file_sent,
    keep_pace,
)
from bulksend.sending import NOTHING_DONE, Caps, Listener, Progress, Stop, Stopping, StopReason

if TYPE_CHECKING:
    from bulksend.runs import OpenedRun, WorkedRun, Worker

T = TypeVar("T")

_LOOK_S = 1.0
_DEALT = Stop(StopReason.TAKEN_OVER, "the shards are dealt anew")
"""Not told to anybody: the next engine begins at once."""


async def work(
    post: Post, options: SendOptions, stopping: Stopping, tell: TellWork, listener: Listener | None = None
) -> int:  # fmt: skip
    """Send what is opened for workers, run after run, until somebody asks for the end; how many rows were sent.

    Args:
        post: where.
        options: how fast; all else is the run's own.
        stopping: who wants it to end asks this.
        tell: hears how it goes.
        listener: hears of every attempt, if anybody wants to.

    Raises:
        UsageError: the database cannot be used.
        RunFileError: it cannot be reached.
        OwnedError: this worker was taken to be gone.
    """
    sent = 0
    async with manned(post, tell) as worker:
        while stopping.why is None:
            opened = await patiently(stopping, post.length_s, worker.runs)
            now_s = time.time() + worker.ahead_s()
            due = next((run for run in opened if run.schedule.opens_at(now_s) <= now_s), None)
            if due is not None:
                with suppress(AccountBusyError):  # others began with another one at this very moment
                    shift = Shift(worker, due, post, options, stopping, tell, listener, ahead_s=worker.ahead_s)
                    sent += await shift.work()
                    continue
            elif post.until_done and not opened:
                break
            await stopping.unless(asyncio.sleep(_LOOK_S))
    return sent


@dataclass(slots=True)
class Shift:
    """One worker at one run, until that is over, its window closes, or the worker is to end.

    Attributes:
        rows: so many the run has to send, as far as anybody wants to know.
        onlookers: are shown where it stands; None if nobody looks on.
        ahead_s: by so many seconds the clock that tells when the run is sent is ahead of this machine's: the database's
            for workers, so that it is the same for all; this machine's own for whoever was told on it.
        before: what the engines before this one have done.
    """

    worker: Worker
    opened: OpenedRun
    post: Post
    options: SendOptions
    stopping: Stopping
    tell: TellWork
    listener: Listener | None
    rows: int = 0
    onlookers: Onlookers | None = None
    ahead_s: Callable[[], float] = lambda: 0.0
    before: Progress = NOTHING_DONE
    is_first: bool = True
    _engine: Stopping | None = None  # that of the engine at work
    _failed_at: int = -1  # so many messages were sent when the database was away last

    async def work(self) -> int:
        """Do it; how many rows were sent.

        Raises:
            AccountBusyError: others are at work on another run of the account, or this machine on a run file of it.
        """
        orders = self.opened.orders
        repeating = Repeating(orders.repeat, orders.repeat_after_s, began_at=orders.began_at)
        where = DatabaseRun(self.post.database, self.opened.name)
        options = replace(
            self.options, caps=Caps(orders.caps), by_parts=orders.by_parts, dedup=orders.keyed, repeating=repeating
        )
        rates = [rate for rate in (orders.rate, options.pace.rate) if rate is not None]
        pace = as_last(options, self.post.address, where).pace._replace(rate=min(rates, default=None))
        options = replace(options, pace=with_room(pace))
        run = await self._ask(self.worker.begin, self.opened)
        self.stopping.tell(self._pass_on)
        try:
            account = await self._ask(account_of, where, self.post.address)
            try:
                await self._see_no_file_sent(where)
                self.tell(WorkBegun(self.opened.name))
                target = replace(self.post.target, endpoint=Endpoint(run.facts.endpoint))
                async with client(target, options.pace.timeout_s) as api:
                    await self._send_on(run, account, api, options)
                end = await self._left(run, account, options)
            finally:
                account.close()
        finally:
            run.close()
        self.tell(WorkLeft(self.opened.name, self.before.sent, end))
        return self.before.sent

    @property
    def is_due(self) -> bool:
        """Whether messages of the run may leave now."""
        now_s = time.time() + self.ahead_s()
        return self.opened.schedule.opens_at(now_s) <= now_s

    async def is_open(self) -> bool:
        """Whether the run is still to be sent.

        Raises:
            RunFileError: the database could not be reached for too long, or until an interruption.
        """
        return (await self._ask(self.worker.progress, self.opened)).is_open

    async def _see_no_file_sent(self, where: DatabaseRun) -> None:
        try:
            await self._ask(check_no_file_sent, where, self.post.address)
        except AccountBusyError:
            await self._ask(self.worker.leave)  # others may be at work meanwhile, on any run
            raise

    async def _left(self, run: WorkedRun, account: Account, options: SendOptions) -> End | None:
        """Be at work on the run no more; how that ended, if it has and anybody knows."""
        try:
            await self._ask(self.worker.leave)
            if not self.is_first:
                await asyncio.to_thread(remember, account, run, options)
            return (await self._ask(self.worker.progress, self.opened)).end
        except RunFileError:
            if not self.stopping.is_interrupted:
                raise
            return None  # whoever interrupts it does not wait for a database that is away

    async def _send_on(self, run: WorkedRun, account: Account, api: SmsApi, options: SendOptions) -> None:
        """Engine after engine, each over the shards that this worker has by then."""
        last: tuple[int, int] | None = None
        repeats = Repeats(run, options.pace.retries, are_wanted=self.opened.orders.repeats)
        while self.stopping.why is None and await self.is_open() and self.is_due:
            dealt = await self._ask(self.worker.deal)
            if (dealt.mine, dealt.workers) != last:
                last = dealt.mine, dealt.workers
                self.tell(WorkDealt(dealt.mine, dealt.workers))
            await self._ask(run.cut_off)
            if await self._ask(run.is_left) or await self._ask(repeats.are_due):
                await self._send(run, account, api, options, repeats)
            elif (
                await self._ask(run.is_left_at_all)
                or await self._ask(repeats.are_awaited)
                or not await self._ends(run, api)
            ):
                await self.stopping.unless(asyncio.sleep(_LOOK_S))

    async def _send(
        self, run: WorkedRun, account: Account, api: SmsApi, options: SendOptions, repeats: Repeats
    ) -> None:
        """Send what is in the own shards, until that is done or these are to be dealt anew."""
        stopping = self._engine = Stopping()
        self._pass_on()
        earlier = await self._ask(partial(recall, account, run, options, is_first=self.is_first))
        self.is_first = False
        has_sent = await self._ask(run.has_accepted)
        journal = await self._ask(run.journal, options.pace.retries)
        try:
            optouts: OptedOut = account.optouts
            past = past_of(run, options, earlier, None if self.opened.orders.repeats else 0, repeats.proof)
            past = past._replace(has_sent=has_sent)
            engine = engine_of(
                run, journal, api, options, options.pace, stopping, past, None, None, optouts, self.listener
            )
            async with (
                alongside(self._look_on(stopping)),
                heeding_hours(self.opened.schedule, stopping, ahead_s=self.ahead_s),
                self.onlookers.shown(journal) if self.onlookers else nullcontext(),
                told(engine, stopping, self._tell_on, rows=self.rows, grace_s=options.pace.grace_s, before=self.before),
            ):
                with rare_collector():
                    await engine.run()
            repeats.ended(engine.proof, is_through=stopping.why is None)
            self.before = self.before.and_then(engine.progress)
            if options.pace.concurrency is None:
                where = DatabaseRun(self.post.database, self.opened.name)
                await asyncio.to_thread(keep_pace, where, self.post.address, engine.throttle.last_pace, time.time())
        finally:
            self._engine = None
            await asyncio.to_thread(journal.close)
        await self._heed(run, stopping.why)

    async def _heed(self, run: WorkedRun, why: Stop | None) -> None:
        """What the end of an engine means for the run, or for this worker."""
        if why is None or why.reason in {StopReason.TAKEN_OVER, StopReason.WINDOW_CLOSED}:
            return
        if why.reason is StopReason.STORE_FAILED and self.before.sent > self._failed_at:
            self._failed_at = self.before.sent  # once, until another message was sent
            return  # whatever is asked next waits for the database
        if why.reason is StopReason.ALL_REJECTED and await self._ask(run.has_accepted):
            return  # others' messages go through, so that it is what these rows have in common
        if why.reason.is_of_run or why.reason is StopReason.ALL_REJECTED:  # all else, as a refused key, is its own
            await self._ask(self.worker.stop, self.opened, why.reason.value, why.says)
        elif self.stopping.why is None and await self.is_open():
            self.stopping.ask(why)  # it is this worker's own

    async def _look_on(self, stopping: Stopping) -> None:
        """See each second whether the run is still open, and the shards are dealt well."""
        while stopping.why is None:
            await asyncio.sleep(_LOOK_S)
            with stopping.if_the_store_fails(), suppress(RunFileError):  # for how long, the journal knows
                seen = await asyncio.to_thread(self.worker.progress, self.opened)
                if not seen.is_open:
                    end = seen.end
                    reason = StopReason.TAKEN_OVER if end is None or end.says == "" else StopReason(end.reason)
                    stopping.ask(Stop(reason, end.says if end else _DEALT.says))
                elif seen.stop is not None:
                    stopping.ask(seen.stop)
                elif (await asyncio.to_thread(self.worker.look)).is_due:
                    stopping.ask(_DEALT)

    async def _ends(self, run: WorkedRun, api: SmsApi) -> bool:
        """End the run, of which nothing is left to send; whether it is over."""
        if self.worker.lease.shards and (await self._ask(run.tally)).in_doubt:
            journal = await self._ask(run.journal)
            try:
                await look_up(journal, api, self.stopping)
            finally:
                await asyncio.to_thread(journal.close)
        return await self._ask(run.end_if_through, time.time())

    async def _ask(self, question: Callable[..., T], *about: object) -> T:
        """Ask the database something that may be asked twice, also where it is away for a while."""
        return await patiently(self.stopping, self.post.length_s, question, *about)

    def _pass_on(self) -> None:
        """What is asked of the worker is asked of its engine."""
        if self._engine is None:
            return
        if self.stopping.why is not None and self._engine.why is not self.stopping.why:
            self._engine.ask(self.stopping.why)
        if self.stopping.is_hurried and not self._engine.is_hurried:
            self._engine.hurry()

    def _tell_on(self, event: CampaignEvent) -> None:
        """Tell of an engine; that it ends for the next one is nobody's business."""
        if not (isinstance(event, StoppingEarly) and event.stop is _DEALT):
            self.tell(event)
