"""The file that a run's results were last written to: what is still right in it need not be made anew."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple, Protocol

BLOCK = 1_000
"""Rows that are right or not right together: the first are those before this number, and so on."""


class Identity(NamedTuple):
    """What tells that nobody touched a file: whatever writes to it, renames it or replaces it changes something."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Identity:
        """That of a file as it was found."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class Written:
    """Results as they were written.

    Attributes:
        path: where to, absolute.
        form: what decides, beside the run, how they read.
        identity: the file's, afterwards.
        ends: where in it its head ends, and where each block of rows, in bytes.
    """

    path: str
    form: str
    identity: Identity
    ends: tuple[int, ...]


class OwnResultsFile(Protocol):
    """Of a run that this process may write. Everything raises RunFileError if it cannot be read or written."""

    @property
    def last_row(self) -> int:
        """The run's last row."""

    @property
    def is_of_notes(self) -> bool:
        """Whether results say what is noted, and not what the next owner will find."""

    @property
    def written(self) -> Written | None:
        """What was last noted; None if nothing was."""

    @property
    def stale(self) -> frozenset[int]:
        """The blocks in which anything was noted since then, by whomever."""

    def note_place(self, path: str) -> None:
        """Note where the run's results are about to be written."""

    def note(self, written: Written) -> None:
        """Note what was written; nothing of the run has changed since that began."""
