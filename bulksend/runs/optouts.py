"""Who opted out of an account's messages: a standing list, kept beside the account's own state.

Its numbers stand there as they are, for a list that cannot be read is none; so the file is for its owner's eyes alone.
It may be written while a run sends: whoever sends looks again and again, see `bulksend.runs.opted_out`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import orjson

from bulksend.errors import RunFileError, UsageError
from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs.accounts import account_name
from bulksend.runs.opted_out import OptedOut
from bulksend.runs.outliving import OptOut
from bulksend.runs.paths import state_path
from bulksend.runs.sqlite import transaction
from bulksend.sms import phones

_VERSION = 1
_NEVER = -1  # the version of a list that was not read yet
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


class FileOptOuts:
    """The opt-outs of one account in a file; see `bulksend.runs.outliving.OptOuts`.

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
        """See `OptOuts.add`."""
        rows = [(listed(who), who, reason, wall_s) for who in recipients]
        return self._change("INSERT OR IGNORE INTO optouts (phone, recipient, reason, since) VALUES (?, ?, ?, ?)", rows)

    def remove(self, recipients: Iterable[Recipient]) -> int:
        """See `OptOuts.remove`."""
        return self._change("DELETE FROM optouts WHERE phone = ?", [(listed(who),) for who in recipients])

    def all(self) -> Iterator[OptOut]:
        """See `OptOuts.all`."""
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


class FileOptedOut(OptedOut):
    """Who opted out of an account, out of a file; see `OptedOut`.

    Args:
        path: of the list, which need not be there.
        account: the account's own file, which knows numbers of contacts; it need not be there either.

    Raises:
        UsageError: the list is of another version.
        RunFileError: it cannot be read.
    """

    def __init__(self, path: Path, account: Path) -> None:
        super().__init__()
        self._path = path
        self._account = account
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version, self._last = _NEVER, 0
        try:
            self.look()
        except BaseException:
            self.close()
            raise

    @property
    def stand(self) -> str:
        """See `OptedOut.stand`."""
        if self._db is None or not self._since:
            return ""
        with explained(self._path):
            (name,) = self._db.execute("SELECT id FROM name").fetchone()
            return f"{name} {self._last}"

    def look(self) -> None:
        """See `OptedOut.look`."""
        with explained(self._path):
            db = self._opened()
            if db is None:
                return
            (version,) = db.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return
            (last,) = db.execute("SELECT coalesce(max(id), 0) FROM optouts").fetchone()
            sql = "SELECT phone, since FROM optouts WHERE id > ? AND id <= ?"
            self._take_in(db.execute(sql, [self._last, last]).fetchall())
            self._last = max(self._last, last)
            self._version = version  # known from before: what was added while it was read makes it another

    def close(self) -> None:
        """See `OptedOut.close`."""
        if self._db is not None:
            self._db.close()

    def _opened(self) -> sqlite3.Connection | None:
        """The list, if there is one; one that took the place of another is read from its beginning."""
        try:
            file = self._path.stat()
        except FileNotFoundError:
            return None
        if self._db is not None and self._file == (file.st_dev, file.st_ino):
            return self._db
        self.close()
        self._db = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        self._file, self._version, self._last = (file.st_dev, file.st_ino), _NEVER, 0
        if check_version(self._db, self._path):
            return self._db
        self._db.close()  # whoever makes it has not come to its end: nobody is on it yet
        self._db = self._file = None
        return None

    def _known(self, contacts: Collection[ContactId]) -> dict[ContactId, PhoneNumber]:
        if not self._account.exists():
            return {}
        sql = "SELECT contact, number FROM numbers JOIN json_each(?) ON contact = value"
        with explained(self._account), closing(_read_only(self._account)) as db:
            return dict(db.execute(sql, [orjson.dumps([*contacts]).decode()]).fetchall())


def optouts_path(base_url: str, org_id: int) -> Path:
    """Where they lie, whether they are there or not."""
    return state_path() / f"{account_name(base_url, org_id)}{_OPTOUTS}"


def listed(recipient: Recipient) -> Recipient:
    """What stands for somebody in a list: of the several numbers of a phone always the same."""
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


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
