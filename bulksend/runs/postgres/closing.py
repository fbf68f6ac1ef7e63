"""How a run in a database is closed: the SQL, inside the caller's transaction."""

from __future__ import annotations

from bulksend.model import Event, Status
from bulksend.runs import life
from bulksend.runs.postgres import kept
from bulksend.runs.postgres.connecting import plain
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import STEPS

# What an attempt has shown is of use to whoever mends the row.
_CLOSE = f"""
INSERT INTO send (run, row, state, attempts, started_at, error)
SELECT run, row, '{STEPS[Event.CLOSED].after}', 0, %(at)s, %(says)s FROM message
WHERE run = %(run)s AND status = '{Status.PENDING}'
ON CONFLICT (run, row) DO UPDATE SET {life.after(Event.CLOSED, table="send.")},
    error = excluded.error || coalesce('; before that: ' || nullif(send.error, ''), '')
WHERE {life.can_be(Event.CLOSED, "send.")}
"""


def close(of: Reader, says: str, at_s: float) -> None:
    """Do what `OwnRun.close_rows` says."""
    of.db.execute(_CLOSE, {"run": of.run, "at": at_s, "says": plain(says)})
    kept.note(of.db, of.run, "closed", at_s)
