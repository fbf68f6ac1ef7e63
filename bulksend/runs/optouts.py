"""Who opted out of an account's messages: a standing list, kept beside the account's own state.

Its numbers stand there as they are, for a list that cannot be read is none; so the file is for its owner's eyes alone.
It may be written while a run sends: whoever sends looks again and again, see `bulksend.runs.opted_out`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from bulksend.errors import RunFileError, UsageError
from bulksend.model import Recipient
from bulksend.runs.accounts import account_name
from bulksend.runs.paths import state_folder, state_path
from bulksend.runs.sqlite import transaction
from bulksend.sms import phones

_VERSION = 1
_OPTOUTS = ".optouts.sqlite"  # the ending of its file's name
# Its version is noted with its tables, so that whoever sees the one sees the others.
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS optouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- so that those that were added since are known
    phone UNIQUE NOT NULL,                 -- TEXT: the one number that stands for a phone; INTEGER: a contactId
    recipient NOT NULL,                    -- the same as it was given
    reason TEXT NOT NULL,
    since REAL NOT NULL                    -- seconds since 1970
);
CREATE TABLE IF NOT EXISTS name (id TEXT NOT NULL);
INSERT INTO name SELECT lower(hex(randomblob(16))) WHERE NOT EXISTS (SELECT 1 FROM name);
PRAGMA user_version = {_VERSION};
COMMIT;
"""


class OptOut(NamedTuple):
    """Somebody who opted out.

    Attributes:
        recipient: the number or contact, as it was given.
        reason: in the words of whoever noted it; may be empty.
        since_s: when it was noted, in seconds since 1970.
    """

    recipient: Recipient
    reason: str
    since_s: float


class OptOuts:
    """The opt-outs of one account; several processes may write them. A context manager.

    Args:
        path: their file, which is made if it is not there.

    Raises:
        UsageError: it is of another version.
        RunFileError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with explained(path):
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, isolation_level=None)
            try:
                self._db.execute("PRAGMA synchronous = FULL")
                if not check_version(self._db, path):
                    self._db.executescript(f"PRAGMA journal_mode = WAL; {_SCHEMA}")
            except BaseException:
                self._db.close()
                raise

    def add(self, recipients: Iterable[Recipient], reason: str, wall_s: float) -> int:
        """Note that somebody opted out; how many of them had not before, and they keep what is noted of them."""
        rows = [(_phone(who), who, reason, wall_s) for who in recipients]
        return self._change("INSERT OR IGNORE INTO optouts (phone, recipient, reason, since) VALUES (?, ?, ?, ?)", rows)

    def remove(self, recipients: Iterable[Recipient]) -> int:
        """Take some off the list; how many of them were on it."""
        return self._change("DELETE FROM optouts WHERE phone = ?", [(_phone(who),) for who in recipients])

    def all(self) -> Iterator[OptOut]:
        """All of them, in the order in which they were noted."""
        with explained(self._path):
            yield from map(OptOut._make, self._db.execute("SELECT recipient, reason, since FROM optouts ORDER BY id"))

    def close(self) -> None:
        """Let go of them."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _change(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        with explained(self._path), transaction(self._db):
            return self._db.executemany(sql, rows).rowcount if rows else 0


def optouts_of(base_url: str, org_id: int) -> OptOuts:
    """The opt-outs of an account, to be changed; see `OptOuts`."""
    state_folder()
    return OptOuts(optouts_path(base_url, org_id))


def optouts_path(base_url: str, org_id: int) -> Path:
    """Where they lie, whether they are there or not."""
    return state_path() / f"{account_name(base_url, org_id)}{_OPTOUTS}"


def _phone(recipient: Recipient) -> Recipient:
    return phones.canonical(recipient) if isinstance(recipient, str) else recipient


def check_version(db: sqlite3.Connection, path: Path) -> int:
    """The version of a list's file; 0 if it is not made yet.

    Raises:
        UsageError: it is of another version.
    """
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _VERSION):
        raise UsageError(f"{path}: written by another version of bulksend; use that version")
    return version


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a list into RunFileError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise RunFileError(f"{path}: who opted out cannot be read or noted there: {error}") from error
