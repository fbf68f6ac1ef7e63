"""Rows in doubt that a worker repeats where nothing else is left to send, and how long it waits for others to do so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bulksend.sending import Proof

if TYPE_CHECKING:
    from bulksend.runs import WorkedRun  # needs the extra `postgres`

_OTHERS_S = 10.0  # so long others may take, until another one of their rows changes


class Repeats:
    """What one worker repeats of one run, as long as it is at work on that.

    A worker repeats only once it has seen an echo itself, with whichever of its engines, and only rows of its own
    shards. The run is not over as long as others may be about to: but of those nobody knows whether they have seen one,
    so that they are waited for only as long as something happens.

    Args:
        run: the run.
        tries: see `WorkedRun.to_repeat`.
        are_wanted: whether the run's orders let anything be repeated.
        mono_s: monotonic seconds.

    Attributes:
        proof: under which this worker has seen an echo; 0 for none.
    """

    def __init__(
        self, run: WorkedRun, tries: int, *, are_wanted: bool, mono_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.proof = 0
        self._run = run
        self._tries = tries
        self._are_wanted = are_wanted
        self._mono_s = mono_s
        self._due: set[int] = set()
        self._done: set[int] = set()  # which an engine has come to the end with
        self._others: set[int] = set()
        self._until_s = 0.0

    def are_due(self) -> bool:
        """Whether rows of the own shards are to be repeated; none twice by an engine that begins for them alone."""
        self._due = self._rows(self.proof, is_mine=True) - self._done
        return bool(self._due)

    def ended(self, proof: int, *, is_through: bool) -> None:
        """An engine has ended that has seen an echo under this proof; whether it came to its own end."""
        self.proof = proof
        if is_through:
            self._done |= self._due

    def are_awaited(self) -> bool:
        """Whether others may be about to repeat rows of theirs."""
        before, self._others = self._others, self._rows(Proof(self._run.turn, keyed=True).held, is_mine=False)
        if self._others != before:
            self._until_s = self._mono_s() + _OTHERS_S
        return bool(self._others) and self._mono_s() < self._until_s

    def _rows(self, proof: int, *, is_mine: bool) -> set[int]:
        if not (self._are_wanted and proof):
            return set()
        return self._run.to_repeat(proof, time.time(), self._tries, is_mine=is_mine)
