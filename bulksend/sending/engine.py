"""Sends a plan: asks the dispatcher who may go, commits the intents, lets workers POST, commits the outcomes.

The dispatcher decides and this module carries out. A message passes: run file -> dispatcher -> intent committed ->
outbox -> worker -> verdict -> outcome committed.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter

from bulksend.errors import OwnedError, RunFileError
from bulksend.model import Attempt, Event, Outcome, Queued, Recipient
from bulksend.sending.caps import Caps
from bulksend.sending.consequences import Consequences
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.journal import Journal
from bulksend.sending.limits import Budget, ErrorLimit, failures_max
from bulksend.sending.pace import Pace, limiter
from bulksend.sending.stop import Stop, StopReason
from bulksend.sending.stopping import Stopping
from bulksend.sending.verdict import CUT_SHORT, Sender, Verdict

# Rows the dispatcher is fed with at a time, and when it gets more: enough that it never starves between two claims.
_CLAIM_ROWS = 2_000
_CLAIM_BELOW = 500
# Outcomes are committed in groups: at 100, or after 15 ms.
_GROUP_ROWS = 100
_GROUP_S = 0.015
# How long the server is taken to remember a clientDedup. Undocumented; deliveryDeadline shows that a message lives
# for 24 h, and a shorter memory than that would not serve its purpose.
DEDUP_MEMORY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, for whoever shows it.

    Attributes:
        sent: rows that this command brought to be accepted; only what is committed counts.
        not_sent: rows that it is done with all the same.
        parked: rows that wait for their phone's cap.
        in_flight: requests under way.
    """

    sent: int
    not_sent: int
    parked: int
    in_flight: int


class Engine:
    """Sends one run.

    Args:
        journal: the run file's notes.
        api: posts one message.
        caps: the telcos' caps.
        pace: how fast.
        campaign: the dedup keys' beginning; None to send without them.
        dedup_proven: whether the server has already shown that it knows clientDedup.
        earlier: (recipient, slots, time) of other runs' sends that may still count against a cap.
        quiet_s: how long to wait before the first message.
        budget: what the run may cost, or None.
        error_limit: how many rows may end unsent, or None.
        stopping: who wants the run to end asks it.
        rng: the retries' jitter.
        clock: monotonic seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        journal: Journal,
        api: Sender,
        caps: Caps,
        pace: Pace,
        *,
        campaign: str | None,
        dedup_proven: bool = False,
        earlier: Sequence[tuple[Recipient, int, float]] = (),
        quiet_s: float = 0.0,
        budget: Budget | None = None,
        error_limit: ErrorLimit | None = None,
        stopping: Stopping | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._api = api
        self._caps = caps
        self._pace = pace
        self._campaign = campaign
        self._earlier = earlier
        self._clock = clock
        self._wall = wall
        self._stopping = stopping or Stopping()
        self._dispatcher = Dispatcher(caps)
        self._consequences = Consequences(
            self._dispatcher,
            retries=pace.retries,
            failures_max=failures_max(pace.concurrency),
            dedup_proven=dedup_proven and campaign is not None,
            budget=budget,
            error_limit=error_limit,
            stopping=self._stopping,
            rng=rng or random.Random(),  # noqa: S311 -- jitter is no secret
        )
        self._limiter = limiter(pace.rate)
        self._outbox: asyncio.Queue[tuple[Queued, Attempt]] = asyncio.Queue()
        self._busy = 0  # messages handed out and not concluded
        self._claimed_to: float = 0  # the last row claimed; inf when there are no more
        self._crowded = array("q")  # rows that were parked at the beginning, and are claimed once more
        self._outcomes: list[Outcome] = []
        self._sent = self._not_sent = 0
        self._wake = asyncio.Event()
        self._stopping.tell(self._wake.set)
        self._to_settle = asyncio.Event()
        self._quiet_until = clock() + quiet_s

    @property
    def progress(self) -> Progress:
        """Where the run stands now."""
        return Progress(self._sent, self._not_sent, self._dispatcher.parked, self._busy - self._outbox.qsize())

    @property
    def caps_s(self) -> float:
        """How long the messages that wait for their phone's cap take at least, in seconds; counts phone by phone."""
        return self._dispatcher.parked_s(self._clock())

    async def run(self) -> Stop | None:
        """Send all that can be sent; None, or why it ended early."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._work()) for _ in range(self._pace.concurrency)]
                tasks.append(group.create_task(self._settle()))
                with self._giving_up():
                    await self._recall()
                    await self._dispatch()
                await self._finish()
                for task in tasks:
                    task.cancel()
        finally:
            with self._giving_up():
                await self._hand_over()
        return self._stopping.why

    async def _recall(self) -> None:
        """Load what still matters of the past: sends of the last minute, unresolved rows, crowded phones."""
        now, wall = self._clock(), self._wall()
        window_s = self._caps.longest_window_s
        own = await self._journal.recent_sends(wall - window_s, wall)
        for recipient, slots, ended_at in sorted([*own, *self._earlier], key=itemgetter(2)):
            cap = self._caps.of(recipient)
            if cap is not None:
                self._dispatcher.recall(recipient, slots, now + min(ended_at - wall, 0) + cap.window_s)
        self._consequences.doubt(await self._journal.in_doubt(wall - DEDUP_MEMORY_S), now)
        crowded = await self._journal.crowded(self._is_crowded)
        self._crowded = array("q", sorted(item.row for item in crowded))
        self._dispatcher.park(crowded, now)

    def _is_crowded(self, recipient: Recipient, slots: int) -> bool:
        cap = self._caps.of(recipient)
        return cap is not None and slots > cap.count

    async def _dispatch(self) -> None:
        while self._stopping.why is None:
            self._wake.clear()
            await self._feed()
            now = self._clock()
            wake_at = max(self._dispatcher.wake_at(now), self._quiet_until, self._consequences.quiet_until)
            free = self._free_places
            if wake_at <= now and free:
                granted = await self._grant(free)
                items = self._dispatcher.take(self._clock(), granted)
                if items and not await self._begin(items):
                    await self._come_to_rest()
                    self._stopping.ask(Stop(StopReason.BUDGET_FILLED, "the next message would exceed the budget"))
            elif self._is_done:
                return
            else:
                await self._sleep_until(wake_at if free else math.inf)

    @property
    def _free_places(self) -> int:
        """How many messages may be handed out now: one for each idle worker, and as many ahead where that is harmless.

        Ahead means that the next intents are committed while workers are busy, so that no worker waits for the disk,
        and that one commit serves many. A crash then leaves intents that never left, which only a proven clientDedup
        makes harmless.
        """
        workers = self._pace.concurrency
        if not self._consequences.dedup_proven or self._limiter is not None:
            return workers - self._busy
        free = 2 * workers - self._busy
        return free if self._outbox.empty() or free >= workers else 0

    @property
    def _is_done(self) -> bool:
        return self._claimed_to == math.inf and not self._busy and self._dispatcher.is_empty

    async def _feed(self) -> None:
        while self._claimed_to < math.inf and self._dispatcher.queued < _CLAIM_BELOW:
            items = await self._journal.claim(int(self._claimed_to), _CLAIM_ROWS)
            self._claimed_to = items[-1].row if items else math.inf
            self._dispatcher.queue(self._uncrowded(items))

    def _uncrowded(self, items: Sequence[Queued]) -> Sequence[Queued]:
        """Those of claimed rows that were not parked at the beginning."""
        if not items or not self._crowded:
            return items
        first, last = bisect_left(self._crowded, items[0].row), bisect_right(self._crowded, items[-1].row)
        parked = set(self._crowded[first:last])
        return [item for item in items if item.row not in parked] if parked else items

    async def _grant(self, wanted: int) -> int:
        """How many of ``wanted`` the account's rate lets go now: one at least, after a wait; 0 if the run stops."""
        if self._limiter is None:
            return wanted
        if not self._limiter.has_capacity():
            waits = [asyncio.ensure_future(wait) for wait in (self._limiter.acquire(), self._stopping.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            granted = 1 if self._stopping.why is None else 0
        else:
            await self._limiter.acquire()
            granted = 1
        while 0 < granted < wanted and self._limiter.has_capacity():
            await self._limiter.acquire()
            granted += 1
        return granted

    async def _begin(self, items: Sequence[Queued]) -> bool:
        """Commit the intents; only then do the workers get to see the messages. False if the budget is filled."""
        self._busy += len(items)
        by_row = {item.row: item for item in items}
        try:
            # Outcomes at hand go into the same commit, and before: a row's last one must be noted before its next.
            settling = self._hand_over()
            beginning = self._journal.begin(list(by_row), self._wall())
            settled, attempts = await asyncio.gather(settling, beginning, return_exceptions=True)
            if isinstance(attempts, BaseException):
                raise attempts
        except BaseException:
            self._busy -= len(items)
            raise
        if settled is not None:  # the outcomes could not be committed, but these intents were: nothing leaves
            for attempt in attempts:
                self._call_off(by_row[attempt.message.row], attempt)
            raise settled
        affordable = True
        for attempt in attempts:
            item = by_row[attempt.message.row]
            affordable = affordable and self._consequences.can_afford(attempt)
            if affordable:
                self._outbox.put_nowait((item, attempt))
            else:
                self._call_off(item, attempt)
        return affordable

    async def _work(self) -> None:
        while True:
            item, attempt = await self._outbox.get()
            if self._stopping.why is not None:
                self._call_off(item, attempt)
                continue
            try:
                key = None if self._campaign is None else f"{self._campaign}-{item.row}"
                self._journal.leaves(attempt)
                verdict = await self._api.send(attempt.message, key)
            except asyncio.CancelledError:
                self._conclude(item, attempt, CUT_SHORT)
                raise
            self._conclude(item, attempt, verdict)

    def _conclude(self, item: Queued, attempt: Attempt, verdict: Verdict) -> None:
        self._note(self._consequences.draw(item, attempt, verdict, self._clock(), self._wall()))

    def _call_off(self, item: Queued, attempt: Attempt) -> None:
        self._note(self._consequences.call_off(item, attempt, self._clock(), self._wall()))

    def _note(self, outcome: Outcome) -> None:
        self._busy -= 1
        self._outcomes.append(outcome)
        self._to_settle.set()
        self._wake.set()

    async def _settle(self) -> None:
        while True:
            await self._to_settle.wait()
            if len(self._outcomes) < _GROUP_ROWS:
                await asyncio.sleep(_GROUP_S)
            with self._giving_up():
                await self._hand_over()

    def _hand_over(self) -> Awaitable[None]:
        """Give the outcomes at hand to the journal now; the awaitable tells when they are committed."""
        self._to_settle.clear()
        outcomes, self._outcomes = self._outcomes, []
        return self._confirm(outcomes, self._journal.settle(outcomes, dedup_proven=self._consequences.dedup_proven))

    async def _confirm(self, outcomes: list[Outcome], settling: Awaitable[None]) -> None:
        """Show outcomes once they are committed; if that fails they stay at hand."""
        try:
            await asyncio.shield(settling)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        for outcome in outcomes:
            if outcome.event is Event.ACCEPTED:
                self._sent += 1
            elif outcome.final:
                self._not_sent += 1

    async def _finish(self) -> None:
        """Let what is under way come to its end; after an interruption not for ever."""
        if not self._stopping.is_interrupted:
            await self._come_to_rest()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.grace_s):
                while self._busy:
                    self._wake.clear()
                    await self._wake.wait()

    async def _come_to_rest(self) -> None:
        """Wait until nothing is under way, or the run is interrupted."""
        while self._busy and not self._stopping.is_interrupted:
            self._wake.clear()
            await self._wake.wait()

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """What cannot be noted must not be sent: if the run file fails, the run stops."""
        try:
            yield
        except OwnedError as error:
            self._stopping.ask(Stop(StopReason.TAKEN_OVER, str(error)))
        except RunFileError as error:
            self._stopping.ask(Stop(StopReason.STORE_FAILED, str(error)))

    async def _sleep_until(self, at: float) -> None:
        delay_s = at - self._clock()
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s if delay_s < math.inf else None):
                await self._wake.wait()
