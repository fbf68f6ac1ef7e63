"""What the owner of a run in a database notes of it as a whole, inside the caller's transaction."""

from __future__ import annotations

from typing import Any

from bulksend.runs.ends import End
from bulksend.runs.owner import Owner
from bulksend.runs.postgres import bounds, kept, queries, stops
from bulksend.runs.postgres.reader import Reader

_BEGUN_TO = """
SELECT m.row FROM message m LEFT JOIN send s ON s.run = m.run AND s.row = m.row AND s.row > %(begun_to)s
WHERE m.run = %(run)s AND m.row > %(begun_to)s AND m.status = 'pending' AND s.row IS NULL ORDER BY m.row LIMIT 1
"""
_LAST = "SELECT coalesce(max(row), 0) FROM message WHERE run = %(run)s"
# In one statement, for others note theirs at the same time. An even turn is a proof's loss.
_TURN = """
INSERT INTO fact VALUES (%(run)s, 'turn', %(turn)s::integer) ON CONFLICT (run, name) DO UPDATE SET value = CASE
    WHEN fact.value::integer < %(turn)s THEN excluded.value
    WHEN %(turn)s %% 2 = 0 AND fact.value::integer %% 2 = 1 THEN (fact.value::integer + 1)::text
    ELSE fact.value END
"""
_FIRST_TRIED = "SELECT min(started_at) FROM send WHERE run = %(run)s AND attempts > 0"


def owner(of: Reader, now: Owner) -> None:
    """Note who has the run."""
    _note(of, "owner", now.kept)


def start(of: Reader, epoch: int, at_s: float) -> None:
    """Do what `OwnRun.note_start` says; what limited the run, and why it ended for all, was of another start."""
    before = _read(of, "started")
    first = before[0] if before else of.first(_FIRST_TRIED)[0]
    _note(of, "started", [at_s if first is None else first, epoch])
    ended = _read(of, "end")
    if ended is not None and ended[0] == epoch:
        kept.forget(of.db, of.run, "end")
    stops.forget(of.db, of.run)
    bounds.forget(of)


def end(of: Reader, epoch: int, how: End) -> None:
    """Do what `OwnRun.note_end` says."""
    _note(of, "end", [epoch, how.reason, how.says, how.at_s])
    kept.forget(of.db, of.run, "progress")


def progress(of: Reader, epoch: int, words: str) -> None:
    """Do what `Journal.note_progress` says."""
    _note(of, "progress", [epoch, words])


def results(of: Reader, path: str) -> None:
    """Do what `OwnRun.note_results` says."""
    before = _read(of, "results") or []
    if path not in before:
        _note(of, "results", [*before, path])


def asked_at(of: Reader, epoch: int) -> float | None:
    """When somebody asked the owner of this epoch to end, by the database's clock; None if nobody did."""
    found = _read(of, "asked to end")
    return float(found[1]) if found is not None and found[0] == epoch else None


def turn(of: Reader, of_proof: int) -> None:
    """Note how far the turns of `bulksend.sending.Proof` have come; a loss ends also what others have found since."""
    of.db.execute(_TURN, {"run": of.run, "turn": of_proof})


def keyed(of: Reader, *, is_keyed: bool) -> None:
    """Note that messages go with or without a clientDedup; once one had a key, that stays."""
    if is_keyed or _read(of, "keyed") is None:
        _note(of, "keyed", int(is_keyed))


def limited(of: Reader, *, is_limited: bool) -> None:
    """Note that a command is about to send with or without a limit; once one had none, that stays."""
    if not is_limited:
        _note(of, "limited", 0)
    elif _read(of, "limited") is None and not queries.has_begun(of):
        _note(of, "limited", 1)


def advance(of: Reader) -> None:
    """Note up to which row every message has been begun once, so that whoever goes on need not look at all of them."""
    begun_to = int(_read(of, "begun to") or 0)
    found = of.first(_BEGUN_TO, begun_to=begun_to)
    to = found[0] - 1 if found else of.first(_LAST)[0]
    if to != begun_to:
        _note(of, "begun to", to)


def _note(of: Reader, name: str, value: object) -> None:
    kept.note(of.db, of.run, name, value)


def _read(of: Reader, name: str) -> Any:
    return kept.read(of.db, of.run, name)
