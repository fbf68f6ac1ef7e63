"""Numbers, texts and cells are taken out of a run file, for good: out of its tables first, then out of every byte.

What is left says how many, when, how it ended and what it cost. A file whose purge was cut off says so.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import orjson

from bulksend.errors import OwnedError, RunFileError
from bulksend.planning import Findings
from bulksend.runs.ends import Purge
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite import kept, receipts
from bulksend.runs.sqlite.schema import draft_of

_NAME = "purged"  # of the fact: since when, and whether all of it is done

# Errors and remarks quote cells, and answers name the recipient.
FORGET = {
    "messages": "UPDATE messages SET recipient = NULL, sender = NULL, text = '', error = '', cells = '[]'",
    "sends": "UPDATE sends SET error = NULL, answer = json_set(answer, '$.to', '', '$.contactId', NULL)",
    "repeats": "DELETE FROM repeats",
    "numbers": "DELETE FROM numbers",
    "copies": "DELETE FROM copies",
    "facts": """UPDATE facts SET value = CASE name WHEN 'end' THEN json_set(value, '$[2]', '') END
        WHERE name IN ('end', 'progress')""",
}
"""What is done to each table; beside that, the facts of the plan and its findings are written anew."""


def purge(db: sqlite3.Connection) -> Purge | None:
    """That the run was purged; None if it was not."""
    value = kept.read(db, _NAME)
    if value is None:
        return None
    at_s, is_whole = orjson.loads(value)
    return Purge(at_s, bool(is_whole))


def forget(db: sqlite3.Connection, wall_s: float) -> None:
    """Take what is personal out of the tables, inside the caller's transaction."""
    before = purge(db)
    facts = replace(kept.plan(db), template=None, only=(), skip=())
    findings = Findings(rates=kept.findings(db).rates)
    for statement in FORGET.values():
        db.execute(statement)
    receipts.forget(db)
    kept.note(db, "plan", orjson.dumps(facts))
    kept.note(db, "findings", orjson.dumps(findings))
    kept.note(db, _NAME, orjson.dumps([before.at_s if before else wall_s, False]).decode())


def rewrite(db: sqlite3.Connection, path: Path) -> None:
    """Write the file anew, so that nothing is left of what was taken out; empty its log, remove a killed plan's draft.

    Raises:
        RunFileError: somebody reads it meanwhile, so that the log cannot be emptied.
    """
    draft = draft_of(path)
    if draft.exists():
        with suppress(OwnedError), FileLock(draft):  # or else somebody plans anew
            draft.unlink()
    db.execute("VACUUM")
    (is_busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise RunFileError(
            f"{path}: another process is reading this run, whose log may still hold what was purged: purge it once "
            "more after that"
        )


def note_whole(db: sqlite3.Connection) -> None:
    """Note that nothing is left, inside the caller's transaction."""
    found = purge(db)
    if found is not None:
        kept.note(db, _NAME, orjson.dumps([found.at_s, True]).decode())
