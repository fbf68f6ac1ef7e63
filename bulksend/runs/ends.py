"""What becomes of a run in the end, as it keeps that for whoever asks later: how it ended, and that it was purged."""

from __future__ import annotations

import time
from typing import NamedTuple

FINISHED = "finished"
"""All was done that could be."""
LIMITED = "limit reached"
"""Only the first rows were to be sent, and were."""
CUT_OFF = "cut off"
"""Whoever sent it died; when, nobody knows."""


class End(NamedTuple):
    """How a run was last sent to an end.

    Attributes:
        reason: the value of a `bulksend.sending.StopReason`, or one of those above.
        says: the sentence for people; empty where the reason says it all.
        at_s: when, in seconds since 1970; None if nobody knows.
    """

    reason: str
    says: str = ""
    at_s: float | None = None


def asked_words(at_s: float) -> str:
    """That somebody asked for the end, and when by this machine's clock."""
    return f"somebody asked it to stop, at {time.strftime('%H:%M:%S', time.localtime(at_s))}"


class Spell(NamedTuple):
    """From when to when a run was sent.

    Attributes:
        started_at: when that began for the first time, in seconds since 1970; None if it never did.
        end: how it ended the last time; None if it never did.
    """

    started_at: float | None = None
    end: End | None = None


class Purge(NamedTuple):
    """That a run's numbers, texts and cells are gone.

    Attributes:
        at_s: since when, in seconds since 1970.
        is_whole: whether they are gone from every byte of its file; if not, that was cut off.
    """

    at_s: float
    is_whole: bool
