"""Sees that a database can be trusted with runs, and says what it is."""

from __future__ import annotations

from typing import NamedTuple

from bulksend.runs.postgres.connecting import connect, explained
from bulksend.runs.postgres.installing import check_installed
from bulksend.runs.postgres.pooling import check_way, setting
from bulksend.runs.postgres.schema import VERSION


class Server(NamedTuple):
    """What is known of a database that can be used.

    Attributes:
        version: of PostgreSQL.
        tables: the version of ours.
        runs: so many are in it.
        keeps: whether what was committed outlives a failure of the machine.
    """

    version: str
    tables: int
    runs: int
    keeps: bool


def trusted(database: str) -> Server:
    """See that a database can be used, and that nothing on the way to it takes away what it promises.

    Raises:
        UsageError: it cannot; the sentence says what to do.
        RunFileError: it cannot be reached.
    """
    check_way(database)
    with connect(database) as db, explained(database):
        check_installed(db, database)
        (runs,) = db.execute("SELECT count(*) FROM run WHERE name IS NOT NULL").fetchone() or (0,)
        return Server(str(db.info.parameter_status("server_version")), VERSION, runs, setting(db, "fsync") == "on")
