"""What a process tells of those beside whom it sends."""

from __future__ import annotations

from typing import NamedTuple


class OthersAtWork(NamedTuple):
    """How many others are at work on the run that is sent: told when it is otherwise.

    Attributes:
        others: so many workers beside this process.
    """

    others: int


class NotGivenBack(NamedTuple):
    """A worker has ended and could not say so: what it had comes free by itself, when its lease runs out.

    Attributes:
        says: why.
        length_s: so long others wait for it at most, in seconds.
    """

    says: str
    length_s: float
