"""What outlives a run: the account's last minute of sends, the numbers learned of its contacts, and who is at work.

A phone does not care which run an SMS came from. So one run of an account sends at a time on a machine, and the next
one counts what the last one sent. Nothing is written here while a run sends: its run file knows, and is read when the
run ends, or by the next run if it was cut off.
"""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import orjson

from bulksend.errors import Advice, OwnedError, RunFileError, UsageError
from bulksend.runs.lock import FileLock
from bulksend.runs.opening import open_run
from bulksend.runs.owner import Owner
from bulksend.runs.paths import state_folder
from bulksend.runs.sqlite import explained
from bulksend.runs.store import OwnRun, RecentSend, Run

_VERSION = 1
_CONTACTS = 10_000  # whose numbers are asked for at a time
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
PRAGMA user_version = {_VERSION};
CREATE TABLE IF NOT EXISTS active (plan_id TEXT NOT NULL, run TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sends (plan_id TEXT NOT NULL, recipient, parts INTEGER, messages INTEGER, ended_at REAL);
CREATE TABLE IF NOT EXISTS numbers (contact INTEGER PRIMARY KEY, number TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a run must know of the ones before it.

    Attributes:
        sends: other runs' recent sends.
        blind: whether a run was cut off and its run file is gone, so that its last sends are not known.
    """

    sends: list[RecentSend]
    blind: bool


class Account:
    """The state of one account on this machine, held by one process at a time.

    Args:
        base_url: the API's address.
        org_id: the organization; with the address it is the account.
        place: of the run that is to be sent.

    Raises:
        OwnedError: another process is sending for this account; the sentence says which.
        RunFileError: the state cannot be written.
        UsageError: its folder cannot be made.
    """

    def __init__(self, base_url: str, org_id: int, place: str) -> None:
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{base_url.partition('://')[2]}-{org_id}")
        folder = state_folder()
        self._lock = _lock(folder / f"{name}.lock", base_url, org_id)
        self._lock.write(orjson.dumps({"owner": asdict(Owner.now(time.time())), "run": str(Path(place).resolve())}))
        try:
            self._path = folder / f"{name}.sqlite"
            with explained(self._path):
                self._path.touch(mode=0o600)
                self._db = sqlite3.connect(self._path, isolation_level=None)
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                if version not in (0, _VERSION):
                    raise UsageError(
                        f"{self._path}: written by another version of bulksend; use that, or remove the file"
                    )
                self._db.executescript(_SCHEMA)
        except BaseException:
            self._lock.release()
            raise

    def begin(self, run: Run, *, since_s: float, wall_s: float) -> Earlier:
        """Note that a run begins, and tell what others have sent at ``since_s`` (since 1970) or later."""
        plan_id = run.facts.plan_id
        with explained(self._path):
            left = self._db.execute("SELECT plan_id, run FROM active").fetchone()
            # A run that goes on after a kill knows its own sends.
            blind = (
                left is not None and left[0] != plan_id and not self._take_in(left[0], Path(left[1]), since_s, wall_s)
            )
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM active")
            self._db.execute("INSERT INTO active VALUES (?, ?)", [plan_id, str(Path(run.place).resolve())])
            self._db.execute("DELETE FROM sends WHERE ended_at < ?", [since_s])
            self._db.execute("COMMIT")
            sql = "SELECT recipient, parts, messages, ended_at FROM sends WHERE plan_id <> ? ORDER BY ended_at"
            return Earlier(list(map(RecentSend._make, self._db.execute(sql, [plan_id]))), blind)

    def lend_numbers(self, run: OwnRun) -> None:
        """Tell a run the numbers of its contacts, as far as they are known."""
        contacts = run.contacts()
        sql = "SELECT contact, number FROM numbers JOIN json_each(?) ON contact = value"
        while some := list(islice(contacts, _CONTACTS)):
            with explained(self._path):
                known = self._db.execute(sql, [orjson.dumps(some).decode()]).fetchall()
            if known:
                run.learn(known)

    def end(self, run: Run, *, since_s: float, wall_s: float) -> None:
        """Remember what a run sent at ``since_s`` or later and what it learned; it has ended.

        If that fails, it is as if the run had been cut off: the next one reads its file.
        """
        with suppress(RunFileError), explained(self._path):
            self._absorb(run, run.facts.plan_id, since_s, wall_s)
            self._db.execute("DELETE FROM active")

    def close(self) -> None:
        """Let the next run of this account begin."""
        self._db.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_in(self, plan_id: str, place: Path, since_s: float, wall_s: float) -> bool:
        """Take over what the run of a killed process knows; False if it is gone, or is another by now."""
        try:
            with open_run(place) as run:
                if run.facts.plan_id != plan_id:
                    return False
                self._absorb(run, plan_id, since_s, wall_s)
        except (UsageError, RunFileError):
            return False
        return True

    def _absorb(self, run: Run, plan_id: str, since_s: float, wall_s: float) -> None:
        sends, numbers = run.recent_sends(since_s, wall_s), run.numbers()
        self._db.execute("BEGIN")
        try:
            self._db.execute("DELETE FROM sends WHERE plan_id = ?", [plan_id])
            self._db.executemany("INSERT INTO sends VALUES (?, ?, ?, ?, ?)", ((plan_id, *send) for send in sends))
            self._db.executemany("INSERT OR REPLACE INTO numbers VALUES (?, ?)", numbers)
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise


def _lock(path: Path, base_url: str, org_id: int) -> FileLock:
    try:
        return FileLock(path)
    except OwnedError as error:
        raise OwnedError(
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
