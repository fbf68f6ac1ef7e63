"""What goes wrong by chance, and how long an answer takes."""

from __future__ import annotations

from random import Random

from bulksend.engagespark.sandbox.behaviour import SandboxOptions

_UNDELIVERED = ("absent subscriber", "unknown subscriber")
"""Why a phone is not reached, in telcos' words (3GPP TS 29.002, errors of MT-ForwardSM)."""


class Chance:
    """Draws from the options' probabilities; what is switched off draws nothing."""

    __slots__ = ("_options", "_rng")

    def __init__(self, options: SandboxOptions, rng: Random) -> None:
        self._options = options
        self._rng = rng

    def failure(self) -> int | None:
        """Draw the HTTP status that a send fails with, or None."""
        if not self._options.fail:
            return None
        draw = self._rng.random()
        for status, probability in self._options.fail:
            draw -= probability
            if draw < 0:
                return status
        return None

    def loses_answer(self) -> bool:
        """Draw whether an accepted send's answer gets lost."""
        return self._options.lose_answers > 0 and self._rng.random() < self._options.lose_answers

    def undelivered(self) -> str:
        """Draw why an accepted message does not reach its phone; empty if it does."""
        if not (self._options.undelivered and self._rng.random() < self._options.undelivered):
            return ""
        return self._rng.choice(_UNDELIVERED)

    def delay_s(self) -> float:
        """Draw the latency of an answer."""
        jitter_s = self._options.latency_jitter_s
        if not jitter_s:
            return self._options.latency_s
        return max(0.0, self._options.latency_s + self._rng.uniform(-jitter_s, jitter_s))
