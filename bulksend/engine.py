"""Sends a plan: asks the dispatcher who may go, commits the intents, lets workers POST, commits the outcomes.

The dispatcher decides and this module carries out. A message passes: run file -> dispatcher -> intent committed ->
outbox -> worker -> reply -> rule of the outcome table -> outcome committed.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

from aiolimiter import AsyncLimiter

from bulksend.caps import Caps
from bulksend.dispatcher import Dispatcher
from bulksend.errors import OwnedError, RunFileError
from bulksend.journal import Journal
from bulksend.limits import FAILURES_IN_A_ROW, Budget, ErrorLimit
from bulksend.model import Attempt, ContactId, ExitCode, Message, Outcome, PhoneNumber, Queued, Recipient, Status
from bulksend.outcomes import Fault, Repeat, Reply, Rule, explain, judge

# Rows the dispatcher is fed with at a time, and when it gets more: enough that it never starves between two claims.
_CLAIM_ROWS = 2_000
_CLAIM_BELOW = 500
# Outcomes are committed in groups: at 100, or after 15 ms.
_GROUP_ROWS = 100
_GROUP_S = 0.015
_BACKOFF_S = 0.5
_BACKOFF_MAX_S = 30.0
_QUIET_MAX_S = 300.0  # a server that asks to be left alone for longer is asked again after this
# How long the server is taken to remember a clientDedup. Undocumented; deliveryDeadline shows that a message lives
# for 24 h, and a shorter memory than that would not serve its purpose.
DEDUP_MEMORY_S = 24 * 3600.0


class Sender(Protocol):
    """What the engine needs of the API."""

    async def send(self, message: Message, dedup_key: str | None) -> Reply:
        """POST a message once; never raises."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and how stubbornly.

    Attributes:
        concurrency: requests under way at once.
        rate: SMS per second of the whole account, or None for no limit.
        timeout_s: how long one request may take.
        retries: how often a message is tried again after its first attempt.
        grace_s: how long requests under way may go on after the run was interrupted.
    """

    concurrency: int = 32
    rate: float | None = None
    timeout_s: float = 30.0
    retries: int = 4
    grace_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run takes no more messages before its end."""

    exit_code: ExitCode
    says: str

    @property
    def is_interruption(self) -> bool:
        """Whether somebody waits for the end."""
        return self.exit_code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, for whoever shows it.

    Attributes:
        done: rows this run is done with, by status; only what is committed counts.
        parked: rows that wait for their phone's cap.
        in_flight: requests under way.
    """

    done: dict[Status, int]
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
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._api = api
        self._caps = caps
        self._pace = pace
        self._campaign = campaign
        self._proven = dedup_proven and campaign is not None
        self._earlier = earlier
        self._budget = budget
        self._error_limit = error_limit
        self._rng = rng or random.Random()  # noqa: S311 -- jitter is no secret
        self._clock = clock
        self._wall = wall
        self._dispatcher = Dispatcher(caps)
        self._limiter = _limiter(pace.rate)
        self._outbox: asyncio.Queue[tuple[Queued, Attempt]] = asyncio.Queue()
        self._busy = 0  # messages handed out and not concluded: never more than there are workers
        self._claimed_to: float = 0  # the last row claimed; inf when there are no more
        self._tries: dict[int, int] = {}  # of messages that were tried in vain
        self._unproven: list[Queued] = []  # may have been accepted; wait for proof that a repeat is safe
        self._outcomes: list[Outcome] = []
        self._done = dict.fromkeys(Status, 0)
        self._wake = asyncio.Event()
        self._to_settle = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stop: Stop | None = None
        self._quiet_until = clock() + quiet_s if quiet_s else -math.inf  # also if the server asks to be left alone
        self._rows_done = self._rows_bad = 0
        self._in_vain = 0  # attempts in a row without a message accepted

    @property
    def progress(self) -> Progress:
        """Where the run stands now."""
        return Progress(dict(self._done), self._dispatcher.parked, self._busy)

    def stop(self, stop: Stop) -> None:
        """Take no more messages; those under way end. The first reason counts, but an interruption is heard always."""
        if self._stop is None or (stop.is_interruption and not self._stop.is_interruption):
            self._stop = stop
        self._stopped.set()
        self._wake.set()

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
        return self._stop

    async def _recall(self) -> None:
        """Load what still matters of the past: sends of the last minute, unresolved rows, crowded phones."""
        now, wall = self._clock(), self._wall()
        window_s = self._caps.longest_window_s
        own = await self._journal.recent_sends(wall - window_s, self._pace.timeout_s)
        for recipient, slots, ended_at in sorted([*own, *self._earlier], key=itemgetter(2)):
            cap = self._caps.of(recipient)
            if cap is not None:
                self._dispatcher.recall(recipient, slots, now + min(ended_at - wall, 0) + cap.window_s)
        unresolved = await self._journal.unresolved(wall - DEDUP_MEMORY_S)
        if self._proven:
            for item in unresolved:
                self._dispatcher.retry(item, now)
        else:
            self._unproven = unresolved
        self._dispatcher.park(await self._journal.crowded(self._is_crowded), now)

    def _is_crowded(self, recipient: Recipient, slots: int) -> bool:
        cap = self._caps.of(recipient)
        return cap is not None and slots > cap.count

    async def _dispatch(self) -> None:
        while self._stop is None:
            self._wake.clear()
            await self._feed()
            now = self._clock()
            wake_at = max(self._dispatcher.wake_at(now), self._quiet_until)
            free = self._pace.concurrency - self._busy
            if wake_at <= now and free:
                granted = await self._grant(free)
                items = self._dispatcher.take(self._clock(), granted)
                if items and not await self._begin(items):
                    await self._come_to_rest()
                    self.stop(Stop(ExitCode.STOPPED, "the next message would exceed --max-cost: raise it to go on"))
            elif self._is_done:
                return
            else:
                await self._sleep_until(wake_at if free else math.inf)

    @property
    def _is_done(self) -> bool:
        return self._claimed_to == math.inf and not self._busy and self._dispatcher.is_empty

    async def _feed(self) -> None:
        while self._claimed_to < math.inf and self._dispatcher.queued < _CLAIM_BELOW:
            items = await self._journal.claim(int(self._claimed_to), _CLAIM_ROWS)
            self._claimed_to = items[-1].row if items else math.inf
            self._dispatcher.queue(items)

    async def _grant(self, wanted: int) -> int:
        """How many of ``wanted`` the account's rate lets go now: one at least, after a wait; 0 if the run stops."""
        if self._limiter is None:
            return wanted
        if not self._limiter.has_capacity():
            waits = [asyncio.ensure_future(wait) for wait in (self._limiter.acquire(), self._stopped.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            granted = 1 if self._stop is None else 0
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
            _, attempts = await asyncio.gather(settling, beginning)
        except BaseException:
            self._busy -= len(items)
            raise
        affordable = True
        for attempt in attempts:
            item = by_row[attempt.message.row]
            affordable &= self._budget is None or self._budget.hold(item.row, attempt.message.price)
            if affordable:
                self._outbox.put_nowait((item, attempt))
            else:
                self._call_off(item, attempt)
        return affordable

    async def _work(self) -> None:
        while True:
            item, attempt = await self._outbox.get()
            if self._stop is not None:
                self._call_off(item, attempt)
                continue
            try:
                key = None if self._campaign is None else f"{self._campaign}-{item.row}"
                reply = await self._api.send(attempt.message, key)
            except asyncio.CancelledError:
                self._conclude(item, attempt, Reply(None, Fault.CUT_OFF))
                raise
            self._conclude(item, attempt, reply)

    def _conclude(self, item: Queued, attempt: Attempt, reply: Reply) -> None:
        """Draw the consequences of a reply."""
        now, rule = self._clock(), judge(reply)
        learned = self._learn(attempt.message, reply, now)
        if rule.arrived:
            self._dispatcher.answered(item, now)
        else:
            self._dispatcher.unsent(item, now)
        if reply.retry_after_s is not None:
            self._quiet_until = max(self._quiet_until, now + min(reply.retry_after_s, _QUIET_MAX_S))
        if reply.echoed and not self._proven:
            self._prove(now)
        error = explain(rule, reply)
        self._see_whether_to_stop(rule, error)
        again = rule.repeat is not Repeat.NEVER and self._try_again(item, rule, now)
        if not again:
            self._tries.pop(item.row, None)
        status = rule.status
        if rule.repeat is Repeat.FREELY and (again or self._stop is not None):
            status = Status.PENDING
        if attempt.in_doubt and status is not Status.SENT:
            status = Status.UNKNOWN  # whatever became of the repeat, the attempt before it may have been accepted
        self._account_for(item.row, status, reply)
        self._note(
            Outcome(
                row=item.row,
                status=status,
                final=not again and status is not Status.PENDING,
                ended_at=self._wall(),
                http_status=reply.http_status,
                answer=reply.answer,
                error=error,
                learned=learned,
            )
        )

    def _see_whether_to_stop(self, rule: Rule, error: str) -> None:
        if rule.stops:
            self.stop(Stop(ExitCode.STOPPED, error))
        self._in_vain = 0 if rule.status is Status.SENT else self._in_vain + 1
        if self._in_vain >= FAILURES_IN_A_ROW:
            says = f"the last {self._in_vain} attempts all failed, the latest because: {error}"
            self.stop(Stop(ExitCode.STOPPED, says))

    def _account_for(self, row: int, status: Status, reply: Reply | None) -> None:
        if self._budget is None:
            return
        if status is Status.SENT:
            self._budget.accepted(row, reply.answer.charged if reply and reply.answer else None)
        elif status is not Status.UNKNOWN:
            self._budget.not_sent(row)

    def _learn(self, message: Message, reply: Reply, now: float) -> tuple[ContactId, PhoneNumber] | None:
        """Remember the number behind a contactId, if the answer tells it."""
        if not isinstance(message.recipient, int) or reply.answer is None:
            return None
        number = reply.answer.to
        if not (number.isascii() and number.isdecimal()):
            return None
        self._dispatcher.learn(message.recipient, PhoneNumber(number), now)
        return message.recipient, PhoneNumber(number)

    def _try_again(self, item: Queued, rule: Rule, now: float) -> bool:
        """Plan the next attempt, if there is to be one."""
        tries = self._tries.get(item.row, 0) + 1
        if tries > self._pace.retries or self._stop is not None:
            return False
        self._tries[item.row] = tries
        if rule.repeat is Repeat.WITH_DEDUP and not self._proven:
            self._unproven.append(item)
        else:
            ceiling_s = min(_BACKOFF_MAX_S, _BACKOFF_S * 2 ** (tries - 1))
            self._dispatcher.retry(item, now + self._rng.uniform(0, ceiling_s))
        return True

    def _prove(self, now: float) -> None:
        """An echo was seen: what may have been accepted can now be repeated under its old key."""
        self._proven = True
        for item in self._unproven:
            self._dispatcher.retry(item, now)
        self._unproven.clear()

    def _call_off(self, item: Queued, attempt: Attempt) -> None:
        """The run stopped between the intent and the POST: nothing left."""
        self._dispatcher.unsent(item, self._clock())
        status = Status.UNKNOWN if attempt.in_doubt else Status.PENDING
        self._account_for(item.row, status, None)
        self._note(Outcome(row=item.row, status=status, tried=False, final=False, ended_at=self._wall()))

    def _note(self, outcome: Outcome) -> None:
        self._busy -= 1
        self._outcomes.append(outcome)
        if outcome.final:
            self._rows_done += 1
            self._rows_bad += outcome.status is not Status.SENT
            limit = self._error_limit
            if limit is not None and limit.is_exceeded(self._rows_bad, self._rows_done):
                says = f"{self._rows_bad} of {self._rows_done} rows could not be sent, more than --max-errors {limit}"
                self.stop(Stop(ExitCode.STOPPED, says))
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
        return self._confirm(outcomes, self._journal.settle(outcomes, dedup_proven=self._proven))

    async def _confirm(self, outcomes: list[Outcome], settling: Awaitable[None]) -> None:
        """Show outcomes once they are committed; if that fails they stay at hand."""
        try:
            await asyncio.shield(settling)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        for outcome in outcomes:
            if outcome.final:
                self._done[outcome.status] += 1

    async def _finish(self) -> None:
        """Let what is under way come to its end; after an interruption not for ever."""
        if not self._is_interrupted:
            await self._come_to_rest()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.grace_s):
                while self._busy:
                    self._wake.clear()
                    await self._wake.wait()

    async def _come_to_rest(self) -> None:
        """Wait until nothing is under way, or the run is interrupted."""
        while self._busy and not self._is_interrupted:
            self._wake.clear()
            await self._wake.wait()

    @property
    def _is_interrupted(self) -> bool:
        return self._stop is not None and self._stop.is_interruption

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """What cannot be noted must not be sent: if the run file fails, the run stops."""
        try:
            yield
        except OwnedError as error:
            self.stop(Stop(ExitCode.OWNED, str(error)))
        except RunFileError as error:
            self.stop(Stop(ExitCode.STOPPED, str(error)))

    async def _sleep_until(self, at: float) -> None:
        delay_s = at - self._clock()
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s if delay_s < math.inf else None):
                await self._wake.wait()


def _limiter(rate: float | None) -> AsyncLimiter | None:
    """A tenth of a second's worth of burst, one message at least: no second sees more than 110 % of the rate."""
    if rate is None:
        return None
    burst = max(1.0, rate / 10)
    return AsyncLimiter(burst, burst / rate)
