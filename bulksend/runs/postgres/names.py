"""The names of a database's runs."""

from __future__ import annotations

from bulksend.runs.postgres.connecting import connect, explained
from bulksend.runs.postgres.installing import check_installed


def names(database: str) -> list[str]:
    """All names, in their order.

    Raises:
        UsageError: the database has no tables that can be used.
        RunFileError: it cannot be reached.
    """
    with connect(database) as db, explained(database):
        check_installed(db, database)
        return [name for (name,) in db.execute("SELECT name FROM run WHERE name IS NOT NULL ORDER BY name")]


def has_run(database: str, name: str) -> bool:
    """Whether there is a run of this name; raises as `names` does."""
    with connect(database) as db, explained(database):
        check_installed(db, database)
        return db.execute("SELECT FROM run WHERE name = %s", [name]).fetchone() is not None
