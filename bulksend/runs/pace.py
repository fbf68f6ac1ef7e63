"""What an account's server took well the last time, at once and a second: where the next run begins.

How many a second it lets through is forgotten after a week. It belongs to a contract, which seldom changes, so that
weekly campaigns begin near it; but it was shared with whoever sent then, and may have been raised since: after a longer
time a search of seconds costs less than to climb from what is no longer true.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.accounts import account_name
from bulksend.runs.paths import state_path
from bulksend.runs.sqlite import explained
from bulksend.sending import LastPace

RATE_KEPT_S = 7 * 86_400.0


def last_pace(base_url: str, org_id: int, wall_s: float) -> LastPace:
    """What was well, as far as anybody knows."""
    path = _path(base_url, org_id)
    if not path.exists():
        return LastPace()
    uri, at_once, rate = f"{path.resolve().as_uri()}?mode=ro", 0, 0.0
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as db:
        at_once = int(db.execute("SELECT coalesce(max(held), 0) FROM pace").fetchone()[0])
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as db:
        of_late = db.execute("SELECT coalesce(max(rate), 0) FROM pace_rate WHERE at > ?", [wall_s - RATE_KEPT_S])
        rate = float(of_late.fetchone()[0])
    return LastPace(at_once, rate)


def keep_pace(base_url: str, org_id: int, what: LastPace, wall_s: float) -> None:
    """Remember what was well; of 0, which shows nothing, nothing. If that fails, it is not known."""
    path = _path(base_url, org_id)
    if not any(what) or not path.exists():
        return
    with suppress(RunFileError, UsageError), explained(path), closing(sqlite3.connect(path)) as db, db:
        if what.at_once:
            db.execute("CREATE TABLE IF NOT EXISTS pace (held INTEGER NOT NULL)")
            db.execute("DELETE FROM pace")
            db.execute("INSERT INTO pace VALUES (?)", [what.at_once])
        if what.rate:
            db.execute("CREATE TABLE IF NOT EXISTS pace_rate (rate REAL NOT NULL, at REAL NOT NULL)")
            db.execute("DELETE FROM pace_rate")
            db.execute("INSERT INTO pace_rate VALUES (?, ?)", [what.rate, wall_s])


def _path(base_url: str, org_id: int) -> Path:
    """The account's own file, which is there once something was sent."""
    return state_path() / f"{account_name(base_url, org_id)}.sqlite"
