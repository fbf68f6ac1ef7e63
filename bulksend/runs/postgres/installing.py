"""Makes the tables of a database, brings them up to date, and sees that they can be trusted."""

from __future__ import annotations

from bulksend.errors import UsageError
from bulksend.runs.postgres.connecting import Db, connect, explained
from bulksend.runs.postgres.pooling import check_way
from bulksend.runs.postgres.schema import MIGRATIONS, SCHEMA, VERSION

_OLDEST_SERVER = 13
_LOCK = 0x62756C6B  # whoever makes or changes the tables does it alone
_WHOSE = "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()"


def install(database: str) -> int:
    """Make the tables, or bring them to this version; which version they had, 0 for none.

    Raises:
        UsageError: the server is too old, or the tables are of a newer version, or a pooler stands in between.
        RunFileError: the database cannot be used.
    """
    check_way(database)
    with connect(database) as db, explained(database):
        _check_server(db, database)
        with db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            db.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            before = _version(db)
            _check_version(before, database)
            for migration in MIGRATIONS[before:]:
                db.execute(migration)
            if before == 0:
                db.execute(f"INSERT INTO installation SELECT {VERSION}, * FROM ({_WHOSE}) whose")
            else:
                db.execute("UPDATE installation SET version = %s", [VERSION])
        return before


def check(database: str) -> None:
    """See that the tables are there, of this version, and those that they were.

    Raises:
        UsageError: they are not; the sentence says what to do.
        RunFileError: the database cannot be used.
    """
    with connect(database) as db, explained(database):
        check_installed(db, database)


def check_installed(db: Db, database: str) -> None:
    """The same, by a connection that is there."""
    _check_server(db, database)
    version = _version(db)
    _check_version(version, database)
    if version < VERSION:
        seen = "has no tables of bulksend yet" if version == 0 else f"has tables of an earlier version ({version})"
        raise UsageError(f"{database}: this database {seen}: run bulksend database init {database} once")
    kept = db.execute("SELECT system_identifier, timeline FROM installation").fetchone()
    if kept != db.execute(_WHOSE).fetchone():
        raise UsageError(
            f"{database}: this database was restored, or another server took over from the one that it was on, and the "
            "last notes may be missing: see that it is the right one and whether any are"
        )


def _check_server(db: Db, database: str) -> None:
    if db.info.server_version // 10_000 < _OLDEST_SERVER:
        raise UsageError(f"{database}: PostgreSQL {db.info.parameter_status('server_version')} is too old: it needs 13")


def _version(db: Db) -> int:
    """0 if there are no tables."""
    if db.execute("SELECT to_regclass('installation')").fetchone() == (None,):
        return 0
    found = db.execute("SELECT version FROM installation").fetchone()
    return 0 if found is None else int(found[0])


def _check_version(version: int, database: str) -> None:
    if version > VERSION:
        raise UsageError(
            f"{database}: written by a newer version of bulksend ({version}, this one knows {VERSION}); use that"
        )
