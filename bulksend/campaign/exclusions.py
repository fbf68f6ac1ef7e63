"""Who is left out: those on lists, and those whom an earlier run reached."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bulksend.errors import Remark, UsageError
from bulksend.planning import Exclusions, Source, read_exclusions
from bulksend.rules import Rule
from bulksend.runs import Paths, Place, files_of, holds_run, is_run_file, open_run, series
from bulksend.words import many


def exclusions(places: Sequence[Place], country: str | None, *, new_prefixes: bool) -> Exclusions:
    """Read who is to be left out.

    Args:
        places: lists, see `read_exclusions`, and runs: of these whoever was or may have been sent to. A run is named by
            its place, or by an input that lies beside its file and is what it was planned of, if that was no rehearsal
            and has begun to be sent; so are those that were begun beside it.
        country: whose numbers those without "+" or "00" are, in lists.
        new_prefixes: whether numbers in lists count whose prefix no numbering plan here knows.

    Raises:
        UsageError: a list or a run cannot be used.
        RunFileError: a run cannot be read.
    """
    lists, found = list[Path](), Exclusions()
    for place in places:
        runs = _runs_of(place)
        if not runs:
            lists += files_of(place)
        for run in runs:
            found |= _reached(run, place)
    return read_exclusions(lists, country, new_prefixes=new_prefixes) | found


def _runs_of(place: Place) -> list[Place]:
    """The runs that a place means: itself, or all that were planned of it; none if it is a list."""
    if not isinstance(place, Path) or is_run_file(place):
        return [place]
    beside = Paths.beside(str(place)).run
    if not place.is_file() or not holds_run(beside):
        return []
    runs = [each for each in series(beside, str(place)) if each.has_begun and not each.facts.address.is_rehearsal]
    digest = _digest(place) if runs else ""
    return [each.place for each in runs if each.facts.input_digest == digest]


def _digest(place: Path) -> str:
    with closing(Source(str(place))) as source:
        return source.digest()


def _reached(place: Place, given: Place) -> Exclusions:
    with open_run(place) as run:
        if run.purge is not None:
            raise UsageError(f"{place}: this run was purged: nobody knows any more whom it reached")
        recipients = [*run.reached()]
    of = "" if place == given else f" of its run {place}"
    note = f"{given}: {many(len(recipients), 'recipient')}{of} to leave out, who were or may have been sent to"
    digest = hashlib.sha256("\n".join(sorted(map(str, recipients))).encode()).hexdigest()
    return Exclusions.of(recipients, [digest], [Remark(note, Rule.EXCLUDE_LIST)])
