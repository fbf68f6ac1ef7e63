"""Outcomes on their way into the journal: committed in groups, and told only then."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable

from bulksend.model import Attempt, Event, Outcome, Status
from bulksend.sending.consequences import Consequences
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.journal import Journal
from bulksend.sending.listener import Heard, Listener
from bulksend.sending.progress import Progress, status_of
from bulksend.sending.stopping import Stopping

_GROUP_S = 0.015  # outcomes that come within it are committed together, if intents do not take them along before


class Settling:
    """Commits a run's outcomes. Only what is committed counts, and is heard.

    Attributes:
        ends: how the rows ended that the run is done with.
        charged: what they cost by the API's own words, in micro-USD.
        retries: attempts after which another is to come.
        latest: why the last of these is.
    """

    def __init__(
        self, journal: Journal, consequences: Consequences, stopping: Stopping, listener: Listener | None
    ) -> None:
        self.ends: Counter[Status] = Counter()
        self.charged = self.retries = 0
        self.latest = ""
        self._journal = journal
        self._consequences = consequences
        self._stopping = stopping
        self._listener = listener
        self._tried: dict[int, tuple[Attempt, float]] = {}  # by row, for the listener
        self._outcomes: list[Outcome] = []
        self._some = asyncio.Event()
        stopping.tell(self._asked)

    def progress(self, waiting: Dispatcher, in_flight: int) -> Progress:
        """Where the run stands, with what still waits of it."""
        return Progress(
            Counter(self.ends), self.charged, self.retries, self.latest,
            waiting.parked, waiting.phones, waiting.free_at, in_flight,
        )  # fmt: skip

    def note(self, outcome: Outcome, attempt: Attempt | None = None, took_s: float = 0.0) -> None:
        """Take an outcome that is to be committed soon; of an attempt that left, that and how long it took."""
        self._outcomes.append(outcome)
        if self._listener is not None and attempt is not None:
            self._tried[outcome.row] = attempt, took_s
        self._some.set()

    def _asked(self) -> None:
        if self._stopping.is_hurried:
            self._journal.give_up()

    async def run(self) -> None:
        """Commit outcomes as they come, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(_GROUP_S)
            with self._stopping.if_the_store_fails():
                await self.hand_over()

    def hand_over(self) -> Awaitable[None]:
        """Give the outcomes at hand to the journal now; the awaitable tells when they are committed."""
        self._some.clear()
        outcomes, self._outcomes = self._outcomes, []
        return self._confirm(outcomes, self._journal.settle(outcomes, turn=self._consequences.proof.turn))

    async def _confirm(self, outcomes: list[Outcome], settling: Awaitable[None]) -> None:
        """Count outcomes once they are committed; if that fails they stay at hand."""
        try:
            await asyncio.shield(settling)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        if self._listener is not None and outcomes:
            self._listener.hear_of([Heard(outcome, *self._tried.pop(outcome.row, ())) for outcome in outcomes])
        for outcome in outcomes:
            if outcome.final or outcome.event is Event.ACCEPTED:
                self.ends[status_of(outcome)] += 1
                if outcome.answer is not None:
                    self.charged += outcome.answer.charged or 0
            elif outcome.event is not Event.CALLED_OFF:
                self.retries += 1
                self.latest = outcome.error
