"""Which store a run is in, and how it is come by there."""

from __future__ import annotations

from pathlib import Path

from bulksend.errors import UsageError
from bulksend.planning import Findings, Lines
from bulksend.runs import sqlite  # whose parts are loaded as they are wanted: who reads a run owns and plans none
from bulksend.runs.clock import Clock
from bulksend.runs.edits import Edits
from bulksend.runs.facts import Facts
from bulksend.runs.lock import FileLock
from bulksend.runs.owner import Asked
from bulksend.runs.places import Place, is_taken
from bulksend.runs.store import OwnRun, Run


def open_run(place: Place) -> Run:
    """Open a run for reading, also while another process sends it.

    Raises:
        UsageError: there is none, or it is of a newer version.
        RunFileError: it cannot be read.
    """
    return sqlite.SqliteRun.open(_file(place))


def own_run(place: Place, wall_s: float) -> OwnRun:
    """Take a run for sending; whatever a killed owner left in flight is in doubt from now on.

    Raises:
        UsageError: there is none, or it is of a newer version.
        OwnedError: another process has it; the sentence says which.
        RunFileError: it cannot be written.
    """
    return sqlite.OwnSqliteRun.own(_file(place), wall_s, Clock.now(wall_s))


def new_plan(place: Place) -> sqlite.PlanWriter:
    """Begin a plan, which replaces whatever plan is in that place when it is finished; see first that it may.

    Raises:
        OwnedError: another process is planning or sending this run.
        RunFileError: it cannot be written.
    """
    return sqlite.PlanWriter(_file(place))


def finish_plan(writer: sqlite.PlanWriter, facts: Facts, findings: Findings, lines: Lines, wall_s: float) -> OwnRun:
    """Make a plan durable; the run, owned.

    Raises:
        OwnedError: another process is sending the run of this name.
        RunFileError: it cannot be written, or the run of this name has begun meanwhile.
    """
    return sqlite.OwnSqliteRun(writer.finish(facts, findings, lines), wall_s, Clock.now(wall_s))


def replan(
    run: OwnRun, writer: sqlite.PlanWriter, facts: Facts, findings: Findings, lines: Lines, wall_s: float
) -> OwnRun:  # fmt: skip
    """Put another plan in the place of a run that has begun: what that has sent, or may have, is carried over.

    Until the new file has the old one's name, the old one is the run, and from then on the new one; it stays owned.

    Args:
        run: the run, owned; it is closed.
        writer: the plan.
        facts: what that was made of.
        findings: what planning found.
        lines: its rows' places in the sheet.
        wall_s: seconds since 1970.

    Raises:
        RunFileError: it cannot be written, or another process is reading the run.
    """
    if not isinstance(run, sqlite.OwnSqliteRun):
        raise TypeError(run)
    lines.end(writer.carry_over(run.path, run.facts.columns, facts.columns))
    lock = run.let_go()
    try:
        return sqlite.OwnSqliteRun(writer.finish(facts, findings, lines, lock), wall_s, Clock.now(wall_s))
    finally:
        lock.release()


def edits_since(writer: sqlite.PlanWriter, place: Place) -> Edits:
    """How a plan differs from that of a run; once all rows are added.

    Raises:
        RunFileError: the run cannot be read.
    """
    return writer.edits_since(_file(place))


def check_replaceable(place: Place) -> None:
    """See that a new plan may take a run's place.

    Raises:
        UsageError: it is another file, or the run has begun.
        OwnedError: another process is at work on it.
    """
    check_folder(place)
    if not is_taken(place):
        return
    with open_run(place) as run, FileLock(_file(place)):
        if run.has_begun:
            raise UsageError(f"{place}: this run has begun: give the new plan a file of its own")


def ask_to_end(place: Place, wall_s: float) -> Asked | None:
    """Ask whoever has a run for sending to end in order; None if nobody has it.

    Raises:
        UsageError: there is no such run, or it is of a newer version.
        RunFileError: it cannot be read or written; or the owner is another machine's, where notes do not meet.
    """
    return sqlite.ask_to_end(_file(place), wall_s)


def check_folder(place: Place) -> None:
    """See that there is a folder for a run's file, and in it no log of a run whose file is gone.

    Raises:
        UsageError: it cannot be in that place.
    """
    if not isinstance(place, Path):
        return
    if not place.parent.is_dir():
        raise UsageError(f"{place}: the folder {place.parent} does not exist")
    log = sqlite.log_of(place)
    if not place.exists() and sqlite.is_log(log):
        raise UsageError(
            f"{place}: the file of this run is gone, but {log.name} is still there, in which it noted what it sent "
            f"last: put the file back beside it; or, if both are to be forgotten, delete {log.name}"
        )


def _file(place: Place) -> Path:
    if not isinstance(place, Path):
        raise UsageError(f"{place}: a run in a database cannot be opened yet")
    return place
