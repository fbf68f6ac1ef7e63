"""Many runs, one after another: those of a folder, and those that history knows; what cannot be read is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from bulksend.errors import RunFileError, UsageError
from bulksend.runs import Command, History, Run, histories, is_run_file, key_of, open_run, opened_again

T = TypeVar("T")

_ENDING = ".run"
_DRAFT = ".planning"


class Place(NamedTuple):
    """Where a run lies, or lay.

    Attributes:
        path: its file.
        key: what tells that from others, see `bulksend.runs.key_of`; empty for whatever lies there.
        began_at: when its last command was given, in seconds since 1970; None if nobody knows.
        is_open: whether its file alone knows what a command of it sent.
    """

    path: Path
    key: str = ""
    began_at: float | None = None
    is_open: bool = False

    @property
    def plan_id(self) -> str:
        """The plan of it; empty if that is not known."""
        return self.key.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read, so that nobody knows what it holds.

    Attributes:
        place: of a run, or of a history.
        says: why, in one sentence.
        is_gone: whether there is nothing to be read any more.
        is_known: whether history knows what it sent all the same.
        began_at: when the last command of that run was given, in seconds since 1970; None if nobody knows.
    """

    place: str
    says: str
    is_gone: bool = False
    is_known: bool = False
    began_at: float | None = None


def places_in(folder: Path) -> list[Place]:
    """Where the runs of a folder lie: its run files, and what is called like one.

    Raises:
        UsageError: it is none, or cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != _DRAFT)
    except OSError as error:
        raise UsageError(f"{folder}: this folder cannot be read: {error.strerror}") from error
    return [Place(path) for path in paths if path.suffix == _ENDING or is_run_file(path)]


def places_known() -> Iterator[Place | Unread]:
    """Where the runs lie, or lay, that the histories of all accounts know."""
    for path in histories():
        try:
            with History(path) as history:
                commands = list(history.commands().values())
        except (UsageError, RunFileError) as error:
            yield Unread(str(path), str(error))
        else:
            yield from places_of(commands)


def places_of(commands: Sequence[Command]) -> list[Place]:
    """Where the runs of commands lie, or lay, each where it was last."""
    is_open = {each.key for each in commands if each.is_open}
    latest = {each.key: each for each in sorted(commands, key=lambda each: each.began_at)}
    return [Place(Path(each.run), each.key, each.began_at, each.key in is_open) for each in latest.values()]


def gathered(places: Iterable[Place | Unread], ask: Callable[[Run], T]) -> Iterator[T | Unread]:
    """Ask run after run, each once, however often and under whatever name it is found.

    Args:
        places: where they lie; what could not be read is passed on.
        ask: gets each, open for reading, and may raise RunFileError.
    """
    seen: set[str] = set()
    for place in places:
        if isinstance(place, Unread):
            yield place
            continue
        try:
            run = _opened(place)
            if run is None:
                says = f"{place.path}: this run file is gone"
                yield Unread(str(place.path), says, True, not place.is_open, place.began_at)
                continue
            with run:
                key = key_of(run)
                if key not in seen:
                    yield ask(run)
                seen.add(key)
        except (UsageError, RunFileError) as error:
            yield Unread(str(place.path), str(error), began_at=place.began_at)


def _opened(place: Place) -> Run | None:
    """The run that lies, or lay there; None if it is gone."""
    if not place.key:
        return open_run(place.path)
    if (run := opened_again(place.key, place.path)) is not None or not place.path.exists():
        return run
    run = open_run(place.path)  # it may have been put back, and be another file of that run
    if run.facts.plan_id == place.plan_id:
        return run
    run.close()
    return None
