"""How much of the pace a run may use: less when the server asks to slow down, more again with each answer."""

from __future__ import annotations

import math
import random

_QUIET_MAX_S = 300.0  # a server that asks to be left alone for longer is asked again after this
_PAUSE_S = 0.05
_PAUSE_MAX_S = 30.0


class Throttle:
    """Holds a run back as a whole: how many messages may be under way, and from when.

    Args:
        widest: messages under way at once, if nothing is wrong.
        rng: the pauses' jitter.

    Attributes:
        width: messages that may be under way now.
        quiet_until: none may start before; seconds of the dispatcher's clock.
    """

    __slots__ = ("_calm", "_pause_s", "_rng", "_since", "_stale", "_widest", "quiet_until", "width")

    def __init__(self, widest: int, rng: random.Random) -> None:
        self.width = widest
        self.quiet_until = -math.inf
        self._widest = self._calm = widest
        self._rng = rng
        self._since = 0  # answers since it last grew
        self._stale = 0  # answers still to come of what was under way when it was last halved
        self._pause_s = _PAUSE_S

    @property
    def is_narrowed(self) -> bool:
        """Whether fewer messages may be under way than if nothing were wrong."""
        return self.width < self._widest

    def slowed(self, others: int, retry_after_s: float | None, mono_s: float) -> None:
        """The server asked to slow down: halve what may be under way, once for all that is under way now.

        Args:
            others: messages under way beside the one it answered.
            retry_after_s: how long it asks to be left alone; None if it does not say.
            mono_s: now.
        """
        if retry_after_s is not None:
            self.quiet_until = max(self.quiet_until, mono_s + min(retry_after_s, _QUIET_MAX_S))
        if self._stale:
            self._stale -= 1
            return
        if retry_after_s is None:
            self.quiet_until = max(self.quiet_until, mono_s + self._rng.uniform(self._pause_s / 2, self._pause_s))
            self._pause_s = min(_PAUSE_MAX_S, 2 * self._pause_s)
        self.width = self._calm = max(1, self.width // 2)
        self._since, self._stale = 0, others

    def ended(self, *, answered: bool) -> None:
        """An attempt ended: after as many answers as may be under way, one more may be; at once up to what was calm."""
        if self._stale:
            self._stale -= 1
            return
        if not answered:
            return
        self._pause_s = max(_PAUSE_S, self._pause_s / 2)
        if self.width == self._widest:
            return
        self._since += 1
        if self.width < self._calm or self._since >= self.width:
            self.width += 1
            self._since = 0

    def narrow(self) -> None:
        """Begin anew with one message, and come back quickly to what was well."""
        self.width, self._since, self._stale = 1, 0, 0
