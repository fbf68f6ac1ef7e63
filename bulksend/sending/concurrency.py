"""How many messages may be under way at once, found out by how long answers take.

What was learned elsewhere, and why:

- TCP, and Netflix's concurrency-limits after it: a slow start that doubles in each round of answers finds any size in
  a few rounds; only a round in which the limit was reached is a reason to raise it.
- TCP Vegas, and Netflix's Gradient2: what waits at the server shows in how much longer answers take than they did
  when nothing waited. The cut goes by that measure to where little waits, and never below half at once.
- Vector's adaptive concurrency: answers are judged a round at a time, and beside their own spread, so that jitter is
  not taken for a queue. Unlike there, a low quantile is judged and not the mean, which a few late answers move; it
  also passes over the requests that had to open a connection first.
- AWS's adaptive retries (CUBIC): after a cut quickly back to just below where it hurt, then slowly past it, then ever
  faster. So a cut by mistake is made good in a few rounds, and of two runs at one server the smaller gains.
- TCP Vegas once more, which counts its own that wait and not how long: of two runs at one server the one that has more
  under way bears less waiting, goes back first, and leaves room to the other, until both have as much.
- TCP BBR: how long an answer takes at least is forgotten after a while; each cut empties the queue, and shows it anew.
  What a cut does not change was not ours: then the server has become slower, and that is the new measure.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

START = 8
_ROUND_FEW = 8  # fewer answers say nothing of how long they take
_ROUND_MIN = 24  # answers that are judged together at least, once the first rise is over
_BASE_S = 15.0  # so long it is remembered how quick answers were
# The wait at the server that is too long, in answers' own time: so much where so many are under way, less where more
# are, and some standard errors of what is judged.
_WAIT_MAX, _WAIT_AT, _WAIT_FALLS, _WAIT_FEW = 0.6, 128, 0.25, 0.75
_SPREADS, _WAIT_CAP = 4.0, 1.5
_ANSWER_S = 0.02  # quicker answers wait for our own processor rather than at the server, and are judged as these
_CUT_MOST, _CUT_LEAST, _CUT_SILENT = 0.5, 0.85, 0.6  # what is left after a cut
_CUBIC = 0.4  # messages per round of the third power
_STEP_MAX = 1.5  # times the limit, in one round
_IN_VAIN_MAX = 2  # cuts in a row that made answers no quicker
_QUICKER = 0.9
_FLOOR = 2  # answers that take longer make it no less
_SILENT_SHARE = 0.05  # of a round: fewer may be lost by chance
_BOUND_SHARE = 0.8  # of a round's answers


class Why(StrEnum):
    """Why the limit moved."""

    ROOM = "room"
    """It was reached, and answers were as quick as before."""
    SLOWER = "slower"
    """Answers took longer."""
    SILENT = "silent"
    """Several requests brought no answer."""
    REFUSED = "refused"
    """The server asked to slow down."""
    AWAY = "away"
    """The server was away, and it begins anew."""


class Concurrency:
    """Finds how many may be under way: told of each answer, it moves once a round.

    Args:
        start: where it starts.
        most: it is never more.
        is_fixed: whether it stays where it is, however long answers take.

    Attributes:
        limit: messages that may be under way.
        most: it is never more; may change.
        is_fixed: whether it stays where it is.
        held: the last limit that was reached while answers were quick; 0 if none was.
        why: why it moved last; None if it did not.
        mean_s: how long the answers of the last round took; in the first, the first answer.
    """

    __slots__ = (
        "_base", "_before", "_bound", "_in_vain", "_is_rising", "_latencies", "_peak", "_round", "_rounds", "_silent",
        "_since", "_whole", "held", "is_fixed", "limit", "mean_s", "most", "why",
    )  # fmt: skip

    def __init__(self, start: int, most: int, *, is_fixed: bool = False) -> None:
        self.most = most
        self.limit = min(start, most)
        self.held = 0
        self.why: Why | None = None
        self.mean_s = 0.0
        self.is_fixed = is_fixed
        self._is_rising = True  # the first rise: doubling
        self._latencies: list[float] = []
        self._round = self.limit
        self._bound = self._silent = 0
        self._base: deque[tuple[float, float, float]] = deque()  # (when, low, middle), the lows growing
        self._since = -1.0  # requests that began before are no evidence any more
        self._peak = self._whole = float(self.limit)
        self._rounds = 0  # with room since the last cut
        self._before = 0.0  # how long answers took at the last cut
        self._in_vain = 0  # cuts in a row that made them no quicker

    def answered(self, latency_s: float, mono_s: float, *, is_bound: bool) -> None:
        """An answer came.

        Args:
            latency_s: after so long.
            mono_s: now.
            is_bound: whether as many were under way as may be.
        """
        if mono_s - latency_s < self._since:
            return
        self.mean_s = self.mean_s or latency_s
        self._latencies.append(latency_s)
        self._bound += is_bound
        if len(self._latencies) >= self._round:
            self._judge(mono_s)

    def silent(self, latency_s: float, mono_s: float) -> None:
        """No answer came, or one of somebody before the API."""
        if mono_s - latency_s < self._since or self.is_fixed:
            return
        self._silent += 1
        if self._silent >= max(2, _SILENT_SHARE * max(self._round, len(self._latencies))):
            self._cut(_CUT_SILENT, Why.SILENT, mono_s)

    def restart(self, limit: int, mono_s: float) -> None:
        """Begin anew with so many, and come back quickly."""
        self._move(limit, Why.AWAY)
        self._is_rising, self._since = True, mono_s
        self._next_round()

    def bound_to(self, most: int) -> None:
        """From now on it is never more."""
        self.most = most
        if self.limit > most:
            self._move(most, self.why)

    def _judge(self, mono_s: float) -> None:
        """A round is over: look whether answers took longer than they need."""
        latencies = sorted(self._latencies)
        count = len(latencies)
        low, middle, high = latencies[count // 4], latencies[count // 2], latencies[3 * count // 4]
        self.mean_s = sum(latencies) / count
        is_bound = self._bound >= _BOUND_SHARE * count
        self._next_round()
        self._note_base(low, middle, mono_s)
        if self.is_fixed:
            return
        quick_low, quick_middle = self._quick()
        wait = (low - quick_low) / quick_middle
        error = _SPREADS * (high - low) / quick_middle / count**0.5
        if self._before:
            self._in_vain = self._in_vain + 1 if low > _QUICKER * self._before else 0
            self._before = 0.0
        if count >= _ROUND_FEW and wait > min(self._wait_max + error, _WAIT_CAP):
            if self._in_vain >= _IN_VAIN_MAX:
                self._take_as_new(low, middle, mono_s)
            else:
                self._before = low
                self._cut(max(_CUT_MOST, min(_CUT_LEAST, 1 / (1 + wait))), Why.SLOWER, mono_s)
        elif is_bound:
            self.held = self.limit
            self._grow()

    @property
    def _wait_max(self) -> float:
        bears: float = _WAIT_MAX * (_WAIT_AT / self.limit) ** _WAIT_FALLS
        return min(_WAIT_FEW, bears)

    def _grow(self) -> None:
        if self._is_rising:
            wanted = 2.0 * self.limit
        else:
            self._rounds += 1
            turn = (max(0.0, self._peak - self._whole) / _CUBIC) ** (1 / 3)
            wanted = self._peak + _CUBIC * (self._rounds - turn) ** 3
            wanted = min(max(wanted, self.limit), self.limit * _STEP_MAX + 1)
        self._move(int(min(wanted, self.most)), Why.ROOM)
        if self.limit >= self.most:
            self._is_rising = False
            self._peak = self._whole = float(self.limit)
            self._rounds = 0

    def _cut(self, factor: float, why: Why, mono_s: float) -> None:
        self._is_rising = False
        self._peak = float(self.limit)
        self._move(max(min(_FLOOR, self.limit), int(self.limit * factor)), why)
        self._whole = float(self.limit)
        self._rounds = 0
        self._since = mono_s
        self._next_round()

    def _take_as_new(self, low: float, middle: float, mono_s: float) -> None:
        self._base.clear()
        self._note_base(low, middle, mono_s)
        self._in_vain = 0

    def _move(self, limit: int, why: Why | None) -> None:
        if limit != self.limit:
            self.limit, self.why = limit, why

    def _next_round(self) -> None:
        self._latencies.clear()
        self._bound = self._silent = 0
        self._round = self.limit if self._is_rising else max(_ROUND_MIN, self.limit)

    def _note_base(self, low: float, middle: float, mono_s: float) -> None:
        base = self._base
        while base and base[-1][1] >= low:
            base.pop()
        base.append((mono_s, low, middle))
        while len(base) > 1 and base[0][0] < mono_s - _BASE_S:
            base.popleft()

    def _quick(self) -> tuple[float, float]:
        return self._base[0][1], max(self._base[0][2], _ANSWER_S)
