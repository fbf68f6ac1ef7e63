"""Who is left out: those on lists, and those whom an earlier run reached."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bulksend.errors import Remark, UsageError
from bulksend.planning import Exclusions, Source, read_exclusions
from bulksend.runs import Paths, Run, is_run_file, open_run
from bulksend.words import many


def exclusions(places: Sequence[Path], country: str | None, *, new_prefixes: bool) -> Exclusions:
    """Read who is to be left out.

    Args:
        places: lists, see `read_exclusions`, and runs: of these whoever was or may have been sent to. A run is named by
            its file, or by an input that lies beside it and is what it was planned of, if that was no rehearsal and has
            begun to be sent.
        country: whose numbers those without "+" or "00" are, in lists.
        new_prefixes: whether numbers in lists count whose prefix no numbering plan here knows.

    Raises:
        UsageError: a list or a run cannot be used.
        RunFileError: a run cannot be read.
    """
    lists, found = [], Exclusions()
    for place in places:
        run = _run_of(place)
        if run is None:
            lists.append(place)
        else:
            with run:
                if run.purge is not None:
                    raise UsageError(f"{place}: this run was purged: nobody knows any more whom it reached")
                found |= _reached(run, place)
    return read_exclusions(lists, country, new_prefixes=new_prefixes) | found


def _run_of(place: Path) -> Run | None:
    """The run that a place means; None if it is a list."""
    if is_run_file(place):
        return open_run(place)
    beside = Paths.beside(str(place)).run
    if not place.is_file() or not is_run_file(beside):
        return None
    run = open_run(beside)
    if run.has_begun and not run.facts.address.is_rehearsal and run.facts.input_digest == _digest(place):
        return run
    run.close()
    return None


def _digest(place: Path) -> str:
    with closing(Source(str(place))) as source:
        return source.digest()


def _reached(run: Run, place: Path) -> Exclusions:
    recipients = [*run.reached()]
    of = "" if run.place == str(place) else f" of its run {run.place}"
    note = f"{place}: {many(len(recipients), 'recipient')}{of} to leave out, who were or may have been sent to"
    digest = hashlib.sha256("\n".join(sorted(map(str, recipients))).encode()).hexdigest()
    return Exclusions.of(recipients, [digest], [Remark(note)])
