"""When a message that may have been accepted can be sent once more without being accepted twice."""

from __future__ import annotations

from bulksend.model import Attempt, Event
from bulksend.sending.verdict import Verdict

# How long the server is taken to remember a clientDedup. Undocumented; deliveryDeadline shows that a message lives
# for 24 h, and a shorter memory than that would not serve its purpose.
DEDUP_MEMORY_S = 24 * 3600.0
_ACCEPTED = Event.ACCEPTED


class Proof:
    """What echoed keys prove, and for how long.

    A server that echoes our clientDedup in the answer to a message that it accepted knows keys: that is a proof, and
    it holds, over all commands of a run, until such an answer comes without one. But between two commands anything may
    have happened to the server, so that a command relies on it only once it has seen an echo itself: before, it
    repeats nothing, and what it sends goes under no proof. A row that may have been accepted is repeated if

    - this command has seen an echo;
    - all its attempts that may have been accepted began under the proof that holds, so that the server was known to
      know keys before the first of them left, and was not seen to have changed since;
    - the first of them began less than `DEDUP_MEMORY_S` ago, so that the server still remembers.

    So where only such rows are left, none goes, not even alone to see: that would be the repeat before the echo.

    Proofs are numbered by turns: a turn begins when a proof is found (then it is odd) and when it is lost (even), so
    that what was sent under one that was lost is never repeated under another.

    Args:
        turn: how far the run's turns have come.
        keyed: whether messages carry a clientDedup; without one, answers show nothing.
        behind_s: by so much attempts may be older than their times say, for the clock was set back.
        seen: the proof under which an engine before this one, of the same command, has seen an echo; 0 for none.

    Attributes:
        memory_s: so old may an attempt look that is repeated.
        turn: how far they have come by now; noted with the outcomes that show it, before the next attempt begins.
    """

    __slots__ = ("_is_seen", "_keyed", "_left", "_lost", "memory_s", "turn")

    def __init__(self, turn: int, *, keyed: bool, behind_s: float = 0.0, seen: int = 0) -> None:
        self.memory_s = DEDUP_MEMORY_S - behind_s
        self.turn = turn
        self._keyed = keyed
        self._is_seen = turn == seen != 0  # whether this command has seen an echo
        self._left = 0  # the last ticket that left
        self._lost = 0  # the last ticket that had left when a proof was lost: its echo may be older than the loss

    @property
    def held(self) -> int:
        """The proof that no answer has taken back, whoever has seen its echoes; 0 for none."""
        return self.turn if self._keyed and self.turn % 2 else 0

    @property
    def number(self) -> int:
        """The proof under which attempts begin now; 0 for none."""
        return self.held if self._is_seen else 0

    def allows(self, attempt: Attempt, wall_s: float) -> bool:
        """Whether an attempt may leave now: it repeats nothing that may have been accepted, or that is safe.

        Args:
            attempt: what is about to leave.
            wall_s: seconds since 1970. A clock that was set back tells no age.
        """
        is_repeat = attempt.doubt_since is not None and not attempt.resent
        if is_repeat and not (self.covers(attempt) and self._is_fresh(attempt, wall_s)):
            return False
        self._left = max(self._left, attempt.ticket)
        return True

    def covers(self, attempt: Attempt) -> bool:
        """Whether the server knows the key of whatever was sent of the attempt's row, as far as was seen."""
        return attempt.proof == self.number != 0

    def see(self, attempt: Attempt, verdict: Verdict) -> bool:
        """Take in what an answer shows; whether a proof is found by it, or lost."""
        if not self._keyed or verdict.ruling.event is not _ACCEPTED:
            return False
        before = self.turn, self._is_seen
        if verdict.echoed:
            if attempt.ticket > self._lost:
                self.turn += self.turn % 2 == 0
                self._is_seen = True
        elif not verdict.is_duplicate:  # which says that the server knows the key, though it does not show it
            self.turn += self.turn % 2
            self._lost = self._left
        return (self.turn, self._is_seen) != before

    def _is_fresh(self, attempt: Attempt, wall_s: float) -> bool:
        return attempt.doubt_since is not None and 0 <= wall_s - attempt.doubt_since < self.memory_s
