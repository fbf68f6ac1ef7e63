"""The runs of an input: ``june.run``, and those that were begun beside it later, ``june-2.run`` and so on.

In a database they are ``june``, ``june-2`` and so on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bulksend.runs import postgres
from bulksend.runs.facts import Facts
from bulksend.runs.opening import open_run
from bulksend.runs.places import DatabaseRun, Place, is_taken, names_run, numbered

_SECOND = 2


class Known(NamedTuple):
    """A run as it was seen.

    Attributes:
        place: where it is.
        facts: what it was planned of.
        has_begun: whether a message may have been accepted.
        is_purged: whether its numbers and texts are gone.
    """

    place: Place
    facts: Facts
    has_begun: bool
    is_purged: bool = False


def series(place: Place, input_name: str) -> list[Known]:
    """The run of a place, if there is one, and those of the same input that were begun beside it; the newest first.

    Raises:
        UsageError: the place holds another file, or one of them is of a newer version.
        RunFileError: one of them cannot be read.
    """
    name = Path(os.fsencode(input_name).decode(errors="replace")).name
    found = [_seen(place)] if is_taken(place) else []
    others = [other for _, other in sorted(_beside(place), key=_turn) if _is_run_like(other, place)]
    found += [known for known in map(_seen, others) if Path(known.facts.input_name).name == name]
    return found[::-1]


def next_place(place: Place, runs: Sequence[Known]) -> Place:
    """Where the next run of a series goes: the first number after its own that no file has, such as another input.

    Raises:
        UsageError: its name would be too long.
        RunFileError: the database cannot be read.
    """
    own, taken = {known.place for known in runs}, dict(_beside(place))
    number = max((number for number, other in _beside(place) if other in own), default=1) + 1
    while number in taken:
        number += 1
    return numbered(place, number)


def _beside(place: Place) -> Iterator[tuple[int, Place]]:
    """What has the place's name with a number: runs, and files of any kind, such as another input; no plan's draft."""
    there: Iterable[Place]
    match place:
        case Path():
            there = (path for path in place.parent.iterdir() if path.suffix != ".planning")
            stem, ending = place.stem, r"(\..*)?"
        case DatabaseRun(database, stem):
            there = (DatabaseRun(database, name) for name in postgres.names(database))
            ending = ""
    pattern = re.compile(rf"{re.escape(stem)}-([1-9][0-9]{{0,5}}){ending}")
    for other in there:
        found = pattern.fullmatch(other.name)
        if found and int(found[1]) >= _SECOND:
            yield int(found[1]), other


def _is_run_like(other: Place, place: Place) -> bool:
    """Whether something beside a place is a run of the same kind of name."""
    return names_run(other) and (not isinstance(other, Path) or other.suffix == Path(place.name).suffix)


def _turn(numbered: tuple[int, Place]) -> tuple[int, str]:
    number, other = numbered
    return number, other.name


def _seen(place: Place) -> Known:
    with open_run(place) as run:
        return Known(place, run.facts, run.has_begun, run.purge is not None)
