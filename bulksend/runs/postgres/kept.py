"""What a run in a database keeps of itself as a whole: name and value, inside the caller's transaction."""

from __future__ import annotations

from typing import Any

import orjson

from bulksend.runs.postgres.connecting import Db


def note(db: Db, run: int, name: str, value: object) -> None:
    """Keep a value under a name, as JSON."""
    db.execute(
        "INSERT INTO fact VALUES (%s, %s, %s) ON CONFLICT (run, name) DO UPDATE SET value = excluded.value",
        [run, name, orjson.dumps(value).decode()],
    )


def read(db: Db, run: int, name: str) -> Any:
    """A value by its name; None if there is none."""
    found = db.execute("SELECT value FROM fact WHERE run = %s AND name = %s", [run, name]).fetchone()
    return None if found is None else orjson.loads(found[0])


def forget(db: Db, run: int, *names: str) -> None:
    """Keep nothing under these names any more."""
    db.execute("DELETE FROM fact WHERE run = %s AND name = ANY(%s)", [run, list(names)])
