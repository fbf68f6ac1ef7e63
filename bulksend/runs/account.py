"""What outlives a run: the account's last minute of sends, learned numbers, history, and who is at work.

A phone does not care which run an SMS came from. So one run of an account sends at a time on a machine, and the next
one counts what the last one sent. Nothing is written here while a run sends: its run file knows, and is read when the
run ends, or by the next run if it was cut off.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

import orjson

from bulksend.errors import AccountBusyError, Advice, OwnedError, RunFileError, UsageError
from bulksend.runs.accounts import account_name
from bulksend.runs.clock import Clock, lag
from bulksend.runs.contacts import lend
from bulksend.runs.facts import Address
from bulksend.runs.finding import found_again, key_of
from bulksend.runs.history import HISTORY, FileHistory
from bulksend.runs.lock import FileLock, NameLock
from bulksend.runs.opted_out import OptedOut
from bulksend.runs.optouts import FileOptedOut, optouts_path
from bulksend.runs.outliving import Earlier
from bulksend.runs.owned import OwnRun
from bulksend.runs.owner import Owner
from bulksend.runs.paths import state_folder, state_path
from bulksend.runs.places import Place, place_of, resolved
from bulksend.runs.sqlite import explained
from bulksend.runs.store import Run
from bulksend.runs.telling import RecentSend

_VERSION = 1
_KEPT_S = 3600.0  # what was sent is remembered so long at least: the next run may count by a longer window
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
PRAGMA user_version = {_VERSION};
CREATE TABLE IF NOT EXISTS active (plan_id TEXT NOT NULL, run TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sends (plan_id TEXT NOT NULL, recipient, parts INTEGER, messages INTEGER, ended_at REAL);
CREATE TABLE IF NOT EXISTS numbers (contact INTEGER PRIMARY KEY, number TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clock (boot TEXT NOT NULL, started_at REAL NOT NULL);  -- under which all times here stand
CREATE TABLE IF NOT EXISTS quiet (since REAL NOT NULL);  -- nobody knows what was sent shortly before
"""
# A contact whose answer never came counts by the number that any other answer told since.
_OTHERS_SENDS = """
SELECT coalesce(number, recipient), parts, messages, min(ended_at, ?) FROM sends
LEFT JOIN numbers ON typeof(recipient) = 'integer' AND contact = recipient
WHERE plan_id NOT IN (SELECT value FROM json_each(?)) AND ended_at >= ? ORDER BY ended_at
"""


class FileAccount:
    """The state of one account on this machine, held by one process at a time.

    Args:
        base_url: the API's address.
        org_id: the organization; with the address it is the account.
        place: of the run that is to be sent.

    Attributes:
        history: who got what from it.
        optouts: who is to get nothing from it any more.

    Raises:
        AccountBusyError: another process is sending for this account; the sentence says which.
        RunFileError: the state cannot be written.
        UsageError: its folder cannot be made.
    """

    def __init__(self, base_url: str, org_id: int, place: str) -> None:
        name = account_name(base_url, org_id)
        folder = state_folder()
        self._path = folder / f"{name}.sqlite"
        self._history_path = folder / f"{name}{HISTORY}"
        self._optouts_path = optouts_path(base_url, org_id)
        self._lock, self._name_lock = _locks(folder / f"{name}.lock", base_url, org_id)
        self._lock.write(orjson.dumps({"owner": Owner.now(time.time()).kept, "run": str(resolved(place_of(place)))}))
        try:
            self._open()
        except BaseException:
            self._release()
            raise

    def begin(
        self, run: Run, *, since_s: float, wall_s: float, clock: Clock | None = None, began_at: float | None = None,
        is_remembered: bool = True, repeat_after_s: float | None = None,
    ) -> Earlier:  # fmt: skip
        """See `Account.begin`; nobody else sends at the same time."""
        del repeat_after_s
        self._key = key_of(run)
        self._began_at = wall_s if began_at is None else began_at
        self.history.catch_up(run, closes=True)
        self._is_remembered = is_remembered
        if is_remembered:
            self.history.begin(run, began_at=self._began_at, wall_s=wall_s)
        with explained(self._path):
            self._set_clock(wall_s, clock)
            left = self._db.execute("SELECT plan_id, run FROM active").fetchone()
            own = [self._key, *run.facts.instead_of]  # a run knows its own sends after a kill; a copy of it does not
            is_anothers = left is not None and left[0] not in own
            if is_anothers and not self._take_in(left[0], place_of(left[1]), since_s, wall_s):
                self._db.execute("INSERT INTO quiet VALUES (?)", [wall_s])
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM active")
            self._db.execute("INSERT INTO active VALUES (?, ?)", [self._key, str(resolved(place_of(run.place)))])
            self._db.execute("DELETE FROM sends WHERE ended_at < ?", [_kept_since(since_s, wall_s)])
            # Whoever was cut off while it waited has not waited: it waits as long as it is not over.
            self._db.execute("DELETE FROM quiet WHERE since <= ?", [since_s])
            self._db.execute("COMMIT")
            (blind,) = self._db.execute("SELECT count(*) > 0 FROM quiet").fetchone()
            found = self._db.execute(_OTHERS_SENDS, [wall_s, orjson.dumps(own).decode(), since_s])
            return Earlier(list(map(RecentSend._make, found)), bool(blind))

    def lend_numbers(self, run: OwnRun) -> None:
        """See `Account.lend_numbers`."""
        with explained(self._path):
            _lend(self._db, run)

    def end(self, run: Run, *, since_s: float, wall_s: float, clock: Clock | None = None) -> None:
        """See `Account.end`."""
        with suppress(RunFileError, UsageError), explained(self._path):
            if not self._is_named():  # the folder was removed while the run was sent
                self._db.close()
                self.history.close()
                self.optouts.close()
                state_folder()
                self._open()
                if self._is_remembered:
                    self.history.begin(run, began_at=self._began_at, wall_s=self._began_at)
            self.history.absorb(run)
            self._set_clock(wall_s, clock)
            self._absorb(run, self._key, _kept_since(since_s, wall_s), wall_s)
            self._db.execute("DELETE FROM active")

    def settle(self, wall_s: float) -> None:
        """Take in what runs know that were cut off; where one is gone, nobody knows what it sent lately.

        Raises:
            RunFileError: the state cannot be written.
        """
        for command in self.history.open_commands():
            with found_again(command.key, place_of(command.run)) as run:
                if run is not None:
                    self.history.absorb(run)
        with explained(self._path):
            left = self._db.execute("SELECT plan_id, run FROM active").fetchone()
            if left is not None and not self._take_in(left[0], place_of(left[1]), wall_s, wall_s):
                self._db.execute("INSERT INTO quiet VALUES (?)", [wall_s])
            self._db.execute("DELETE FROM active")

    def close(self) -> None:
        """Let the next run of this account begin."""
        self.optouts.close()
        self.history.close()
        self._db.close()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        with explained(self._path):
            self._path.touch(mode=0o600)
            self._file = self._path.stat()
            self._db = sqlite3.connect(self._path, isolation_level=None)
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                raise UsageError(f"{self._path}: written by another version of bulksend; use that, or remove the file")
            self._db.executescript(_SCHEMA)
        self.history = FileHistory(self._history_path)
        self.optouts: OptedOut = FileOptedOut(self._optouts_path, self._path)

    def _is_named(self) -> bool:
        try:
            return os.path.samestat(self._file, self._path.stat())
        except OSError:
            return False

    def _release(self) -> None:
        self._name_lock.release()
        self._lock.release()

    def _set_clock(self, wall_s: float, clock: Clock | None) -> None:
        """Let all times stand as the clock stands now: after a step as late as they can have been, none in the future.

        What ended under a clock that was set back since counts as if it ended now: nobody knows better.
        """
        if clock is None:
            return
        kept = self._db.execute("SELECT boot, started_at FROM clock").fetchone()
        late_s = lag(Clock(*kept), clock) if kept else 0.0
        self._db.execute("BEGIN")
        self._db.execute("UPDATE sends SET ended_at = min(ended_at + ?, ?)", [late_s, wall_s])
        self._db.execute("UPDATE quiet SET since = min(since + ?, ?)", [late_s, wall_s])
        self._db.execute("DELETE FROM clock")
        self._db.execute("INSERT INTO clock VALUES (?, ?)", clock)
        self._db.execute("COMMIT")

    def _take_in(self, key: str, place: Place, since_s: float, wall_s: float) -> bool:
        """Take over what the run of a killed process knows; False if it is gone, or is another by now."""
        with suppress(UsageError, RunFileError), found_again(key, place) as run:
            if run is not None:
                self._absorb(run, key, _kept_since(since_s, wall_s), wall_s)
                return True
        return False

    def _absorb(self, run: Run, key: str, since_s: float, wall_s: float) -> None:
        sends, numbers = run.recent_sends(since_s, wall_s), run.numbers()
        self._db.execute("BEGIN")
        try:
            self._db.execute("DELETE FROM sends WHERE plan_id = ?", [key])
            self._db.executemany("INSERT INTO sends VALUES (?, ?, ?, ?, ?)", map((key,).__add__, sends))
            self._db.executemany("INSERT OR REPLACE INTO numbers VALUES (?, ?)", numbers)
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise


def history_path(base_url: str, org_id: int) -> Path:
    """Where that lies, whether it is there or not."""
    return state_path() / f"{account_name(base_url, org_id)}{HISTORY}"


def account_path(base_url: str, org_id: int) -> Path:
    """Where the account's own file is, whether it is there or not."""
    return state_path() / f"{account_name(base_url, org_id)}.sqlite"


def check_unheld(address: Address) -> None:
    """See that no run file of an account is being sent on this machine.

    Raises:
        AccountBusyError: one is; the sentence says which.
        RunFileError: that cannot be seen.
    """
    path = state_path() / f"{account_name(address.base_url, address.org_id)}.lock"
    if path.exists():
        for lock in _locks(path, address.base_url, address.org_id):
            lock.release()


def lend_numbers(base_url: str, org_id: int, run: OwnRun) -> None:
    """Tell a run the numbers of its contacts, as far as its account knows them, also while somebody sends for it."""
    path = account_path(base_url, org_id)
    if path.exists():
        with explained(path), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            _lend(db, run)


def histories() -> list[Path]:
    """The files of all accounts' histories."""
    return sorted(state_path().glob(f"*{HISTORY}"))


def _lend(db: sqlite3.Connection, run: OwnRun) -> None:
    sql = "SELECT contact, number FROM numbers JOIN json_each(?) ON contact = value"
    lend(run, lambda some: db.execute(sql, [orjson.dumps(some).decode()]).fetchall())


def _kept_since(since_s: float, wall_s: float) -> float:
    return min(since_s, wall_s - _KEPT_S)


def _locks(path: Path, base_url: str, org_id: int) -> tuple[FileLock, NameLock]:
    """The account's lock: a file's, and beside it a name's, for a second run would make a removed file anew."""
    try:
        lock = FileLock(path)
        try:
            return lock, NameLock(str(path.resolve()))
        except BaseException:
            lock.release()
            raise
    except OwnedError as error:
        raise AccountBusyError(
            f"another run is sending for organization {org_id} at {base_url}{_named(path)}: one at a time, so that no "
            "phone gets too many",
            Advice.WAIT_FOR_ACCOUNT,
        ) from error


def _named(path: Path) -> str:
    try:
        held = orjson.loads(path.read_bytes())
        return f" ({Owner(**held['owner'])}, run {held['run']})"
    except (OSError, LookupError, ValueError, TypeError):
        return ""
