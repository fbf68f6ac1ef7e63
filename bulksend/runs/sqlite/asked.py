"""Somebody elsewhere asks the owner of a run file to end: noted beside the owner, who looks at it now and then.

The note names the owner's epoch, so that it ends nobody who comes later. Whoever notes it keeps a reader of the file
open: SQLite brings a log in when the last one closes who may write, and of a killed owner's log that is for the next
owner to do.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson

from bulksend.errors import RunFileError
from bulksend.runs.lock import network_kind
from bulksend.runs.owner import Asked, Owner
from bulksend.runs.sqlite import kept
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.sqlite.schema import explained, transaction

_BUSY_MS = 10_000  # a group commit takes a moment, on a slow disk longer


def ask_to_end(path: Path, wall_s: float) -> Asked | None:
    """Ask whoever has a run file for sending to end in order; None if nobody has it.

    Raises:
        UsageError: there is no such run file, or it is of a newer version.
        RunFileError: it cannot be read or written; or the owner is another machine's, where notes do not meet.
    """
    with SqliteRun.open(path) as run:
        owner = run.owner
        if owner is None or owner.is_gone:
            return None
        if not owner.is_of_this_machine and (kind := network_kind(path)):
            raise RunFileError(f"{path}: it lies on a network file system ({kind}), and {owner}, has it: ask there")
        with explained(path), closing(sqlite3.connect(_writable(path), uri=True, isolation_level=None)) as db:
            db.executescript(f"PRAGMA busy_timeout = {_BUSY_MS}; PRAGMA wal_autocheckpoint = 0;")
            return _ask(db, owner, wall_s)


def _ask(db: sqlite3.Connection, owner: Owner, wall_s: float) -> Asked | None:
    with transaction(db):
        if kept.owner(db) != owner:  # it has ended meanwhile
            return None
        before = kept.asked_at(db, kept.epoch(db))
        if before is None:
            kept.note(db, "asked to end", orjson.dumps([kept.epoch(db), wall_s]).decode())
        return Asked(owner, wall_s if before is None else before, is_anew=before is not None)


def _writable(path: Path) -> str:
    return f"{path.resolve().as_uri()}?mode=rw"
