"""Which store a run is in, and how it is come by there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bulksend.errors import UsageError
from bulksend.planning import Findings, Lines
from bulksend.runs import postgres, sqlite  # whose parts are loaded as they are wanted: most runs are in one of the two
from bulksend.runs.clock import Clock
from bulksend.runs.edits import Edits
from bulksend.runs.facts import Facts
from bulksend.runs.lock import FileLock
from bulksend.runs.orders import Orders
from bulksend.runs.owned import OwnRun
from bulksend.runs.owner import Asked
from bulksend.runs.places import DatabaseRun, Place
from bulksend.runs.store import Run
from bulksend.sending import Errors, Money

if TYPE_CHECKING:
    from bulksend.runs.plans import PlanWriter  # who reads a run plans nothing


def open_run(place: Place) -> Run:
    """Open a run for reading, also while another process sends it.

    Raises:
        UsageError: there is none, or it is of a newer version.
        RunFileError: it cannot be read.
    """
    if isinstance(place, DatabaseRun):
        return postgres.PostgresRun.open(place)
    return sqlite.SqliteRun.open(place)


def own_run(place: Place, wall_s: float) -> OwnRun:
    """Take a run for sending; whatever a killed owner left in flight is in doubt from now on.

    Raises:
        UsageError: there is none, or it is of a newer version.
        OwnedError: another process has it; the sentence says which.
        RunFileError: it cannot be written.
    """
    if isinstance(place, DatabaseRun):
        return postgres.OwnPostgresRun.own(place, wall_s)
    return sqlite.OwnSqliteRun.own(place, wall_s, Clock.now(wall_s))


def open_for_workers(
    run: OwnRun, orders: Orders, limit: int | None, money: Money | None = None, errors: Errors | None = None,
    repeats: int | None = None,
) -> None:  # fmt: skip
    """Let workers send a run; the shards that its owner has are theirs.

    Args:
        run: the run.
        orders: how it is sent.
        limit: only the first so many rows that are still to be sent; None for all.
        money: what is left of what the whole run may cost; None if it may cost anything.
        errors: how many of its rows may end unsent, with those so far; None for any number.
        repeats: only the first so many of its rows in doubt are repeated; None for all.

    Raises:
        UsageError: it is in no database.
        OwnedError: somebody else has taken it over.
        RunFileError: it cannot be written.
    """
    if not isinstance(run, postgres.OwnPostgresRun):
        raise UsageError(f"{run.place}: only a run in a database can be left to workers")
    run.open_for_workers(orders, limit, money, errors, repeats)


def can_be_shared(run: OwnRun) -> bool:
    """Whether others can send a run beside this process: it is in a database, and of an account."""
    return isinstance(run, postgres.OwnPostgresRun) and not run.facts.address.is_rehearsal


def reconnect(run: OwnRun) -> None:
    """Be able to ask a run again after a time in which only workers had to do with it.

    Raises:
        RunFileError: the database cannot be reached.
    """
    if isinstance(run, postgres.OwnPostgresRun):
        run.reconnect()


def is_open_to_workers(place: Place) -> bool:
    """Whether workers can send a run that is there.

    Raises:
        UsageError: there is none, or it is of a newer version.
        RunFileError: it cannot be read.
    """
    if not isinstance(place, DatabaseRun):
        return False
    with postgres.PostgresRun.open(place) as run:
        return run.is_open_to_workers


def ask_to_end(place: Place, wall_s: float) -> Asked | None:
    """Ask whoever has a run for sending to end in order; None if nobody has it.

    Raises:
        UsageError: there is none, or it is of a newer version.
        RunFileError: it cannot be read or written; or the owner is another machine's, where notes do not meet.
    """
    if isinstance(place, DatabaseRun):
        return postgres.ask_to_end(place, wall_s)
    return sqlite.ask_to_end(place, wall_s)


def new_plan(place: Place) -> PlanWriter:
    """Begin a plan, which replaces whatever plan is in that place when it is finished; see first that it may.

    Raises:
        UsageError: the place is in a database that cannot take it.
        OwnedError: another process is planning or sending this run.
        RunFileError: it cannot be written.
    """
    return postgres.PlanWriter(place) if isinstance(place, DatabaseRun) else sqlite.PlanWriter(place)


def finish_plan(writer: PlanWriter, facts: Facts, findings: Findings, lines: Lines, wall_s: float) -> OwnRun:
    """Make a plan durable; the run, owned.

    Raises:
        OwnedError: another process is sending the run of this name.
        RunFileError: it cannot be written, or the run of this name has begun meanwhile.
    """
    if isinstance(writer, sqlite.PlanWriter):
        return sqlite.OwnSqliteRun(writer.finish(facts, findings, lines), wall_s, Clock.now(wall_s))
    if isinstance(writer, postgres.PlanWriter):
        return writer.finish(facts, findings, lines, wall_s)
    raise TypeError(writer)


def replan(
    run: OwnRun, writer: PlanWriter, facts: Facts, findings: Findings, lines: Lines, wall_s: float
) -> OwnRun:  # fmt: skip
    """Put another plan in the place of a run that has begun: what that has sent, or may have, is carried over.

    Until the new plan has the old one's name, the old one is the run, and from then on the new one; it stays owned.

    Args:
        run: the run, owned; it is closed.
        writer: the plan, in the same store.
        facts: what that was made of.
        findings: what planning found.
        lines: its rows' places in the sheet.
        wall_s: seconds since 1970.

    Raises:
        RunFileError: it cannot be written, or another process is reading the run.
    """
    if isinstance(run, sqlite.OwnSqliteRun) and isinstance(writer, sqlite.PlanWriter):
        lines.end(writer.carry_over(run.path, run.facts.columns, facts.columns))
        lock = run.let_go()
        try:
            return sqlite.OwnSqliteRun(writer.finish(facts, findings, lines, lock), wall_s, Clock.now(wall_s))
        finally:
            lock.release()
    if isinstance(run, postgres.OwnPostgresRun) and isinstance(writer, postgres.PlanWriter):
        lines.end(writer.carry_over(run, facts.columns))
        return writer.finish(facts, findings, lines, wall_s, instead_of=run)
    raise TypeError(run)


def edits_since(writer: PlanWriter, place: Place) -> Edits:
    """How a plan differs from that of a run in the same store; once all rows are added.

    Raises:
        UsageError: there is no such run.
        RunFileError: it cannot be read.
    """
    if isinstance(writer, sqlite.PlanWriter) and isinstance(place, Path):
        return writer.edits_since(place)
    if isinstance(writer, postgres.PlanWriter) and isinstance(place, DatabaseRun):
        return writer.edits_since(place)
    raise TypeError(place)


def check_replaceable(place: Place) -> None:
    """See that a new plan may take a run's place.

    Raises:
        UsageError: it is another file, or the run has begun.
        OwnedError: another process is at work on it.
    """
    if isinstance(place, DatabaseRun):
        postgres.check_replaceable(place)
        return
    check_folder(place)
    if not place.exists():
        return
    with open_run(place) as run, FileLock(place):
        if run.has_begun:
            raise UsageError(f"{place}: this run has begun: give the new plan a file of its own")


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
