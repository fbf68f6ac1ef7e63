"""Which run has a name: a plan gets it when it is whole, from whatever had it before. Runs without one go."""

from __future__ import annotations

import psycopg

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.owner import Owner
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import noted, opened, ownership, queries
from bulksend.runs.postgres.connecting import Db, connect, explained, transaction
from bulksend.runs.postgres.installing import check_installed
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.schema import OF_ROWS

# Whoever plans holds a lease; and of two that sweep one leaves to the other what that is at.
_LEFT = """
SELECT id FROM run WHERE name IS NULL AND (lease_until < clock_timestamp()) IS NOT FALSE FOR UPDATE SKIP LOCKED
"""
# Rows of no run are those that were still written when the run was removed; run by run, not row by row.
_STRAY = """
WITH RECURSIVE of_rows AS (
    SELECT min(run) AS run FROM message
    UNION ALL SELECT (SELECT min(m.run) FROM message m WHERE m.run > of_rows.run) FROM of_rows WHERE run IS NOT NULL
)
SELECT run FROM of_rows WHERE run IS NOT NULL AND NOT EXISTS (SELECT FROM run WHERE run.id = of_rows.run)
"""
_LOSE = "UPDATE run SET name = NULL, epoch = epoch + 1, lease_until = NULL WHERE id = %s"


def give_name(of: Reader, owner: Owner, instead_of: int | None) -> None:
    """Give a plan that is whole its name; durable then. Its owner goes on with it.

    Args:
        of: the plan.
        owner: this process.
        instead_of: a run of this name that may have begun; None if there is to be none such.

    Raises:
        OwnedError: another process is sending the run of this name.
        RunFileError: it has begun meanwhile.
    """
    try:
        _give_name(of, owner, instead_of)
    except psycopg.errors.UniqueViolation:  # another plan got it at this very moment
        _give_name(of, owner, instead_of)


def check_replaceable(named: DatabaseRun) -> None:
    """See that a new plan may take a name.

    Raises:
        UsageError: the run that has it has begun, or the database has no tables that this version writes.
        OwnedError: another process is at work on it.
        RunFileError: it cannot be read.
    """
    with connect(named.database) as db, explained(named):
        check_installed(db, named.database)
        found = db.execute("SELECT id FROM run WHERE name = %s", [named.name]).fetchone()
        if found is not None:
            ownership.check_free(db, found[0], named)
            if queries.has_begun(Reader(db, found[0], named)):
                raise UsageError(f"{named}: this run has begun: give the new plan a name of its own")


def sweep(db: Db) -> None:
    """Remove the runs that have no name and that nobody plans: replaced ones, and what killed planners left."""
    with transaction(db):
        left = [run for (run,) in db.execute(_LEFT)]
        for run in (*left, *[run for (run,) in db.execute(_STRAY)]):
            remove(db, run)


def remove(db: Db, run: int) -> None:
    """Remove a run with its rows, inside the caller's transaction."""
    for table in OF_ROWS:
        db.execute(f"DELETE FROM {table} WHERE run = %s", [run])
    db.execute("DELETE FROM run WHERE id = %s", [run])


def remove_own(of: Reader, epoch: int) -> None:
    """Remove a run of its owner's, inside the transaction; or give it up, where it is workers' by now, or has begun.

    Raises:
        OwnedError: somebody else has taken it over.
    """
    ownership.hold_off_all(of, epoch)
    if opened.is_opened(of) or queries.has_begun(of):
        ownership.give_up(of)
    else:
        remove(of.db, of.run)


def _give_name(of: Reader, owner: Owner, instead_of: int | None) -> None:
    db, name = of.db, of.place.name
    with transaction(db):
        found = db.execute("SELECT id FROM run WHERE name = %s", [name]).fetchone()
        if found is not None:
            (before,) = found
            if before != instead_of:
                ownership.check_free(db, before, of.place)
                if queries.has_begun(Reader(db, before, of.place)):
                    raise RunFileError(f"{of.place}: this run has begun meanwhile; run the same command again to go on")
            db.execute(_LOSE, [before])
        noted.owner(of, owner)
        db.execute("UPDATE run SET name = %s WHERE id = %s", [name, of.run])
