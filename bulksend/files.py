"""Files that replace others when they are whole: written under another name first, private to the user.

The name tells which process writes it, so that what a killed one left is known by that; and which of its threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from bulksend.errors import UsageError


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A new file for ``path``, which it replaces at the end unless something was raised.

    Raises:
        UsageError: the file cannot be written.
    """
    clear_drafts(path.parent)
    with _draft(path) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        Path(file.name).replace(path)


def check_replaceable(path: Path, *others: Path) -> None:
    """See, before any work is done, that a file can be written at the end.

    Args:
        path: the file.
        others: files that it must not replace.

    Raises:
        UsageError: it cannot.
    """
    for other in others:
        if path.resolve() == other.resolve():
            raise UsageError(f"{path}: this is the input or the run file itself; name another file for the output")
    if path.is_dir():
        raise UsageError(f"{path}: this is a folder, not a file")
    with _draft(path):
        pass


def clear_drafts(folder: Path) -> None:
    """Remove what a killed process left half written: it holds personal data."""
    for left in folder.glob(".bulksend-*.part"):
        with suppress(OSError, ValueError):
            if process_started_at(int(left.stem.rpartition("-")[2])) is None:
                left.unlink()


@contextmanager
def _draft(path: Path) -> Iterator[TextIO]:
    """A private file beside ``path`` that is gone afterwards, unless it was renamed."""
    draft = path.with_name(f".bulksend-{threading.get_ident()}-{os.getpid()}.part")
    try:
        with open(draft, "w", encoding="utf-8", newline="", opener=_private) as file:
            yield file
    except OSError as error:
        raise UsageError(f"{path}: it cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def process_started_at(pid: int) -> int | None:
    """When a process of this machine started, by the machine's own count; None if there is no such process.

    0 where the machine does not tell (it is not Linux).
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    fields = told.rpartition(")")[2].split()  # proc(5): from field 3 on, for the name in field 2 may hold anything
    return None if fields[0] == "Z" else int(fields[19])
