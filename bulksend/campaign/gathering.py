"""Many runs in turn: of a folder or a database, and those that history knows; what cannot be read is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from bulksend import runs  # a database's are read only by who asks for them: they need the extra `postgres`
from bulksend.errors import RunFileError, UsageError
from bulksend.runs import (
    Command,
    Place,
    Run,
    Shelf,
    Stand,
    files_of,
    histories,
    is_taken,
    key_of,
    open_run,
    opened_again,
    place_of,
    runs_in,
    stand_of,
)

T = TypeVar("T")


class Whereabouts(NamedTuple):
    """Where a run lies, or lay.

    Attributes:
        place: of it.
        key: what tells it from others, see `bulksend.runs.key_of`; empty for whatever lies there.
        began_at: when its last command was given, in seconds since 1970; None if nobody knows.
        is_open: whether it alone knows what a command of it sent.
    """

    place: Place
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


def places_in(shelf: Shelf) -> list[Whereabouts]:
    """Where the runs lie of a folder, its run files and what is called like one; or of a database.

    Raises:
        UsageError: it is none, or cannot be read.
        RunFileError: the database cannot be reached.
    """
    return list(map(Whereabouts, runs_in(shelf)))


def stands(shelf: Shelf) -> list[Stand | Unread]:
    """Where the runs of a folder or a database stand, those of a database all at one moment.

    Raises:
        UsageError: it is none, or cannot be read.
        RunFileError: the database cannot be read.
    """
    return list(gathered(places_in(shelf), stand_of)) if isinstance(shelf, Path) else [*runs.stands_in(shelf)]


def places_known() -> Iterator[Whereabouts | Unread]:
    """Where the runs lie, or lay, that the histories of all accounts know."""
    for kept in histories():
        try:
            with kept.open() as history:
                commands = list(history.commands().values())
        except (UsageError, RunFileError) as error:
            yield Unread(kept.place, str(error))
        else:
            yield from places_of(commands)


def places_of(commands: Sequence[Command]) -> list[Whereabouts]:
    """Where the runs of commands lie, or lay, each where it was last."""
    is_open = {each.key for each in commands if each.is_open}
    latest = {each.key: each for each in sorted(commands, key=lambda each: each.began_at)}
    return [Whereabouts(place_of(each.run), each.key, each.began_at, each.key in is_open) for each in latest.values()]


def gathered(places: Iterable[Whereabouts | Unread], ask: Callable[[Run], T]) -> Iterator[T | Unread]:
    """Ask run after run, each once, however often and under whatever name it is found.

    Args:
        places: where they lie; what could not be read is passed on.
        ask: gets each, open for reading, and may raise RunFileError.
    """
    seen: set[str] = set()
    for where in places:
        if isinstance(where, Unread):
            yield where
            continue
        try:
            run = _opened(where)
            if run is None:
                says = f"{where.place}: this run {'file ' if files_of(where.place) else ''}is gone"
                yield Unread(str(where.place), says, True, not where.is_open, where.began_at)
                continue
            with run:
                key = key_of(run)
                if key not in seen:
                    yield ask(run)
                seen.add(key)
        except (UsageError, RunFileError) as error:
            yield Unread(str(where.place), str(error), began_at=where.began_at)


def _opened(where: Whereabouts) -> Run | None:
    """The run that lies, or lay there; None if it is gone."""
    if not where.key:
        return open_run(where.place)
    if (run := opened_again(where.key, where.place)) is not None or not is_taken(where.place):
        return run
    run = open_run(where.place)  # it may have been put back, and be another file of that run
    if run.facts.plan_id == where.plan_id:
        return run
    run.close()
    return None
