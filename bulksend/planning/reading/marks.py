"""What is to be said of a cell, should it be used."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class MarkKind(StrEnum):
    """Why a cell may not be as it was meant."""

    ERROR = "error"
    """It shows an error such as #N/A."""
    UNCALCULATED = "uncalculated"
    """It is a formula whose value nobody has worked out."""
    LOCAL = "local"
    """What it shows depends on the machine that shows it."""
    UNKNOWN = "unknown"
    """How it shows its number is not known here."""


class Mark(NamedTuple):
    """A cell's mark.

    Attributes:
        kind: which.
        about: the error, or the format's code.
    """

    kind: MarkKind
    about: str = ""
