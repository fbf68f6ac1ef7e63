"""Numbers, texts and cells are taken out of a run in a database: out of its rows, and then out of their old versions.

What the database wrote of them elsewhere, in its log and in backups, is for whoever runs it to let go of.
"""

from __future__ import annotations

from dataclasses import replace

from bulksend.planning import Findings
from bulksend.runs import kept as told
from bulksend.runs.postgres import kept
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.reader import Reader

_PURGED = "purged"  # of the fact: since when, and whether all of it is done

# Errors and remarks quote cells, and answers name the recipient.
FORGET = {
    "send": """UPDATE send SET error = NULL, answer = answer || '{"to": "", "contactId": null}' WHERE run = %s""",
    "receipt": "UPDATE receipt SET error = '' WHERE run = %s",
    "repeat": "DELETE FROM repeat WHERE run = %s",
    "landed": "DELETE FROM landed WHERE run = %s",
    "number": "DELETE FROM number WHERE run = %s",
    "message": """UPDATE message SET phone = NULL, contact = NULL, shard = NULL, sender = NULL, text = '', error = '',
        cells = '[]' WHERE run = %s""",
    "copy": "DELETE FROM copy WHERE run = %s",
    "carried": "DELETE FROM carried WHERE run = %s",
    "fact": "DELETE FROM fact WHERE run = %s AND name = 'progress'",
}
"""What is done to each table, in the order in which all lock them; beside that, some facts are written anew."""


def forget(of: Reader, at_s: float) -> None:
    """Take what is personal out of the rows, inside the caller's transaction."""
    db, run = of.db, of.run
    facts = replace(told.facts(kept.read(db, run, "plan")), template=None, only=(), skip=())
    findings = Findings(rates=told.findings(kept.read(db, run, "findings")).rates)
    before, end = kept.read(db, run, _PURGED), kept.read(db, run, "end")
    for statement in FORGET.values():
        db.execute(statement, [run])
    if end is not None:
        epoch, reason, _, ended_s = end
        kept.note(db, run, "end", [epoch, reason, "", ended_s])
    kept.note(db, run, "plan", facts)
    kept.note(db, run, "findings", findings)
    kept.note(db, run, _PURGED, [before[0] if before else at_s, False])


def clean(db: Db) -> None:
    """Have the database let go of the rows as they were, as soon as nobody reads them any more."""
    db.execute(f"VACUUM {', '.join(FORGET)}")


def note_whole(of: Reader) -> None:
    """Note that nothing is left, inside the caller's transaction."""
    at_s, _ = kept.read(of.db, of.run, _PURGED)
    kept.note(of.db, of.run, _PURGED, [at_s, True])
