"""How many requests at once an account's server took well the last time: where the next run begins."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.accounts import account_name
from bulksend.runs.paths import state_path
from bulksend.runs.sqlite import explained


def held(base_url: str, org_id: int) -> int:
    """So many requests at once were well; 0 if nobody knows."""
    path = _path(base_url, org_id)
    if not path.exists():
        return 0
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT coalesce(max(held), 0) FROM pace").fetchone()[0])
    return 0


def hold(base_url: str, org_id: int, requests: int) -> None:
    """Remember that so many were well; of 0, which shows nothing, nothing. If that fails, it is not known."""
    path = _path(base_url, org_id)
    if not requests or not path.exists():
        return
    with suppress(RunFileError, UsageError), explained(path), closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS pace (held INTEGER NOT NULL)")
        db.execute("DELETE FROM pace")
        db.execute("INSERT INTO pace VALUES (?)", [requests])


def _path(base_url: str, org_id: int) -> Path:
    """The account's own file, which is there once something was sent."""
    return state_path() / f"{account_name(base_url, org_id)}.sqlite"
