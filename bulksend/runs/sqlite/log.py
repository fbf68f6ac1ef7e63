"""A run file's log: what was noted last stands in it, until the run ends in order; then one plain file remains.

SQLite calls it the write-ahead log, ``campaign.run-wal``. A file without its log is an older state of the run, in which
rows are pending that were sent: so a file that was left with a log is nothing without it, unless all of it is known to
have come into the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from bulksend.runs.lock import head_of

_HEADER = 20  # bytes, of which the last two tell how the file is written (SQLite's file format, section 1.3)
_LOGGED = b"\x02\x02"
_LOG_HEADER = 32  # bytes; a log that is shorter holds nothing


def log_of(path: Path) -> Path:
    """Where a file's log lies: of a link, beside what it leads to."""
    real = path.resolve()
    return real.with_name(f"{real.name}-wal")


def is_log(path: Path) -> bool:
    """Whether something is noted in a log of this name."""
    try:
        return path.stat().st_size >= _LOG_HEADER
    except OSError:
        return False


def misses_log(path: Path) -> bool:
    """Whether a file says that it has a log, and has none beside it."""
    return may_have_log(path) and not is_log(log_of(path))


def may_have_log(path: Path) -> bool:
    """Whether a file says that it is written with a log."""
    try:
        header = head_of(path, _HEADER)
    except OSError:
        return False
    return len(header) == _HEADER and header.endswith(_LOGGED)


class _Identity(NamedTuple):
    """What tells a file from any other of the same name."""

    device: int
    inode: int


class Names:
    """The names of a run file and its log while they are written, to be looked at again.

    Whoever moves, removes or replaces one of them leaves us writing into what nobody finds any more.
    """

    __slots__ = ("_kept",)

    def __init__(self, path: Path) -> None:
        self._kept = {name: _identity(name) for name in (str(path), str(log_of(path)))}  # looked at often

    @property
    def hold(self) -> bool:
        """Whether both files still bear their names."""
        return all(_identity(name) == kept for name, kept in self._kept.items())


def _identity(name: str) -> _Identity | None:
    try:
        found = os.stat(name)  # noqa: PTH116 -- before every group of intents: a Path costs as much again
    except OSError:
        return None
    return _Identity(found.st_dev, found.st_ino)
