"""A run is found again by what tells its file from all others, also where it was given another name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.opening import open_run
from bulksend.runs.store import Run


def key_of(run: Run) -> str:
    """What tells a run's file from all others, copies of it included: they do not know what it sent since."""
    try:
        file = Path(run.place).stat()
    except OSError:
        return run.facts.plan_id
    return f"{run.facts.plan_id} {file.st_dev}:{file.st_ino}"


@contextmanager
def found_again(key: str, place: Path) -> Iterator[Run | None]:
    """The run with this key, open for reading; None if it is gone, cannot be read, or is another by now."""
    run = opened_again(key, place)
    try:
        yield run
    finally:
        if run is not None:
            run.close()


def opened_again(key: str, place: Path) -> Run | None:
    """The same, for the caller to close."""
    for path in (place, *_files_of(key, place.parent)):
        with suppress(UsageError, RunFileError):
            run = open_run(path)
            with suppress(UsageError, RunFileError):
                if key in (key_of(run), run.facts.plan_id):
                    return run
            run.close()
    return None


def _files_of(key: str, folder: Path) -> Iterator[Path]:
    """Where in a folder a run's file may lie that was given another name."""
    inode = key.rpartition(":")[2]
    with suppress(OSError):
        yield from (Path(entry.path) for entry in os.scandir(folder) if str(entry.inode()) == inode)
