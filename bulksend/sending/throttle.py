"""How much of the pace a run may use: how many messages at once, how far apart, and from when."""

from __future__ import annotations

import math

from bulksend.sending.allowance import Allowance
from bulksend.sending.concurrency import Concurrency, Why
from bulksend.sending.pace import LastPace, Pace

_QUIET_MAX_S = 300.0  # a server that asks to be left alone for longer is asked again after this
_PACED_ROOM = 3  # messages under way beside twice what the rate needs
_QUICK_S = 0.005  # answers that come within it leave no time to commit intents one by one


class Throttle:
    """Holds a run back as a whole.

    Args:
        concurrency: finds how many may be under way.
        most: of these, where the server has shown that it knows dedup keys, and where not.
        rate: messages a second that it let through another time, where it refused more; 0 if nobody knows.

    Attributes:
        width: messages that may be under way now.
        asked_until: none may start before, for the server asked this process for it; seconds of the dispatcher's clock.
        quiet_until: nor before this, whoever was asked.
    """

    __slots__ = (
        "_allowance",
        "_concurrency",
        "_is_full",
        "_most",
        "_started_at",
        "asked_until",
        "quiet_until",
        "width",
    )

    def __init__(self, concurrency: Concurrency, most: tuple[int, int], rate: float = 0.0) -> None:
        self.asked_until = self.quiet_until = -math.inf
        self._concurrency = concurrency
        self._allowance = Allowance(rate)
        self._most = most
        self._started_at = -math.inf
        self._is_full = False  # whether the last that started took what was left of the width
        self.width = concurrency.limit

    @classmethod
    def of(cls, pace: Pace) -> Throttle:
        """The one that a pace asks for, as long as the server has shown nothing."""
        if pace.concurrency is not None:
            fixed = Concurrency(pace.concurrency, pace.concurrency, is_fixed=True)
            return cls(fixed, (pace.concurrency, pace.concurrency))
        return cls(Concurrency(pace.start, pace.most_unproven), (pace.most, pace.most_unproven), pace.start_rate)

    @property
    def is_narrowed(self) -> bool:
        """Whether less goes than if nothing were wrong, so that nothing is to be committed ahead."""
        return self._allowance.is_limited or self._concurrency.why is Why.AWAY

    @property
    def is_fixed(self) -> bool:
        """Whether how many may be under way is not found out."""
        return self._concurrency.is_fixed

    @property
    def rate(self) -> float:
        """Messages a second that the server was found to let through; ``math.inf`` if it refuses none."""
        return self._allowance.rate

    @property
    def next_at(self) -> float:
        """None may start before, for the server does not let more through."""
        return self._allowance.next_at

    @property
    def why(self) -> Why | None:
        """Why less or more goes than before."""
        return Why.REFUSED if self._allowance.is_limited else self._concurrency.why

    @property
    def last_pace(self) -> LastPace:
        """What held last, and may be begun with another time."""
        at_once = self._concurrency.held
        return LastPace(min(at_once, self.width) if self._allowance.is_limited else at_once, self._allowance.found)

    def free(self, busy: int, mono_s: float) -> int:
        """How many may start together, from `next_at` on, beside those that are busy."""
        room, spaced = self.width - busy, self._allowance.at_once(mono_s)
        return room if spaced is None else min(room, spaced)

    def together_at(self, busy: int) -> float:
        """When more may start beside those that are busy, so that they start together.

        While answers come quickly, half of the width is soon free, and one commit then serves as many messages as two
        did. It is never waited for longer than quick answers take: they may have become slow since.
        """
        is_soon_free = 2 * busy > self.width and 0.0 < self._concurrency.mean_s < _QUICK_S
        return self._started_at + _QUICK_S if is_soon_free else -math.inf

    def started(self, many: int, busy: int, mono_s: float) -> None:
        """Messages start.

        Args:
            many: so many.
            busy: with them so many are handed out.
            mono_s: now.
        """
        self._started_at = mono_s
        self._is_full = busy >= self.width
        self._allowance.started(many, mono_s)

    def slowed(self, latency_s: float, retry_after_s: float | None, mono_s: float) -> None:
        """The server asked to slow down.

        Args:
            latency_s: how long its answer took.
            retry_after_s: how long it asks to be left alone; None if it does not say.
            mono_s: now.
        """
        pause_s = min(retry_after_s or 0.0, _QUIET_MAX_S)
        if pause_s:
            self.asked_until = max(self.asked_until, mono_s + pause_s)
            self.pause(self.asked_until)
        self._allowance.refused(latency_s, pause_s, mono_s)
        self._fit()

    def pause(self, mono_s: float) -> None:
        """None may start before then; one that was asked for longer holds."""
        self.quiet_until = max(self.quiet_until, mono_s)

    def answered(self, latency_s: float, mono_s: float) -> None:
        """An answer came in the API's own words, after so long."""
        self._allowance.accepted(mono_s)
        self._concurrency.answered(latency_s, mono_s, is_bound=self._is_full)
        self._fit()

    def silent(self, latency_s: float, mono_s: float) -> None:
        """No answer came."""
        self._concurrency.silent(latency_s, mono_s)
        self._fit()

    def narrow(self, mono_s: float) -> None:
        """Begin anew with one message, and come back quickly to what was well."""
        self._concurrency.restart(1, mono_s)
        self._fit()

    def prove(self, *, is_proven: bool) -> None:
        """The server has shown that it knows dedup keys, or that it does not."""
        self._concurrency.bound_to(self._most[0 if is_proven else 1])
        self._fit()

    def _fit(self) -> None:
        self.width = self._concurrency.limit
        if self._allowance.is_limited:
            needed = int(2 * self._allowance.rate * self._concurrency.mean_s) + _PACED_ROOM
            self.width = min(self.width, needed)
