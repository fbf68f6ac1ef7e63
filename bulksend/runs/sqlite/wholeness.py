"""Whether a run file is whole, and how far its last owner came: its log, its intents, its mark of departures."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.paths import state_path
from bulksend.runs.sqlite import departures, kept
from bulksend.runs.sqlite.log import log_of, misses_log
from bulksend.runs.sqlite.schema import OLDEST_FORMAT, is_run_file

_LOOKS = 5
_PAUSE_S = 0.02


def check_whole(path: Path) -> None:
    """See that a run file's log is there, if what was noted last stands in it.

    Raises:
        UsageError: it is not.
    """
    for _ in range(_LOOKS):
        if not _lacks_log(path):
            return
        time.sleep(_PAUSE_S)
    log = log_of(path)
    raise UsageError(
        f"{path}: a part of this run is missing: what it noted last stands in a file called {log.name}, "
        f"which was beside it and was not moved or copied along: put that into {log.parent} as well"
    )


def check_told(db: sqlite3.Connection, path: Path) -> None:
    """See that a file says itself that it is not whole without its log from now on, for it may be moved without it.

    Raises:
        RunFileError: it does not, because somebody reads it.
    """
    is_busy, noted, brought = db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    if is_busy or noted != brought:
        raise RunFileError(f"{path}: another process has been reading this run for long: try again after it")


def _lacks_log(path: Path) -> bool:
    """Whether it seems so; an owner that came and went between a look at it and one at its log is seen as that."""
    if not misses_log(path) or not is_run_file(path):
        return False
    with suppress(sqlite3.DatabaseError):  # what is wrong with it will be told when it is opened
        # Told that nobody writes it, SQLite makes no new log beside the file.
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
            return not kept.is_whole(db) and not _holds_all_that_left(db) and misses_log(path)
    return False


def _holds_all_that_left(db: sqlite3.Connection) -> bool:
    """Whether every intent of the last owner that may have left stands in the file itself.

    So it is where some other program has opened a killed run, and brought the log into the file.
    """
    reached, last = left_to(db), kept.owner(db)
    if reached is None or last is None:
        return False
    (noted,) = db.execute("SELECT max(ticket) FROM sends WHERE started_at >= ?", [last.since]).fetchone()
    return (noted or 0) >= reached


def epoch_gone(db: sqlite3.Connection, version: int) -> int | None:
    """The epoch whose owner may have left rows in flight and is gone; None if there is none such.

    In format 2 an owner that ended in order did not say whether it did.
    """
    is_gone = kept.is_cut_off(db) or (version == OLDEST_FORMAT and kept.owner(db) is None)
    return kept.epoch(db) if is_gone else None


def left_to(db: sqlite3.Connection) -> int | None:
    """The last ticket of the run's last owner that may have left; None if nobody knows."""
    token = kept.token(db)
    return None if token is None else departures.left_to(departures_of(db), token)


def departures_of(db: sqlite3.Connection) -> Path:
    """Where the mark lies of how far a run's intents have left."""
    return state_path() / "departures" / sha256(kept.plan(db).plan_id.encode()).hexdigest()
