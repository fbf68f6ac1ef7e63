"""How many messages a second a server lets through, found out by what it refuses.

Where it says 429, no number under way is right: 20 a second at 20 ms an answer are less than one. So starts are spaced.

- From TCP BBR, where it finds a policer: between two refusals the server's bucket was empty at both ends, so that what
  it accepted between them is what it pays out in that time, however large the bucket is.
- From AWS's adaptive retries: nothing is spaced before the first refusal, and a rate that is not used up not raised.
- From TCP's fairness (additive increase, multiplicative decrease) and CUBIC's fast convergence: refused at a rate that
  was well before, somebody else is there. So a good part is left to whoever that is, which his quick search takes up
  before the slow steps back do; while this goes on, each refusal takes a share, and steps hardly grow with the rate.
- A probe may cost one request in a hundred: the more it was told to slow down, the longer it keeps to what it knows.
"""

from __future__ import annotations

import math

# What two refusals tell: so many accepted between them at least, or a few in a time that is long enough.
_KNOWS, _SPAN_S = 20, 0.3
_KNOWS_FEW, _KNOWS_S = 4, 0.8
_KEEPS = 0.95  # of what the server pays out
_LASTS = 0.94  # of what got through last, where a server keeps no bucket: it pays no more for having been spared
_LASTS_UNSURE = 0.8
_MANY = 50.0  # got through in a second: fewer tell no such thing
# What one refusal tells that comes too soon after another.
_FALLS, _FALLS_MOST = 0.7, 0.5
# The search after the first refusal, when nothing is known: quick steps, which cost refusals.
_SEARCH_S = 6.0
_SEARCH_GAIN, _SEARCH_GAIN_MIN, _SEARCH_GAIN_MAX = 1.5, 0.1, 0.5
_FIRST = 10.0  # a second, where nothing got through yet
# Then it is held, and probed: a refusal may cost the hundredth message, a pause that was asked for the 25th second.
_HOLD, _HOLD_MAX_S = 150, 15.0
_PAUSES, _PAUSED_MAX_S, _UNSURE_S = 25, 40.0, 3.0
# The smaller rate gains more, so that two runs at one server come nearer to each other.
_GAIN, _GAIN_MAX, _GAINS_GROW = 0.1, 0.05, 1.5
_STEP, _STEP_S = 3, 0.4  # accepted, and seconds, between two gains
_USED_UP = 0.6  # of the rate: commits that take their time leave some of it
_CATCH_UP_S, _TOGETHER = 0.03, 100.0  # seconds; and a rate up to which none start together
# Refused at what was well before: what is left of the rate at first, and by each refusal of the next seconds; meanwhile
# it gains, a second, so much of a power of it.
_YIELDS, _YIELDS_ON, _SHARES_S = 0.6, 0.8, 30.0
_SHARES_GAIN, _SHARES_POWER = 0.17, 0.75
_WELL = 1.01  # of what is known: no more than that is no probe
_BELOW = 0.9  # of what was found another time
_SLOWEST, _ANY = 1 / 20.0, 10_000.0  # a second; from the latter on nothing is spaced again


class Allowance:
    """Spaces starts, once something was refused: first a search, then a rate that is held, and probed now and then.

    Args:
        known: messages a second that were let through another time; 0 if nobody knows. It begins below that.

    Attributes:
        rate: starts a second; ``math.inf`` as long as nothing is spaced.
        next_at: when the next may start, by the caller's clock.
    """

    __slots__ = (
        "_accepted", "_before", "_calm", "_gain", "_goal", "_is_sure", "_pause_s", "_refused", "_searches_to",
        "_shares_to", "_since", "_started", "_step_accepted", "_step_at", "_step_started", "_window_at",
        "_window_count", "next_at", "rate",
    )  # fmt: skip

    def __init__(self, known: float = 0.0) -> None:
        self.rate = known * _BELOW or math.inf
        self.next_at = -math.inf
        self._calm = self.rate  # what it pays out, as far as is known
        self._since = -math.inf  # the last refusal that changed the rate
        self._accepted = 0  # since then
        self._refused = 0  # with it
        self._goal = self.rate  # what it comes back to at once, after a time in which nothing got through
        self._is_sure = False  # whether that was told by two refusals
        self._pause_s = 0.0  # asked for with it
        self._searches_to = -math.inf  # until then it is searched
        self._shares_to = -math.inf  # until then somebody else is taken to be there
        self._gain = _GAIN  # of the next probe
        self._started = self._step_started = self._step_accepted = 0
        self._step_at = 0.0
        self._window_at = -math.inf  # since when it is counted what got through
        self._window_count = 0
        self._before = 0.0  # what got through a second, in the window before

    @property
    def is_limited(self) -> bool:
        """Whether starts are spaced."""
        return self.rate < math.inf

    @property
    def found(self) -> float:
        """Messages a second that refusals showed to be let through; 0 if none did."""
        return self._calm if self._refused and self._calm < math.inf else 0.0

    def at_once(self, mono_s: float) -> int | None:
        """How many may start together once `next_at` has come; None for any number."""
        if self.rate == math.inf:
            return None
        return int(max(0.0, min(mono_s - self.next_at, self._catch_up_s)) * self.rate) + 1

    @property
    def _catch_up_s(self) -> float:
        """So late may starts be made good, together: a commit takes its time. A slow server may take only one."""
        return _CATCH_UP_S if self.rate > _TOGETHER else 0.5 / self.rate

    def started(self, many: int, mono_s: float) -> None:
        """Messages start."""
        if self.rate < math.inf:
            if self._since == -math.inf:  # it began with what was known
                self._since = self._step_at = mono_s
            self.next_at = max(self.next_at, mono_s - self._catch_up_s) + many / self.rate
            self._started += many

    def accepted(self, mono_s: float) -> None:
        """A message got through."""
        self._accepted += 1
        self._window_count += 1
        if self._window_at == -math.inf:
            self._window_at = mono_s
        if mono_s - self._window_at >= (_KNOWS_S if self.rate < math.inf else _SPAN_S):
            self._before = self._window_count / (mono_s - self._window_at)
            self._window_at, self._window_count = mono_s, 0
        if self.rate < math.inf:
            self._rise(mono_s)

    def refused(self, latency_s: float, pause_s: float, mono_s: float) -> None:
        """The server asked to slow down.

        Args:
            latency_s: how long the answer took.
            pause_s: how long it asks to be left alone; 0 if it does not say.
            mono_s: now.
        """
        self._refused += 1
        self._pause_s = max(self._pause_s, pause_s)
        if mono_s - latency_s < self._since:
            return  # it left before it was known
        self._fall(latency_s, mono_s)
        self._refused, self._pause_s = 1, pause_s
        self._since, self._accepted = mono_s, 0
        self._gain = _GAIN
        self._start_step(mono_s)
        self.next_at = max(self.next_at, mono_s + 1 / self.rate)

    def _fall(self, latency_s: float, mono_s: float) -> None:
        span, is_first = mono_s - self._since, self._since == -math.inf
        is_told = span >= max(_SPAN_S, 2 * latency_s) and (
            self._accepted >= _KNOWS or (self._accepted >= _KNOWS_FEW and span >= _KNOWS_S)
        )
        if self.rate == math.inf:
            self.rate = _FALLS * max(_FIRST, self._lately(mono_s, latency_s))
            self._searches_to = mono_s + _SEARCH_S
        elif is_told:
            pays, lately = _KEEPS * max(self._accepted / span, 0.5 * self.rate), self._lately(mono_s)
            self._is_sure = mono_s > self._searches_to or pays > _LASTS_UNSURE * lately
            if lately > _MANY:
                pays = max(pays, (_LASTS if mono_s > self._searches_to else _LASTS_UNSURE) * lately)
            if mono_s > self._searches_to and (mono_s < self._shares_to or self.rate <= _WELL * self._calm):
                pays = min(pays, self.rate * (_YIELDS_ON if mono_s < self._shares_to else _YIELDS))
                self._shares_to = mono_s + _SHARES_S
            elif self._calm < self.rate and self._gain > _GAIN:  # a probe failed: what was held before was well
                pays = max(pays, self._calm)
            self.rate = self._calm = min(self.rate, pays)
        else:
            least = _FALLS_MOST if self._calm == math.inf else _FALLS
            self.rate *= max(least, self._accepted / (self._accepted + self._refused))
        self.rate = max(_SLOWEST, self.rate)
        if self._accepted >= (_STEP if is_first else 1):  # where it lets nothing through, that tells no rate
            self._goal = self.rate

    def _lately(self, mono_s: float, latency_s: float = _KNOWS_S) -> float:
        """Messages a second that got through in the last second or two."""
        took_s = mono_s - self._window_at
        return max(self._before, self._window_count / max(took_s, latency_s, _SPAN_S / 3))

    def _rise(self, mono_s: float) -> None:
        if self.rate < self._goal:
            self.rate = min(self._goal, 2 * self.rate)
            if self.rate > _ANY:
                self.rate = math.inf
                return
        took_s = mono_s - self._step_at
        if took_s < _STEP_S or self._accepted - self._step_accepted < _STEP:
            return
        is_used_up = self._started - self._step_started >= _USED_UP * self.rate * took_s - 1
        self._start_step(mono_s)
        if not is_used_up:
            return
        if mono_s < self._searches_to or self._calm == math.inf:
            self.rate *= 1 + max(_SEARCH_GAIN_MIN, min(_SEARCH_GAIN_MAX, _SEARCH_GAIN / self.rate**0.5))
        elif mono_s < self._shares_to:
            self.rate += _SHARES_GAIN * self.rate**_SHARES_POWER * took_s
            self._calm = max(self._calm, self.rate)
        elif self.rate < self._calm:
            self.rate = min(self._calm, 1.2 * self.rate)
        elif mono_s - self._since >= max(
            min(_PAUSED_MAX_S, _PAUSES * self._pause_s) if self._is_sure else _UNSURE_S,
            min(_HOLD_MAX_S, _HOLD * self._refused / self.rate),
        ):
            self.rate *= 1 + min(_GAIN_MAX, self._gain / self.rate**0.5)
            self._gain *= _GAINS_GROW

    def _start_step(self, mono_s: float) -> None:
        self._step_at, self._step_accepted, self._step_started = mono_s, self._accepted, self._started
