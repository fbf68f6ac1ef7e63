"""What outlives a run: the account's last minute of sends, the numbers learned of its contacts, and who is at work.

A phone does not care which run an SMS came from. So one run of an account sends at a time on a machine, and the next
one counts what the last one sent. Nothing is written here while a run sends: its run file knows, and is read when the
run ends, or by the next run if it was cut off.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import orjson
import platformdirs

from bulksend.errors import OwnedError, UsageError
from bulksend.model import Recipient
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.file import RECENT_SENDS, Owner, explained

FOLDER_VARIABLE = "BULKSEND_STATE_DIR"

_VERSION = 1
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
        sends: (recipient, parts, messages, time) of other runs' recent sends.
        blind: whether a run was cut off and its run file is gone, so that its last sends are not known.
    """

    sends: list[tuple[Recipient, int, int, float]]
    blind: bool


class Account:
    """The state of one account on this machine, held by one process at a time.

    Args:
        base_url: the API's address.
        org_id: the organization; with the address it is the account.

    Raises:
        OwnedError: another process is sending for this account; the sentence says which.
        RunFileError: the state cannot be written.
        UsageError: its folder cannot be made.
    """

    def __init__(self, base_url: str, org_id: int, run: Path) -> None:
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{base_url.partition('://')[2]}-{org_id}")
        folder = state_folder()
        self._run = run.resolve()
        self._lock = _lock(folder / f"{name}.lock", base_url, org_id)
        self._lock.write(orjson.dumps({"owner": asdict(Owner.now(time.time())), "run": str(self._run)}))
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

    def begin(self, plan_id: str, *, since: float, now: float) -> Earlier:
        """Note that a run begins, and tell what others have sent at ``since`` or later."""
        with explained(self._path):
            left = self._db.execute("SELECT plan_id, run FROM active").fetchone()
            # A run that goes on after a kill knows its own sends.
            blind = left is not None and left[0] != plan_id and not self._absorb(left[0], Path(left[1]), since, now)
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM active")
            self._db.execute("INSERT INTO active VALUES (?, ?)", [plan_id, str(self._run)])
            self._db.execute("DELETE FROM sends WHERE ended_at < ?", [since])
            self._db.execute("COMMIT")
            sql = "SELECT recipient, parts, messages, ended_at FROM sends WHERE plan_id <> ? ORDER BY ended_at"
            return Earlier(self._db.execute(sql, [plan_id]).fetchall(), blind)

    def lend_numbers(self) -> None:
        """Tell the run file the numbers of its contacts, as far as they are known."""
        with explained(self._run), closing(sqlite3.connect(self._run, isolation_level=None)) as run:
            run.execute("ATTACH ? AS account", [str(self._path)])
            run.execute(
                """INSERT OR IGNORE INTO main.numbers SELECT contact, number FROM account.numbers WHERE contact IN
                   (SELECT recipient FROM main.messages WHERE typeof(recipient) = 'integer')"""
            )

    def end(self, plan_id: str, *, since: float, now: float) -> None:
        """Remember what the run sent at ``since`` or later and what it learned; it has ended."""
        with explained(self._path):
            if self._absorb(plan_id, self._run, since, now):
                self._db.execute("DELETE FROM active")

    def close(self) -> None:
        """Let the next run of this account begin."""
        self._db.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _absorb(self, plan_id: str, run: Path, since: float, now: float) -> bool:
        """Take over what a run file knows; False if it is gone, or is another run's by now."""
        if not run.is_file():
            return False
        try:
            self._db.execute("ATTACH ? AS run", [str(run)])
        except sqlite3.Error:
            return False
        try:
            facts = self._db.execute("SELECT value FROM run.facts WHERE name = 'plan'").fetchone()
            if facts is None or orjson.loads(facts[0]).get("plan_id") != plan_id:
                return False
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM main.sends WHERE plan_id = ?", [plan_id])
            self._db.execute(
                f"INSERT INTO main.sends SELECT :plan_id, * FROM ({RECENT_SENDS.format(run='run')})",
                {"plan_id": plan_id, "since": since, "now": now},
            )
            self._db.execute("INSERT OR REPLACE INTO main.numbers SELECT contact, number FROM run.numbers")
            self._db.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            return False
        finally:
            self._db.execute("DETACH run")
        return True


def state_folder() -> Path:
    """The folder of what outlives a run: BULKSEND_STATE_DIR, or the user's own state directory.

    Raises:
        UsageError: it cannot be made.
    """
    given = os.environ.get(FOLDER_VARIABLE)
    folder = Path(given) if given else platformdirs.user_state_path("bulksend")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder}: the state folder cannot be made ({error.strerror}); name another with {FOLDER_VARIABLE}"
        ) from error
    return folder


def _lock(path: Path, base_url: str, org_id: int) -> FileLock:
    try:
        return FileLock(path)
    except OwnedError as error:
        raise OwnedError(
            f"another run is sending for organization {org_id} at {base_url}{_named(path)}: one at a time, so that no "
            "phone gets too many; --wait waits for it"
        ) from error


def _named(path: Path) -> str:
    try:
        held = orjson.loads(path.read_bytes())
        return f" ({Owner(**held['owner'])}, run {held['run']})"
    except (OSError, LookupError, ValueError, TypeError):
        return ""
