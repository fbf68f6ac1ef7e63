"""Which workers send a run of a database side by side, as others see them."""

from __future__ import annotations

from typing import NamedTuple

from bulksend.runs.owner import Owner

LEASE_S = 30.0
"""How long a run, or a part of an account's phones, stays with whoever has it unless he says so again, in seconds."""


class AtWork(NamedTuple):
    """A worker, as others see it.

    Attributes:
        owner: which process it is.
        is_here: whether it is at work on the run that was asked for; else on another of the account's, or on none.
        left_s: so long its lease lasts unless it is renewed.
        shards: so many of the account's parts it has.
    """

    owner: Owner
    is_here: bool
    left_s: float
    shards: int


class Shared(NamedTuple):
    """That a run is opened for workers, and who works on it.

    Attributes:
        workers: the living workers of its account, in the order in which they came.
        free: so many of the account's parts nobody has.
        of: into so many parts it is dealt.
    """

    workers: tuple[AtWork, ...]
    free: int
    of: int

    @property
    def here(self) -> tuple[AtWork, ...]:
        """The workers that are at work on this run."""
        return tuple(each for each in self.workers if each.is_here)
