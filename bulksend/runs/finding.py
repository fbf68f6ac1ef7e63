"""A run is found again by what tells it from all others, its file also where that was given another name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.opening import open_run
from bulksend.runs.places import DatabaseRun, Place, place_of
from bulksend.runs.store import Run


def key_of(run: Run) -> str:
    """What tells a run from all others, copies of its file included: they do not know what it sent since."""
    place, plan_id = place_of(run.place), run.facts.plan_id
    match place:
        case Path():
            try:
                file = place.stat()
            except OSError:
                return plan_id
            return f"{plan_id} {file.st_dev}:{file.st_ino}"
        case DatabaseRun():
            return f"{plan_id} #{place.name}"  # machines reach the database under different addresses


@contextmanager
def found_again(key: str, place: Place) -> Iterator[Run | None]:
    """The run with this key, open for reading; None if it is gone, its file cannot be read, or it is another by now.

    Raises:
        RunFileError: its database cannot be read, so that nobody knows.
    """
    run = opened_again(key, place)
    try:
        yield run
    finally:
        if run is not None:
            run.close()


def opened_again(key: str, place: Place) -> Run | None:
    """The same, for the caller to close."""
    gone = (UsageError,) if isinstance(place, DatabaseRun) else (UsageError, RunFileError)
    for each in (place, *_renamed(key, place)):
        with suppress(*gone), ExitStack() as stack:
            run = stack.enter_context(open_run(each))
            if key in (key_of(run), run.facts.plan_id):
                stack.pop_all()
                return run
    return None


def _renamed(key: str, place: Place) -> Iterator[Path]:
    """Where a run's file may lie that was given another name; in a database none gets another."""
    if not isinstance(place, Path):
        return
    inode = key.rpartition(":")[2]
    with suppress(OSError):
        yield from (Path(entry.path) for entry in os.scandir(place.parent) if str(entry.inode()) == inode)
