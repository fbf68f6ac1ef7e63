"""What goes wrong, and what can be done about it: one tree of exceptions, each with the sentence that people see.

The core says what happened. How it is mended differs from face to face (a flag, a button, an argument), so the core
only names it, as an `Advice`, and each face words it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Advice(StrEnum):
    """What can be done about something that is said."""


class Remark(NamedTuple):
    """A sentence for people, and what can be done about it.

    Attributes:
        says: the sentence; it names no flag, button or function.
        advice: what can be done, or None.
    """

    says: str
    advice: Advice | None = None


class BulksendError(Exception):
    """Base of everything bulksend raises on purpose; ``str(error)`` is one clear sentence for people.

    Args:
        says: the sentence; it names no flag, button or function.
        advice: what can be done about it, or None.
        about: what the words of the advice speak of, by name, such as ``run`` for a run's place.
    """

    def __init__(self, says: str, advice: Advice | None = None, **about: object) -> None:
        super().__init__(says)
        self.advice = advice
        self.about = about


class UsageError(BulksendError):
    """An option, a setting or the input as a whole cannot be used: nothing was sent."""


class InputError(UsageError):
    """The input cannot be read as a whole: missing, empty, binary, or without the columns it needs."""


class RunFileError(BulksendError):
    """The run file could not be read or written; what was not noted in it was not sent."""


class OwnedError(BulksendError):
    """Another process owns the run file."""
