"""The runs of an input: ``june.run``, and those that were begun beside it later, ``june-2.run`` and so on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bulksend.runs.facts import Facts
from bulksend.runs.opening import open_run
from bulksend.runs.sqlite import is_run_file

_SECOND = 2


class Known(NamedTuple):
    """A run as it was seen.

    Attributes:
        place: where it is.
        facts: what it was planned of.
        has_begun: whether a message may have been accepted.
        is_purged: whether its numbers and texts are gone.
    """

    place: Path
    facts: Facts
    has_begun: bool
    is_purged: bool = False


def series(place: Path, input_name: str) -> list[Known]:
    """The run of a place, if there is one, and those of the same input that were begun beside it; the newest first.

    Raises:
        UsageError: the place holds another file, or one of them is of a newer version.
        RunFileError: one of them cannot be read.
    """
    name = Path(os.fsencode(input_name).decode(errors="replace")).name
    found = [_seen(place)] if place.exists() else []
    others = [path for _, path in sorted(_beside(place)) if path.suffix == place.suffix and is_run_file(path)]
    found += [known for known in map(_seen, others) if Path(known.facts.input_name).name == name]
    return found[::-1]


def next_place(place: Path, runs: Sequence[Known]) -> Path:
    """Where the next run of a series goes: the first number after its own that no file has, such as another input."""
    own, taken = {known.place for known in runs}, dict(_beside(place))
    number = max((number for number, path in _beside(place) if path in own), default=1) + 1
    while number in taken:
        number += 1
    return place.with_name(f"{place.stem}-{number}{place.suffix}")


def _beside(place: Path) -> Iterator[tuple[int, Path]]:
    """The files of any kind that have the place's name with a number, such as another input's; no plan's draft."""
    numbered = re.compile(rf"{re.escape(place.stem)}-([1-9][0-9]{{0,5}})(\..*)?")
    for path in place.parent.iterdir():
        found = numbered.fullmatch(path.name)
        if found and int(found[1]) >= _SECOND and path.suffix != ".planning":
            yield int(found[1]), path


def _seen(place: Path) -> Known:
    with open_run(place) as run:
        return Known(place, run.facts, run.has_begun, run.purge is not None)
