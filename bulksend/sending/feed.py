"""The dispatcher's supply of rows: what the past still claims first, then the journal's rows in input order."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from bulksend.model import Queued, Recipient
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.journal import Journal

# Rows the dispatcher is fed with at a time, and when it gets more: enough that it never starves between two claims.
_CLAIM_ROWS = 2_000
_CLAIM_BELOW = 500
_NEWS_S = 1.0


class Past(NamedTuple):
    """What is known of the time before a run's first message, beside its own journal.

    Attributes:
        sends: (recipient, slots, seconds since 1970) of other runs' sends that may still count against a cap.
        quiet_s: how long to wait before the first message.
        repeats: of the rows in doubt, only the first so many may be repeated; None for all.
        behind_s: by so much they may be older than their times say, for the clock was set back.
        proof: under which this command has seen an echo, with another engine; 0 for none.
        has_sent: whether any message of the run was accepted: then rejections alike are those rows' own.
    """

    sends: Sequence[tuple[Recipient, int, float]] = ()
    quiet_s: float = 0.0
    repeats: int | None = None
    behind_s: float = 0.0
    proof: int = 0
    has_sent: bool = False


class Feed:
    """Brings rows from the journal to the dispatcher.

    Attributes:
        is_dry: whether the journal has no more of them.
        news_at: when to ask for news of others next, by the dispatcher's clock; ``math.inf`` if none ever comes.
    """

    def __init__(self, journal: Journal, dispatcher: Dispatcher) -> None:
        self.is_dry = False
        self.news_at = -math.inf
        self._journal = journal
        self._dispatcher = dispatcher
        self._claimed_to = 0  # the last row claimed
        self._crowded = array("q")  # rows that were parked at the beginning, and are claimed once more

    async def recall(self, past: Past, mono_s: float, wall_s: float) -> None:
        """Load what still counts against a cap, and park the rows of phones known to need theirs."""
        await self._hear(mono_s, wall_s)
        caps = self._dispatcher.caps
        own = await self._journal.recent_sends(wall_s - caps.longest_window_s, wall_s)
        self._recall([*own, *past.sends], mono_s, wall_s)
        crowded = await self._journal.crowded(self._is_crowded)
        self._crowded = array("q", sorted(item.row for item in crowded))
        self._dispatcher.park(crowded, mono_s)

    async def fill(self, mono_s: float, wall_s: float) -> None:
        """Claim rows until the dispatcher has enough for a while; and hear the news, if there may be any."""
        if self.news_at <= mono_s:
            await self._hear(mono_s, wall_s)
        while not self.is_dry and self._dispatcher.queued < _CLAIM_BELOW:
            items = await self._journal.claim(self._claimed_to, _CLAIM_ROWS)
            if items:
                self._claimed_to = items[-1].row
            else:
                self.is_dry = True
            self._dispatcher.queue(self._uncrowded(items))

    def missed(self, rows: int) -> None:
        """So many rows did not begin: there may be news."""
        if rows and self.news_at < math.inf:
            self.news_at = -math.inf

    async def _hear(self, mono_s: float, wall_s: float) -> None:
        """Hear what came from others that send for the account."""
        news = await self._journal.news()
        self.news_at = math.inf if news is None else mono_s + _NEWS_S
        if news is not None:
            self._recall(news.sends, mono_s, wall_s)
            self._dispatcher.queue(news.rows)

    def _recall(self, sends: Iterable[tuple[Recipient, int, float]], mono_s: float, wall_s: float) -> None:
        for recipient, slots, ended_at in sorted(sends, key=itemgetter(2)):
            cap = self._dispatcher.caps.of(recipient)
            if cap is not None:
                self._dispatcher.recall(recipient, slots, mono_s + min(ended_at - wall_s, 0) + cap.window_s)

    def _is_crowded(self, recipient: Recipient, slots: int) -> bool:
        cap = self._dispatcher.caps.of(recipient)
        return cap is not None and slots > cap.count

    def _uncrowded(self, items: Sequence[Queued]) -> Sequence[Queued]:
        """Those of claimed rows that were not parked at the beginning."""
        if not items or not self._crowded:
            return items
        first, last = bisect_left(self._crowded, items[0].row), bisect_right(self._crowded, items[-1].row)
        parked = set(self._crowded[first:last])
        return [item for item in items if item.row not in parked] if parked else items
