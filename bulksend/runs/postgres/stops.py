"""A run's end, for all processes that send it: the first reason counts; inside the caller's transaction."""

from __future__ import annotations

from typing import Any

from bulksend.runs.postgres.connecting import Db, plain
from bulksend.sending import ErrorLimit, Stop, StopReason

TOLD = "(SELECT to_json(stop) FROM stop WHERE stop.run = run.id)"
"""What `told` reads, of a ``run``."""


def note(db: Db, run: int, stop: Stop) -> None:
    """The run ends for all."""
    limit = None if stop.limit is None else str(stop.limit)
    db.execute(
        "INSERT INTO stop VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [run, stop.reason, plain(stop.says), stop.unsent, stop.done, limit],
    )


def told(found: dict[str, Any] | None) -> Stop | None:
    """Why it ends; None if it goes on."""
    if found is None:
        return None
    limit = None if found["allowed"] is None else ErrorLimit.parse(found["allowed"])
    return Stop(StopReason(found["reason"]), found["says"], found["unsent"], found["done"], limit)


def forget(db: Db, run: int) -> None:
    """It goes on."""
    db.execute("DELETE FROM stop WHERE run = %s", [run])
