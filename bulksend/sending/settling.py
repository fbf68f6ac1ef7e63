"""Outcomes on their way into the journal: committed in groups, and told only then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from bulksend.model import Event, Outcome
from bulksend.sending.consequences import Consequences
from bulksend.sending.journal import Journal
from bulksend.sending.stopping import Stopping

# Outcomes are committed in groups: at 100, or after 15 ms.
_GROUP_ROWS = 100
_GROUP_S = 0.015


class Settling:
    """Commits a run's outcomes.

    Attributes:
        sent: rows that were accepted; only what is committed counts.
        not_sent: rows that the run is done with all the same.
    """

    def __init__(self, journal: Journal, consequences: Consequences, stopping: Stopping) -> None:
        self.sent = self.not_sent = 0
        self._journal = journal
        self._consequences = consequences
        self._stopping = stopping
        self._outcomes: list[Outcome] = []
        self._some = asyncio.Event()

    def note(self, outcome: Outcome) -> None:
        """Take an outcome that is to be committed soon."""
        self._outcomes.append(outcome)
        self._some.set()

    async def run(self) -> None:
        """Commit outcomes as they come, until cancelled."""
        while True:
            await self._some.wait()
            if len(self._outcomes) < _GROUP_ROWS:
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
        for outcome in outcomes:
            if outcome.event is Event.ACCEPTED:
                self.sent += 1
            elif outcome.final:
                self.not_sent += 1
