"""Whose results a file holds: no run replaces what another has written.

By default they have the run's name. Under any other, a file is known by what it tells: the first message that it says
was sent, one run alone has sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bulksend.errors import RunFileError, UsageError
from bulksend.reports.told import ToldSend, sends_told_by
from bulksend.reports.workbook import Mark, mark_of
from bulksend.runs import Place, Run, Shelf, is_run_file, names_run, open_run, place_of, resolved, runs_in, shelf_with

_ENDINGS = (".results.csv", ".results.jsonl", ".results.xlsx")


def check_own(path: Path, place: Place | None) -> None:
    """See, before any work is done, that a file is not the results of another run.

    Args:
        path: the file.
        place: of the run whose results are to be written, if there is one by now; None for what is no run's.

    Raises:
        UsageError: it is another's, or another's lie there by default.
    """
    its_run: Place | None = _run_of(path)
    if its_run is None and (told := _first_told_by(path)):
        its_run = _sender_of(told, path, place)
        if its_run is not None and _is_rehearsal(its_run):  # it tells of nobody who got anything
            return
    if its_run is not None and not (place and resolved(its_run) == resolved(place)):
        raise UsageError(f"{path}: these are the results of {its_run}: name another file for the output")


def claim(path: Path, run: Run) -> Path | None:
    """Have a file for a run's results; what a run whose file is gone has written there is given another name: that.

    Raises:
        UsageError: it holds the results of another run, or cannot be renamed.
    """
    place = place_of(run.place)
    check_own(path, place)
    told = _first_told_by(path)
    if told is None or _knows(run, told):
        return None
    sender = _sender_of(told, path, place)
    return None if sender is not None and _is_rehearsal(sender) else _keep_aside(path)


def _keep_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    try:
        return path.rename(aside)
    except OSError as error:
        raise UsageError(
            f"{path}: these are the results of a run whose file is gone, and cannot be renamed: {error.strerror}"
        ) from error


def _run_of(path: Path) -> Path | None:
    """The run whose results a file is by its name; None if it is none's, or that is gone."""
    for ending in _ENDINGS:
        if path.name.endswith(ending) and path.name != ending:
            its_run = path.with_name(f"{path.name.removesuffix(ending)}.run")
            return its_run if is_run_file(its_run) else None
    return None


def _sender_of(told: ToldSend | Mark, path: Path, place: Place | None) -> Place | None:
    """The run that has sent what a file tells: the one of this place, or one beside either; None if none is found."""
    for candidate in _candidates(path.parent, place):
        with suppress(UsageError, RunFileError), open_run(candidate) as run:
            if _knows(run, told):
                return candidate
    return None


def _candidates(folder: Path, place: Place | None) -> Iterator[Place]:
    shelves: list[Shelf] = [folder]
    if place is not None:
        yield place
        shelves.append(shelf_with(place))
    for shelf in dict.fromkeys(shelves):
        with suppress(UsageError, RunFileError):
            yield from filter(names_run, runs_in(shelf))


def _is_rehearsal(place: Place) -> bool:
    with open_run(place) as run:
        return run.facts.address.is_rehearsal


def _first_told_by(path: Path) -> ToldSend | Mark | None:
    if path.suffix.lower() == ".xlsx":
        mark = mark_of(path)
        return mark if mark and (mark.sent or mark.in_doubt) else None
    return next(sends_told_by(path), None)


def _knows(run: Run, told: ToldSend | Mark) -> bool:
    if isinstance(told, Mark):
        facts = run.facts
        return told.plan_id in {facts.plan_id, *facts.replaced}
    return run.has_sent(str(told.message_id or ""), {str(who) for who in (told.to, told.contact_id) if who})
