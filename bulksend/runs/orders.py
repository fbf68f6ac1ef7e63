"""How a run that is opened for workers is sent: what whoever opened it decided, kept with the run for all of them.

No secret is among it, nor anything that says where a message goes: a worker knows that by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bulksend.errors import UsageError
from bulksend.sending import Cap


@dataclass(frozen=True, slots=True)
class Orders:
    """How it is sent.

    Attributes:
        caps: the telcos' caps.
        by_parts: whether a message counts its parts against a cap, or one.
        keyed: whether messages carry a clientDedup.
        began_at: when the command was given, in seconds since 1970.
        repeat: whether also what is equal and of the last hours is sent again.
        repeat_after_s: for so long an equal message is taken for a slip.
        until: the last row that is sent; None for all.
        rate: so many messages a second of the whole account start; None for any number.
        repeats: whether rows that were in doubt then are repeated, as far as that is safe.
        repeats_until: of these the last one; None for all.
        is_left: whether it was left to workers, so that it waits for one where none is at work on it.
    """

    caps: tuple[Cap, ...]
    by_parts: bool
    keyed: bool
    began_at: float
    repeat: bool
    repeat_after_s: float
    until: int | None = None
    rate: float | None = None
    repeats: bool = False
    repeats_until: int | None = None
    is_left: bool = True

    @classmethod
    def told(cls, kept: Mapping[str, Any]) -> Orders:
        """What was kept as JSON.

        Raises:
            UsageError: a newer version has kept more, which whoever sends must not miss.
        """
        if kept.keys() - {field.name for field in fields(cls)}:
            raise UsageError("a run was opened for workers by a newer version of bulksend; use that")
        return cls(**{**kept, "caps": tuple(Cap(**each) for each in kept["caps"])})
