"""Makes the tables of a database, brings them up to date, and sees that they can be trusted."""

from __future__ import annotations

from typing import NamedTuple

from bulksend.errors import Advice, RunFileError, UsageError
from bulksend.model import Event
from bulksend.runs import life
from bulksend.runs.owner import Owner
from bulksend.runs.postgres.columns import CUTS_OFF
from bulksend.runs.postgres.connecting import Db, connect, explained, one
from bulksend.runs.postgres.pooling import check_way
from bulksend.runs.postgres.schema import MIGRATIONS, SCHEMA, VERSION

_OLDEST_SERVER = 13
_LOCK = 0x62756C6B  # whoever makes or changes the tables does it alone
_WHOSE = "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()"

_AT_WORK = """
SELECT owner FROM shard WHERE owner IS NOT NULL AND lease_until > clock_timestamp()
UNION SELECT owner FROM worker WHERE seen_until > clock_timestamp()
UNION SELECT value FROM run LEFT JOIN fact ON fact.run = run.id AND fact.name = 'owner'
    WHERE lease_until > clock_timestamp()
"""
_LAST_NOTE = "SELECT max(greatest(started_at, ended_at)) FROM send"
_CUT_OFF = f"""
{CUTS_OFF}
WHERE {life.can_be(Event.CUT_OFF)}
"""


class Accepted(NamedTuple):
    """What is known of a database that was taken for the right one.

    Attributes:
        in_doubt: so many rows were under way in it, and are in doubt now.
        last_at: when the last of what it holds was noted, in seconds since 1970 by its clock; None if nothing was sent.
    """

    in_doubt: int
    last_at: float | None


def install(database: str) -> int:
    """Make the tables, or bring them to this version; which version they had, 0 for none.

    Raises:
        UsageError: the server is too old, or the tables are of a newer version, or a pooler stands in between; or they
            are of an earlier one, and somebody is at work in them.
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
            if 0 < before < VERSION:
                db.execute("LOCK TABLE installation IN ACCESS EXCLUSIVE MODE")  # for which all who note anything wait
                _check_nobody_works(db, database)
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


def accept(database: str) -> Accepted | None:
    """Take a database for the right one that was restored, or whose standby took over; None if it is what it was.

    Nobody knows what was noted behind its last note, so whatever is under way in it is in doubt from now on, and who
    still believes to own anything of it owns nothing.

    Raises:
        UsageError: it has no tables of this version.
        RunFileError: the database cannot be used.
    """
    with connect(database) as db, explained(database):
        _check_version_is_this(db, database)
        with db.transaction():
            db.execute("SELECT FROM installation FOR UPDATE")
            if _is_what_it_was(db):
                return None
            last_s = one(db.execute(_LAST_NOTE))[0]
            db.execute("UPDATE run SET epoch = epoch + 1, lease_until = NULL, opened = NULL")
            db.execute("UPDATE shard SET epoch = epoch + 1, owner = NULL, lease_until = NULL")
            in_doubt = db.execute(_CUT_OFF).rowcount
            db.execute("DELETE FROM landed")  # another server counts its transactions from elsewhere
            db.execute("INSERT INTO quiet SELECT id, extract(epoch FROM clock_timestamp()) FROM account")
            db.execute(f"UPDATE installation SET (system_identifier, timeline) = ({_WHOSE})")
    return Accepted(in_doubt, last_s)


def connect_anew(database: str) -> Db:
    """A connection instead of one that broke; in the meantime another server may have taken over.

    Raises:
        UsageError: one has, or a newer version has changed the tables.
        RunFileError: the database cannot be reached.
    """
    db = connect(database)
    try:
        with explained(database):
            check_installed(db, database)
    except BaseException:
        db.close()
        raise
    return db


def check_installed(db: Db, database: str) -> None:
    """The same, by a connection that is there."""
    _check_version_is_this(db, database)
    if not _is_what_it_was(db):
        raise UsageError(
            f"{database}: this database was restored, or another server took over from the one that it was on, and the "
            "last notes may be missing",
            Advice.ACCEPT_DATABASE,
            database=database,
        )


def _check_version_is_this(db: Db, database: str) -> None:
    _check_server(db, database)
    version = _version(db)
    _check_version(version, database)
    if version < VERSION:
        seen = "has no tables of bulksend yet" if version == 0 else f"has tables of an earlier version ({version})"
        raise UsageError(f"{database}: this database {seen}: run bulksend database init {database} once")


def check_known(version: int, place: object) -> None:
    """See that tables are of this version still, as they were when somebody began to write to them.

    Raises:
        RunFileError: a newer version of bulksend has changed them since.
    """
    if version != VERSION:
        raise RunFileError(f"{place}: a newer version of bulksend has changed the tables of this database: use that")


def _check_nobody_works(db: Db, database: str) -> None:
    owners = [None if owner is None else Owner.read(owner) for (owner,) in db.execute(_AT_WORK).fetchall()]
    living = [owner for owner in owners if owner is None or not owner.is_gone]
    if living:
        raise UsageError(
            f"{database}: somebody is at work in this database ({living[0] or 'who plans a run'}): its tables are "
            "brought up to this version when all have ended, or were not heard of for as long as their leases last"
        )


def _is_what_it_was(db: Db) -> bool:
    kept = db.execute("SELECT system_identifier, timeline FROM installation").fetchone()
    return kept == db.execute(_WHOSE).fetchone()


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
