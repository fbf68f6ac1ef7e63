"""The run file: one campaign's plan, intents and outcomes in one SQLite file, the only truth of what happened.

A plan is written beside its final name and renamed when it is whole and on the disk, so a run file under its own name
always holds a whole plan. What happens to the plan afterwards is written by
`bulksend.runs.sqlite.store`, and all of it is read by `bulksend.runs.sqlite.reader`.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from bulksend.errors import Advice, Remark, RunFileError, UsageError
from bulksend.model import Recipient, Status
from bulksend.planning import Example, Findings, PlannedRecord, Reason
from bulksend.runs.lock import FileLock

APPLICATION_ID = 0x62756C6B  # "bulk"
SCHEMA_VERSION = 2

IN_FLIGHT = "in flight"
"""The state of a row whose intent is committed and whose outcome is not."""

TO_SEND = "(s.row IS NULL OR s.state IN ('pending', 'failed'))"
"""Of a pending message left-joined with ``sends s``: it was never tried, or certainly not sent."""

_SCHEMA = f"""
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
CREATE TABLE sends (
    row INTEGER PRIMARY KEY,
    state TEXT NOT NULL,           -- '{IN_FLIGHT}', or a status
    attempts INTEGER NOT NULL,
    started_at REAL NOT NULL,      -- of the last attempt, seconds since 1970
    ended_at REAL,
    doubt_since REAL,              -- when the first attempt began that may have been accepted; NULL: none may
    http_status INTEGER,
    answer TEXT,                   -- what the API said, a JSON array in the order of `bulksend.model.Answer`
    charged INTEGER,               -- micro-USD
    error TEXT
);
-- Few rows at any time, so that they cost nothing and are found among millions at once.
CREATE INDEX unfinished ON sends (row) WHERE state IN ('pending', 'failed');
CREATE INDEX doubtful ON sends (row) WHERE state = 'unknown';
CREATE INDEX contacts ON messages (recipient) WHERE typeof(recipient) = 'integer';
CREATE TABLE numbers (contact INTEGER PRIMARY KEY, number TEXT NOT NULL);  -- learned from answers
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""

RECENT_SENDS = """
SELECT coalesce(n.number, m.recipient) AS who,
    m.parts * CASE WHEN s.doubt_since IS NULL THEN 1 ELSE s.attempts END AS parts,
    CASE WHEN s.doubt_since IS NULL THEN 1 ELSE s.attempts END AS messages,
    coalesce(s.ended_at, :now) AS ended
FROM {run}.sends s JOIN {run}.messages m ON m.row = s.row
LEFT JOIN {run}.numbers n ON typeof(m.recipient) = 'integer' AND n.contact = m.recipient
WHERE (s.state IN ('sent', 'unknown', 'in flight') OR s.doubt_since IS NOT NULL) AND ended >= :since ORDER BY ended
"""
"""A run's sends that may have arrived lately: (recipient, parts, messages, when the last attempt ended).

Of a row in doubt only the last attempt's time is kept: its earlier ones are counted as if they had been as late. An
attempt whose end nobody saw may have left at the last moment, for its intent may have waited: it ends now.
"""


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a plan was made of: whatever changes what is sent, to whom, or in whose name.

    Attributes:
        input_name: the input file's name, or "-" for standard input.
        input_digest: SHA-256 of the input's bytes, hexadecimal.
        columns: the input's own column names, in order.
        reading: how the input was to be read: encoding, delimiter, sheet; None where that was found out.
        gsm: whether typographic characters were replaced.
        duplicates: what was done with rows that repeat another.
        exclusion: digest of the lists of those left out; empty without any.
        org_id: the organization's id; 0 as long as that is open.
        base_url: where it goes; empty for a private sandbox, which has a new address each time.
        campaign: makes the dedup keys: ``{campaign}-{row}``.
        plan_id: tells this plan from any other.
    """

    input_name: str
    input_digest: str
    columns: tuple[str, ...]
    sender: str | None
    template: str | None
    mapping: tuple[tuple[str, str], ...]
    country: str | None
    reading: tuple[str | None, str | None, str | None]
    gsm: bool
    duplicates: str
    exclusion: str
    endpoint: str
    org_id: int
    base_url: str
    campaign: str
    plan_id: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that has or last had the run file for sending."""

    pid: int
    host: str
    since: float

    @classmethod
    def now(cls, now: float) -> Owner:
        """This process, from ``now`` on (seconds since 1970)."""
        return cls(os.getpid(), socket.gethostname(), now)

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"process {self.pid} on {self.host}, since {since}"


class PlanWriter:
    """Writes a plan and gives it its name when it is whole.

    Args:
        path: the run file's name. While planning, the file is called ``<name>.planning``.

    Raises:
        OwnedError: another process is planning or sending this run.
        RunFileError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._draft = path.with_name(path.name + ".planning")
        self.lock = FileLock(self._draft)
        try:
            os.truncate(self._draft, 0)  # what a killed planner left
            self._db = sqlite3.connect(self._draft, isolation_level=None)
            # No journal: a plan that was cut off is thrown away whole.
            self._db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA + "BEGIN;")
        except (OSError, sqlite3.Error) as error:
            self.lock.release()
            raise _unwritable(path, error) from error

    def add(self, rows: Iterable[PlannedRecord]) -> None:
        """Add the next rows in input order."""
        with explained(self.path):
            self._db.executemany("INSERT INTO messages VALUES (?,?,?,?,?,?,?,?,?,?)", rows)

    def add_repeats(self, recipient: Recipient, messages: Iterable[tuple[int, int]]) -> None:
        """Note that a recipient gets more than one message: (row, parts) of each."""
        with explained(self.path):
            self._db.executemany(
                "INSERT INTO repeats VALUES (?,?,?)", [(recipient, row, parts) for row, parts in messages]
            )

    def skip(self, rows: Iterable[int], says: str) -> None:
        """Leave rows out after all."""
        with explained(self.path):
            self._db.executemany(
                """UPDATE messages SET status = 'skipped', sender = NULL, text = '', encoding = NULL, parts = 0,
                   price = NULL, error = ? WHERE row = ?""",
                [(says, row) for row in rows],
            )

    def finish(self, facts: PlanFacts, findings: Findings, counts: Mapping[Status, int]) -> FileLock:
        """Make the plan durable and name it; the lock goes on with the caller.

        Args:
            facts: what the plan was made of.
            findings: what planning found.
            counts: its rows by status: counting millions of them takes seconds, and a plan does not change.

        Raises:
            OwnedError: another process is sending the run of this name.
            RunFileError: the file cannot be written, or the run of this name has begun meanwhile.
        """
        with explained(self.path):
            kept = {
                "plan": facts,
                "findings": findings,
                "counts": {status.value: rows for status, rows in counts.items()},
            }
            self._db.executemany("INSERT INTO facts VALUES (?,?)", [(k, orjson.dumps(v)) for k, v in kept.items()])
            self._db.execute("COMMIT")
            self._db.close()
            self.lock.sync()
            self._give_name()
            _sync_folder(self.path.parent)
        self.lock.path = self.path
        return self.lock

    def _give_name(self) -> None:
        """Replace the run of this name; never one that is being sent, or that began while this plan was made."""
        old = FileLock(self.path) if self.path.exists() else None
        try:
            if old and is_run_file(self.path) and _is_begun(self.path):
                raise RunFileError(f"{self.path}: this run has begun meanwhile; run the same command again to go on")
            for log in ("-wal", "-shm", "-journal"):  # a killed owner's: SQLite would take it for the new file's
                self.path.with_name(self.path.name + log).unlink(missing_ok=True)
            self._draft.rename(self.path)
        finally:
            if old:
                old.release()

    def discard(self) -> None:
        """Throw the draft away."""
        self._db.close()
        self._draft.unlink(missing_ok=True)
        self.lock.release()


def connect(path: Path) -> sqlite3.Connection:
    """Open a run file for reading, which may be written meanwhile.

    Raises:
        UsageError: there is no such file, or it is no run file of this version.
        RunFileError: it cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such run file")
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        check_format(db, path)
    except BaseException:
        db.close()
        raise
    return db


def check_format(db: sqlite3.Connection, path: Path) -> None:
    """See that it is a run file of this version.

    Raises:
        UsageError: it is another kind of file, or of another version.
    """
    try:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.OperationalError as error:
        raise RunFileError(f"{path}: the run file cannot be read: {error}") from error
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{path}: this is not a run file ({error})") from error
    if application != APPLICATION_ID:
        raise UsageError(f"{path}: this is not a run file")
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{path}: written by another version of bulksend (format {version}, this one reads "
            f"{SCHEMA_VERSION}); use that version"
        )


def read_facts(db: sqlite3.Connection) -> PlanFacts:
    """Read what the plan was made of."""
    plan = db.execute("SELECT value FROM facts WHERE name = 'plan'").fetchone()
    if plan is None:
        raise UsageError("this run file holds no whole plan: plan anew")
    found = orjson.loads(plan[0])
    found["columns"] = tuple(found["columns"])
    found["mapping"] = tuple((field, column) for field, column in found["mapping"])
    found["reading"] = tuple(found["reading"])
    return PlanFacts(**found)


def readdress(path: Path, org_id: int, base_url: str) -> None:
    """Say where a plan goes, before anything of it is sent; the caller owns the file.

    Raises:
        UsageError: the organization is still open.
    """
    if not org_id:
        raise UsageError("there is no organization id: give it with --org-id; to try things out, use --sandbox")
    with explained(path), closing(sqlite3.connect(path)) as db, db:
        facts = replace(read_facts(db), org_id=org_id, base_url=base_url)
        db.execute("UPDATE facts SET value = ? WHERE name = 'plan'", [orjson.dumps(facts)])


def read_counts(db: sqlite3.Connection) -> dict[Status, int]:
    """Read how many rows the plan has of each status."""
    (value,) = db.execute("SELECT value FROM facts WHERE name = 'counts'").fetchone()
    return {Status(status): rows for status, rows in orjson.loads(value).items()}


def read_findings(db: sqlite3.Connection) -> Findings:
    """Read what planning found."""
    (value,) = db.execute("SELECT value FROM facts WHERE name = 'findings'").fetchone()
    found = orjson.loads(value)
    reasons = tuple(
        Reason(
            Status(each["status"]),
            each["says"],
            each["rows"],
            tuple(Example(**one) for one in each["examples"]),
            _advice(each),
        )
        for each in found["reasons"]
    )
    return Findings(
        reasons, tuple(map(_remark, found["notes"])), tuple(map(_remark, found["warnings"])), found["rates"]
    )


def _remark(kept: Any) -> Remark:
    """A remark; it was a bare sentence before advice was kept apart."""
    return Remark(kept) if isinstance(kept, str) else Remark(kept["says"], _advice(kept))


def _advice(kept: Mapping[str, Any]) -> Advice | None:
    return Advice(kept["advice"]) if kept.get("advice") else None


def is_run_file(path: Path) -> bool:
    """Whether the file says of itself that it is a run file (the application id in SQLite's header)."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # what is read of a pipe is gone for whoever comes next
            return False
        with path.open("rb") as file:
            header = file.read(72)
    except OSError:
        return False
    return header.startswith(b"SQLite format 3\0") and header[68:72] == APPLICATION_ID.to_bytes(4, "big")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a run file into RunFileError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _unwritable(path, error) from error


def advance(db: sqlite3.Connection) -> None:
    """Note up to which row every message has been begun once, so that whoever goes on need not look at all of them."""
    begun_to = _begun_to(db)
    sql = """SELECT m.row FROM messages m LEFT JOIN sends s ON s.row = m.row
             WHERE m.row > ? AND m.status = 'pending' AND s.row IS NULL ORDER BY m.row LIMIT 1"""
    found = db.execute(sql, [begun_to]).fetchone()
    to = found[0] - 1 if found else db.execute("SELECT coalesce(max(row), 0) FROM messages").fetchone()[0]
    if to != begun_to:
        db.execute("INSERT OR REPLACE INTO facts VALUES ('begun to', ?)", [to])


def first_unfinished(db: sqlite3.Connection) -> int:
    """A row before which there is nothing to send."""
    sql = "SELECT min(row) FROM sends WHERE state IN ('pending', 'failed')"
    (unfinished,) = db.execute(sql).fetchone()
    untried = _begun_to(db) + 1
    return min(untried, unfinished or untried)


def _begun_to(db: sqlite3.Connection) -> int:
    found = db.execute("SELECT value FROM facts WHERE name = 'begun to'").fetchone()
    return int(found[0]) if found else 0


def is_begun(db: sqlite3.Connection) -> bool:
    """Whether a message of the run may have been accepted, so that its plan must not be replaced."""
    sql = "SELECT 1 FROM sends WHERE state IN (?, 'sent', 'unknown') OR doubt_since IS NOT NULL LIMIT 1"
    return db.execute(sql, [IN_FLIGHT]).fetchone() is not None


def _is_begun(path: Path) -> bool:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        return is_begun(db)


def _unwritable(path: Path, error: Exception) -> RunFileError:
    return RunFileError(f"{path}: the run file cannot be used: {error}")


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
