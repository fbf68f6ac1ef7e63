"""Sees that nothing stands between us and a database that takes a connection's promises away."""

from __future__ import annotations

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.postgres.connecting import Db, connect, explained
from bulksend.runs.postgres.schema import SCHEMA

_REFUSED = "unsupported startup parameter"  # as pgbouncer says it of what a connection is set to


def check_way(database: str) -> None:
    """See that a connection is ours alone from its beginning to its end, as far as that can be seen.

    Raises:
        UsageError: a pooler stands in between that gives each transaction whichever is free, or drops what is set.
        RunFileError: the database cannot be reached.
    """
    try:
        is_ours = _is_ours(database)
    except RunFileError as error:
        if _REFUSED not in str(error):
            raise
        is_ours = False
    if not is_ours:
        raise UsageError(
            f"{database}: a pooler stands before this database, such as pgbouncer: it gives every transaction another "
            "connection, or drops what a connection is set to, and then nobody knows who sends what: name the server "
            "itself"
        )


def _is_ours(database: str) -> bool:
    with connect(database) as ours, connect(database) as other, explained(database):
        before = _process(ours)
        with other.transaction():
            _process(other)  # takes the process that served us, if that is free again
            is_shared = _process(ours) != before
        is_set = setting(ours, "search_path").startswith(SCHEMA) and setting(ours, "synchronous_commit") == "on"
    return is_set and not is_shared


def setting(db: Db, name: str) -> str:
    """What something is set to for a connection."""
    (found,) = db.execute("SELECT current_setting(%s)", [name]).fetchone() or ("",)
    return str(found)


def _process(db: Db) -> int:
    """The server's process that answers."""
    (found,) = db.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    return int(found)
