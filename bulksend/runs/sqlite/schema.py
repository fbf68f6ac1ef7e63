"""The run file: one campaign's plan, intents and outcomes in one SQLite file, the only truth of what happened.

Formats: 2 was the first that anybody has; its decisions stood in ``state`` and ``doubt_since``, what the API said in an
array. Readers read every format since 2 and write nothing; the owner brings the file to the newest.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bulksend.errors import RunFileError, UsageError
from bulksend.model import Event
from bulksend.runs import life
from bulksend.runs.lock import head_of
from bulksend.runs.states import Decision, State

APPLICATION_ID = 0x62756C6B  # "bulk"
FORMAT = 3
OLDEST_FORMAT = 2

SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE messages (
    row INTEGER PRIMARY KEY,
    status TEXT NOT NULL,          -- pending, invalid or skipped: what the plan says
    recipient,                     -- TEXT: a phone number; INTEGER: a contactId
    sender TEXT,
    text TEXT NOT NULL,
    encoding TEXT,
    parts INTEGER NOT NULL,
    price INTEGER,                 -- micro-USD, NULL: no rate known
    error TEXT NOT NULL,
    cells TEXT NOT NULL            -- the row's own cells, a JSON array
);
CREATE TABLE repeats (             -- the rows of recipients that occur more than once
    recipient, row INTEGER, parts INTEGER NOT NULL, PRIMARY KEY (recipient, row)
) WITHOUT ROWID;
CREATE TABLE copies (              -- the rows that have recipient, sender and text of earlier ones
    row INTEGER PRIMARY KEY, copy INTEGER NOT NULL  -- of how many
);
CREATE TABLE sends (
    row INTEGER PRIMARY KEY,
    state TEXT NOT NULL,           -- see `bulksend.runs.states`, also for the next two but one
    attempts INTEGER NOT NULL,
    started_at REAL NOT NULL,      -- of the last attempt, seconds since 1970
    ended_at REAL,
    doubt_since REAL,              -- when the first attempt began that may have been accepted; NULL: none may
    decision TEXT,                 -- what somebody decided about the doubt; NULL: nothing
    ticket INTEGER,                -- of the last intent, counted from 1 by each owner
    proof INTEGER NOT NULL DEFAULT 0,  -- see `bulksend.sending.Proof`; of all attempts that may have been accepted
    http_status INTEGER,
    answer TEXT,                   -- what the API said, a JSON object with the API's names
    charged INTEGER,               -- micro-USD
    error TEXT
);
CREATE TABLE numbers (contact INTEGER PRIMARY KEY, number TEXT NOT NULL);  -- learned from answers
CREATE INDEX contacts ON messages (recipient) WHERE typeof(recipient) = 'integer';
"""

# Few rows at any time, so that they cost nothing and are found among millions at once.
INDEXES = f"""
CREATE INDEX unfinished ON sends (row) WHERE {life.is_to_send()};
CREATE INDEX in_doubt ON sends (row) WHERE state = '{State.UNKNOWN}';
CREATE INDEX not_sent ON sends (row) WHERE {life.is_not_sent()};
"""
PRAGMAS = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"

_ANSWER_OF_2 = (
    "messageId", "estimateParts", "estimateMicro", "estimate", "deliveryDeadline", "to", "contactId",
)  # fmt: skip
"""What format 2 kept of the API's answers, in its order."""

_STATE_2 = f"""CASE WHEN state = '{State.PENDING}' AND doubt_since IS NOT NULL THEN '{State.UNKNOWN}' ELSE state END"""
_DOUBT_2 = f"CASE WHEN state = '{State.UNKNOWN}' THEN coalesce(doubt_since, started_at) ELSE doubt_since END"
_DECISION_2 = f"""CASE WHEN state = '{State.UNKNOWN}' AND doubt_since IS NULL THEN '{Decision.LEAVE}'
    WHEN state = '{State.PENDING}' AND doubt_since IS NOT NULL THEN '{Decision.RESEND}' END"""
_ANSWER_2 = (
    "CASE WHEN answer IS NOT NULL THEN json_object("
    + ", ".join(f"'{name}', json_extract(answer, '$[{place}]')" for place, name in enumerate(_ANSWER_OF_2))
    + ") END"
)

_FROM_2 = f"""
ALTER TABLE sends ADD COLUMN decision TEXT;
ALTER TABLE sends ADD COLUMN ticket INTEGER;
ALTER TABLE sends ADD COLUMN proof INTEGER NOT NULL DEFAULT 0;
CREATE TABLE copies (row INTEGER PRIMARY KEY, copy INTEGER NOT NULL);
UPDATE sends SET state = {_STATE_2}, doubt_since = {_DOUBT_2}, decision = {_DECISION_2}, answer = {_ANSWER_2};
DROP INDEX unfinished;
DROP INDEX doubtful;
"""

_SENDS_2 = f"""
SELECT row, {_STATE_2} AS state, attempts, started_at, ended_at, {_DOUBT_2} AS doubt_since, {_DECISION_2} AS decision,
    NULL AS ticket, 0 AS proof, http_status, {_ANSWER_2} AS answer, charged, error FROM main.sends
"""
"""What stands in a file of format 2, as if it were of this one."""


def connect(path: Path) -> tuple[sqlite3.Connection, int]:
    """Open a run file for reading, which may be written meanwhile; and its format.

    Raises:
        UsageError: there is no such file, or it is no run file, or of a newer version.
        RunFileError: it cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such run file")
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        return db, check_format(db, path)
    except BaseException:
        db.close()
        raise


def show(db: sqlite3.Connection, version: int, *, gone: int | None, left_to: int | None) -> None:
    """Let a reader see what the next owner will find, though the file is of an older format or its owner is gone.

    Args:
        db: the reader's connection.
        version: the file's format.
        gone: the epoch whose owner is gone, so that what it has in flight is cut off; None if it may live.
        left_to: the last ticket of it that may have left; None if any may.
    """
    sends = f"({_SENDS_2})" if version == OLDEST_FORMAT else "main.sends"
    if gone is not None:
        still = f"coalesce((SELECT value FROM main.facts WHERE name = 'epoch'), 0) = {gone}"
        columns = ", ".join(
            f"CASE WHEN {life.can_be(Event.CUT_OFF)} AND {still} THEN {value} ELSE {column} END AS {column}"
            for column, value in cut_off(left_to).items()
        )
        others = "row, started_at, ended_at, ticket, proof, http_status, answer, charged"
        sends = f"(SELECT {others}, {columns} FROM {sends})"
    if version == OLDEST_FORMAT:
        db.execute("CREATE TEMP VIEW copies AS SELECT 0 AS row, 0 AS copy WHERE false")
    if sends != "main.sends":
        db.execute(f"CREATE TEMP VIEW sends AS SELECT * FROM {sends}")


def cut_off(left_to: int | None) -> dict[str, str]:
    """What becomes of a row in flight whose owner is gone, each column as an SQL expression of what it was.

    Args:
        left_to: the last ticket that may have left; None if any may. An attempt that never left does not count.
    """
    never_left = "0" if left_to is None else f"ticket > {left_to}"
    which = f"CASE WHEN {never_left} THEN '{Event.CALLED_OFF}' ELSE '{Event.CUT_OFF}' END"
    return life.after(Event.CUT_OFF, Event.CALLED_OFF, which=which)._asdict() | {
        "attempts": f"attempts - ({never_left})",
        "error": f"CASE WHEN {never_left} THEN error ELSE '{life.CUT_OFF}' END",
    }


def check_format(db: sqlite3.Connection, path: Path) -> int:
    """See that it is a run file that this version reads; its format.

    Raises:
        UsageError: it is another kind of file, or of a newer version.
        RunFileError: it cannot be read.
    """
    try:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.OperationalError as error:
        raise RunFileError(f"{path}: the run file cannot be read: {error}") from error
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{path}: this is not a run file ({error})") from error
    if application != APPLICATION_ID:
        raise UsageError(f"{path}: this is not a run file")
    if not OLDEST_FORMAT <= version <= FORMAT:
        raise UsageError(
            f"{path}: written by another version of bulksend (format {version}, this one reads "
            f"{OLDEST_FORMAT} to {FORMAT}); use that version"
        )
    return version


def migrate(db: sqlite3.Connection, path: Path) -> bool:
    """Bring a run file to this version's format, in one transaction; the caller owns it. Whether there was need.

    Raises:
        UsageError: it is of a newer version, or no run file.
    """
    if check_format(db, path) == FORMAT:
        return False
    with transaction(db):
        for statement in (_FROM_2 + INDEXES + PRAGMAS).split(";"):
            db.execute(statement)
    return True


def fit_indexes(db: sqlite3.Connection) -> None:
    """Make the indexes anew that an earlier version described in other words: by those SQLite would not find them."""
    wanted = [statement.strip() for statement in INDEXES.split(";") if statement.strip()]
    there = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type = 'index'")}
    if there.issuperset(wanted):
        return
    with transaction(db):
        for statement in wanted:
            db.execute(f"DROP INDEX IF EXISTS {statement.split()[2]}")
            db.execute(statement)


def is_run_file(path: Path) -> bool:
    """Whether the file says of itself that it is a run file (the application id in SQLite's header)."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # what is read of a pipe is gone for whoever comes next
            return False
        header = head_of(path, 72)
    except OSError:
        return False
    return header.startswith(b"SQLite format 3\0") and header[68:72] == APPLICATION_ID.to_bytes(4, "big")


def draft_of(path: Path) -> Path:
    """Where a run file is written while it is planned."""
    return path.with_name(f"{path.name}.planning")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """What is written in here is written whole or not at all, and by nobody else meanwhile."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself, or the file is lost
            db.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a run file into RunFileError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise RunFileError(f"{path}: the run file cannot be used: {error}") from error
