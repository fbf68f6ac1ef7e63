"""Sends a plan: asks the dispatcher who may go, commits the intents, lets workers POST, commits the outcomes.

The dispatcher decides and this module carries out. A message passes: journal -> feed -> dispatcher -> intent committed
-> outbox -> worker -> verdict -> consequences -> outcome committed.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial

from bulksend.model import Attempt, Outcome, Queued
from bulksend.sending.absence import Absence
from bulksend.sending.consequences import Consequences
from bulksend.sending.crew import Crew
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.feed import Feed, Past
from bulksend.sending.gate import Gate
from bulksend.sending.journal import Journal
from bulksend.sending.keys import Keys
from bulksend.sending.listener import Listener
from bulksend.sending.optouts import Gatekeeper
from bulksend.sending.outbox import Outbox
from bulksend.sending.pace import Rate, grant
from bulksend.sending.progress import Progress
from bulksend.sending.purse import Purse
from bulksend.sending.settling import Settling
from bulksend.sending.sharing import Shares
from bulksend.sending.stop import Stop, StopReason
from bulksend.sending.stopping import Stopping
from bulksend.sending.throttle import Throttle
from bulksend.sending.verdict import CUT_SHORT, WITHHELD, Sender, Verdict


class Engine:
    """Sends one run.

    Args:
        journal: the run's notes.
        sender: posts one message.
        dispatcher: decides who may go.
        consequences: draws what follows from a verdict; tells the same parts as this.
        absence: whether the server is away, and when to look whether it is back.
        throttle: how much of the pace may be used.
        purse: which messages may be paid.
        stopping: looked at before each message; who wants the run to end asks it.
        grace_s: how long requests under way may go on after an interruption.
        rate: the account-wide rate, or None for no limit.
        keys: makes the dedup keys; None to send without them.
        gatekeeper: tells whose messages must not leave.
        past: what is known of the time before.
        shares: has this process heed the others that send the run.
        listener: hears of every attempt; None if nobody wants to.
        mono_s: the dispatcher's clock, in monotonic seconds.
        wall_s: seconds since 1970.
    """

    def __init__(
        self,
        journal: Journal,
        sender: Sender,
        dispatcher: Dispatcher,
        consequences: Consequences,
        absence: Absence,
        throttle: Throttle,
        purse: Purse,
        stopping: Stopping,
        grace_s: float,
        rate: Rate | None,
        keys: Keys | None,
        gatekeeper: Gatekeeper,
        past: Past,
        shares: Shares,
        listener: Listener | None = None,
        *,
        mono_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._sender = sender
        self._dispatcher = dispatcher
        self._consequences = consequences
        self._absence = absence
        self._throttle = throttle
        self._purse = purse
        self._gate = Gate(absence, throttle, purse, consequences, stopping, gatekeeper, is_rated=rate is not None)
        self._stopping = stopping
        self._grace_s = grace_s
        self._rate = rate
        self._keys = keys
        self._gatekeeper = gatekeeper
        self._past = past
        self._shares = shares
        self._mono_s = mono_s
        self._wall_s = wall_s
        self._feed = Feed(journal, dispatcher)
        self._settling = Settling(journal, consequences, stopping, listener)
        self._outbox = Outbox()
        self._busy = 0  # messages handed out and not concluded
        self._under_way = 0  # of these, so many are being sent
        self._wake = asyncio.Event()
        self._stopping.tell(self._wake.set)
        self._quiet_until = mono_s() + past.quiet_s

    @property
    def progress(self) -> Progress:
        """Where the run stands now."""
        return self._settling.progress(self._dispatcher, self._busy - len(self._outbox))

    @property
    def caps_s(self) -> float:
        """How long the messages that wait for their phone's cap take at least, in seconds; counts phone by phone."""
        return self._dispatcher.parked_s(self._mono_s())

    @property
    def throttle(self) -> Throttle:
        """How much of the pace may be used, and why."""
        return self._throttle

    @property
    def proof(self) -> int:
        """The proof under which it has seen an echo; 0 for none."""
        return self._consequences.proof.number

    @property
    def looks_at(self) -> float:
        """When it looks whether the server is back; ``math.inf`` if it is not away; by the dispatcher's clock."""
        return self._absence.look_at

    async def run(self) -> Stop | None:
        """Send all that can be sent; None, or why it ended early."""
        try:
            async with asyncio.TaskGroup() as group:
                crew = Crew(group, self._work, lambda: self._throttle.width)
                settling = group.create_task(self._settling.run())
                with self._stopping.if_the_store_fails():
                    await self._recall()
                    await self._dispatch(crew)
                await self._finish()
                settling.cancel()
                crew.dismiss()
        finally:
            while ready := self._outbox.take():  # their workers are gone: nothing of them left
                self._call_off(*ready)
            with self._stopping.if_the_store_fails():
                await self._settling.hand_over()
        return self._stopping.why

    async def _recall(self) -> None:
        """Load what still matters of the past: sends that count against caps, rows in doubt, crowded phones."""
        mono_s, wall_s = self._mono_s(), self._wall_s()
        await self._feed.recall(self._past, mono_s, wall_s)
        proof = self._consequences.proof
        undecided = await self._journal.undecided(wall_s - proof.memory_s, proof.held) if proof.held else []
        self._consequences.begin(undecided, self._past.repeats, mono_s)

    async def _dispatch(self, crew: Crew) -> None:
        while self._stopping.why is None:
            self._wake.clear()
            crew.hire(self._under_way + len(self._outbox))
            await self._feed.fill(self._mono_s(), self._wall_s())
            mono_s = self._mono_s()
            self._shares.heed(mono_s)
            quiet_until = max(self._quiet_until, self._throttle.quiet_until)
            free = self._gate.places(self._busy, len(self._outbox), mono_s)
            next_at = max(quiet_until, self._gate.next_at(self._busy))
            wake_at = max(self._dispatcher.wake_at(mono_s), next_at) if free else math.inf
            look_at = max(self._absence.look_at, quiet_until)
            if self._is_done or self._stopping.why is not None:
                return
            if self._purse.is_filled and not self._busy:
                self._stopping.ask(Stop(StopReason.BUDGET_FILLED, "the next message would exceed the budget"))
            elif look_at <= mono_s:
                await self._look()
            elif wake_at <= mono_s:
                granted = await grant(self._rate, free, self._stopping)
                untried_first = self._absence.is_away and self._absence.speaks
                await self._begin(self._dispatcher.take(self._mono_s(), granted, untried_first=untried_first))
            else:
                await self._sleep_until(min(wake_at, look_at, self._feed.news_at))

    @property
    def _is_done(self) -> bool:
        return self._feed.is_dry and not self._busy and self._dispatcher.is_empty and not self._purse.aside

    async def _look(self) -> None:
        """Look whether anybody answers for the server that is away."""
        found = await self._stopping.unless(self._sender.is_there())
        if found is not None:
            self._consequences.looked(self._mono_s(), found=found)

    async def _begin(self, items: Sequence[Queued]) -> None:
        """Commit the intents; only then do the workers get to see the messages."""
        if not items:
            return
        self._absence.begins(items[0].row)
        self._busy += len(items)
        self._throttle.started(len(items), self._busy, self._mono_s())
        by_row = {item.row: item for item in items}
        for row, says in self._gatekeeper.among(items, self._mono_s()).items():
            self._exclude(by_row.pop(row), None, says)
        if not by_row:
            return
        try:
            # Outcomes at hand go into the same commit, and before: a row's last one must be noted before its next.
            settling = self._settling.hand_over()
            beginning = self._journal.begin(list(by_row), self._wall_s(), self._consequences.proof.number)
            settled, attempts = await asyncio.gather(settling, beginning, return_exceptions=True)
            if isinstance(attempts, BaseException):
                raise attempts
        except BaseException:
            self._busy -= len(by_row)
            raise
        begun = [(by_row.pop(attempt.message.row), attempt) for attempt in attempts]
        self._let_go(by_row.values())
        if settled is not None:  # the outcomes could not be committed, but these intents were: nothing leaves
            for item, attempt in begun:
                self._call_off(item, attempt)
            raise settled
        for item, attempt in begun:
            if self._purse.opens_for(item, attempt):
                self._outbox.put((item, attempt))
            else:
                self._call_off(item, attempt)

    async def _work(self, is_needed: Callable[[], bool]) -> None:
        """Send what may leave, message by message, as long as this worker is needed."""
        while is_needed():
            while (ready := self._outbox.take()) is None:
                await self._outbox.filled()
            (item, attempt), left_s = ready, self._mono_s()
            held = self._gate.holds(item, attempt, self._under_way, left_s, self._wall_s())
            if held is not None:
                self._note(held)
                continue
            self._under_way += 1
            try:
                key = None if self._keys is None else self._keys.of(attempt.message)
                verdict = await self._sender.send(attempt.message, key, partial(self._journal.leaves, attempt))
            except asyncio.CancelledError:
                self._conclude(item, attempt, CUT_SHORT, left_s)
                raise
            self._conclude(item, attempt, verdict, left_s)

    def _conclude(self, item: Queued, attempt: Attempt, verdict: Verdict, left_s: float) -> None:
        """Draw the consequences of what became of a message that left at ``left_s``."""
        mono_s, wall_s = self._mono_s(), self._wall_s()
        took_s, self._under_way = mono_s - left_s, self._under_way - 1
        if verdict is WITHHELD:
            self._note(self._consequences.hold_back(item, attempt, mono_s, wall_s))
            return
        self._gate.heard(verdict)
        others = self._under_way
        outcome = self._consequences.draw(item, attempt, verdict, mono_s, wall_s, others=others, latency_s=took_s)
        self._note(outcome, attempt, took_s)

    def _call_off(self, item: Queued, attempt: Attempt) -> None:
        self._note(self._consequences.call_off(item, attempt, self._mono_s(), self._wall_s()))

    def _exclude(self, item: Queued, attempt: Attempt | None, says: str) -> None:
        self._note(self._consequences.exclude(item, attempt, says, self._mono_s(), self._wall_s()))

    def _note(self, outcome: Outcome, attempt: Attempt | None = None, took_s: float = 0.0) -> None:
        self._busy -= 1
        self._settling.note(outcome, attempt, took_s)
        self._wake.set()

    def _let_go(self, items: Collection[Queued]) -> None:
        """Forget rows whose intents the journal refused: somebody else has them."""
        self._busy -= len(items)
        self._feed.missed(len(items))
        for item in items:
            self._consequences.let_go(item, self._mono_s())

    async def _finish(self) -> None:
        """Let what is under way come to its end; after an interruption not for ever. Nothing more leaves."""
        while ready := self._outbox.take():  # whose worker may not be hired yet, and will not be
            self._call_off(*ready)
        while self._busy and not self._stopping.is_interrupted:
            self._wake.clear()
            await self._wake.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace_s):
                while self._busy and not self._stopping.is_hurried:
                    self._wake.clear()
                    await self._wake.wait()

    async def _sleep_until(self, at: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(at - self._mono_s() if at < math.inf else None):
                await self._wake.wait()
