"""Whether the server is there, and when to look again if it is not: a synchronous machine, like the dispatcher.

Away is a server that let nothing through in the last attempts. Then the run pauses as a whole: it looks first whether
anybody answers at all, then lets one message try. So an outage costs one message in doubt a try, not all the pace.
"""

from __future__ import annotations

import math
import random
from enum import Enum, auto

from bulksend.sending.verdict import Repeat, Verdict, Voice

_SILENT_MAX = 8  # attempts in a row without a word of the API itself
_VAIN_MAX = 16  # attempts in a row; an error in the API's own words may be its message's fault, so there may be more
_FIRST_S = 1.0
_LONGEST_S = 30.0
_LONGEST_IF_IT_SPEAKS_S = 2.0  # the next message may not be at fault, and is soon known


class _State(Enum):
    HERE = auto()
    WAITING = auto()
    """For the time to look whether anybody answers."""
    READY = auto()
    """Somebody answers: one message may try."""
    TRYING = auto()


# In Python 3.11 a member that is asked of its enum costs as much as a call: several times a message, that shows.
_HERE, _WAITING, _READY, _TRYING = _State
_API, _BUSY, _NONE = Voice
_FREELY = Repeat.FREELY


class Absence:
    """Watches how attempts end, and says whether the server is away.

    Args:
        patience_s: how long it may let nothing through.
        rng: the waits' jitter.

    Attributes:
        patience_s: how long it may let nothing through.
        look_at: when to look whether anybody answers; seconds of the dispatcher's clock, ``math.inf`` if not to.
        is_over: whether it is given up.
    """

    __slots__ = (
        "_delay_s", "_in_vain", "_rng", "_silent", "_since", "_spoke", "_state", "_trial", "is_over", "look_at",
        "patience_s",
    )  # fmt: skip

    def __init__(self, patience_s: float, rng: random.Random) -> None:
        self.look_at = math.inf
        self.is_over = False
        self.patience_s = patience_s
        self._rng = rng
        self._state = _HERE
        self._delay_s = _FIRST_S
        self._trial: int | None = None  # the row that tries
        self._since: float | None = None  # since when nothing got through
        self._in_vain = 0  # attempts in a row that did not get through, those asked to slow down apart
        self._silent = 0  # of these, so many without a word of the API itself
        self._spoke = False  # whether it ever did

    @property
    def is_away(self) -> bool:
        """Whether the run pauses."""
        return self._state is not _HERE

    @property
    def allows_trial(self) -> bool:
        """Whether one message may start, though it is away."""
        return self._state is _READY

    @property
    def speaks(self) -> bool:
        """Whether it answers though nothing gets through: then the messages may be at fault that were tried last."""
        return not self._silent

    @property
    def is_in_question(self) -> bool:
        """Whether silence may be the server's and not the message's: it is away, or has not spoken since the last."""
        return self.is_away or self._silent > 1 or (self._silent > 0 and not self._spoke)

    def is_trial(self, row: int) -> bool:
        """Whether a row is what tries."""
        return self._trial == row

    def begins(self, row: int) -> None:
        """Messages start, this one first; while the server is away, it is the one that tries."""
        if self._state is _READY:
            self._state, self._trial = _TRYING, row

    def called_off(self, row: int) -> None:
        """A message did not start after all."""
        if self._trial == row:
            self._state, self._trial = _READY, None

    def heard(self, row: int, verdict: Verdict, others: int, mono_s: float) -> bool:
        """An attempt ended; whether the server was there, and now is away.

        Args:
            row: whose.
            verdict: how.
            others: attempts under way beside it.
            mono_s: now.
        """
        was_here, is_trial, voice = self._state is _HERE, self._trial == row, verdict.voice
        through = voice is _API and verdict.ruling.repeat is not _FREELY
        self._count(voice, mono_s, through=through)
        if was_here:
            if not through and (self._lets_nothing_through or (self._silent and not others)):
                self._wait(mono_s)
        elif through or (is_trial and self._is_answered(voice)):
            self._come_back()
        elif is_trial:
            self._missed(mono_s)
        if voice is _BUSY and not through and self._is_late(mono_s):
            self.is_over = True
        return was_here and self._state is not _HERE

    def told(self, mono_s: float) -> None:
        """Another process of the run found it away: this one looks for itself, before a message leaves."""
        if self._state is _HERE:
            self._wait(mono_s)

    def looked(self, mono_s: float, *, found: bool) -> None:
        """It was looked whether anybody answers."""
        if self._state is not _WAITING:
            return
        if found:
            self._state, self.look_at = _READY, math.inf
        else:
            self._missed(mono_s)

    def _count(self, voice: Voice, mono_s: float, *, through: bool) -> None:
        self._spoke = self._spoke or voice is _API
        if through:
            self._in_vain = self._silent = 0
            self._since = None
            return
        if self._since is None:
            self._since = mono_s
        if voice is not _BUSY:
            self._in_vain += 1
            self._silent = self._silent + 1 if voice is _NONE else 0

    @property
    def _lets_nothing_through(self) -> bool:
        return self._silent >= _SILENT_MAX or self._in_vain >= _VAIN_MAX

    def _is_answered(self, voice: Voice) -> bool:
        """Whether the run may go on, though what tried did not get through: it may be the message that is at fault."""
        return voice is _BUSY or (voice is _API and not self._lets_nothing_through)

    def _come_back(self) -> None:
        self._state, self._trial, self.look_at, self._delay_s = _HERE, None, math.inf, _FIRST_S
        self._in_vain = self._silent = 0

    def _missed(self, mono_s: float) -> None:
        """It is still away; given up only by a look that came late enough, for a pause of ours is not the server's."""
        if self._is_late(mono_s):
            self.is_over = True
        self._delay_s = min(_LONGEST_IF_IT_SPEAKS_S if self.speaks else _LONGEST_S, 2 * self._delay_s)
        self._wait(mono_s)

    def _wait(self, mono_s: float) -> None:
        self._state, self._trial = _WAITING, None
        given_up_at = (mono_s if self._since is None else self._since) + self.patience_s
        delay_s = self._rng.uniform(self._delay_s / 2, self._delay_s)
        self.look_at = min(mono_s + delay_s, max(mono_s, given_up_at))

    def _is_late(self, mono_s: float) -> bool:
        return self._since is not None and mono_s - self._since >= self.patience_s
