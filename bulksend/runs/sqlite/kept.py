"""What a run file keeps of itself as a whole: name and value, inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import orjson

from bulksend.errors import OwnedError, UsageError
from bulksend.model import Status
from bulksend.planning import Findings
from bulksend.runs import kept, life
from bulksend.runs.clock import Clock
from bulksend.runs.ends import End, Spell
from bulksend.runs.facts import Facts
from bulksend.runs.owner import Owner
from bulksend.runs.states import State


def plan(db: sqlite3.Connection) -> Facts:
    """What the plan was made of.

    Raises:
        UsageError: there is no whole plan.
    """
    value = read(db, "plan")
    if value is None:
        raise UsageError("this run file holds no whole plan: plan anew")
    return kept.facts(orjson.loads(value))


def findings(db: sqlite3.Connection) -> Findings:
    """What planning found."""
    return kept.findings(orjson.loads(read(db, "findings")))


def counts(db: sqlite3.Connection) -> dict[Status, int]:
    """How many rows the plan has of each status."""
    return kept.counts(orjson.loads(read(db, "counts")))


def owner(db: sqlite3.Connection) -> Owner | None:
    """Who has the run or had it last; None if nobody, or if that ended in order."""
    value = read(db, "owner")
    return Owner.read(value) if value else None


def token(db: sqlite3.Connection) -> str | None:
    """What tells the last owner's time from all others; None in a file that nobody took over yet."""
    value = read(db, "token")
    return None if value is None else str(value)


def epoch(db: sqlite3.Connection) -> int:
    """How often the run was taken over."""
    return int(read(db, "epoch") or 0)


def check_epoch(db: sqlite3.Connection, own_epoch: int, path: Path) -> None:
    """See that nobody else has taken the run over.

    Raises:
        OwnedError: somebody has.
    """
    if epoch(db) != own_epoch:
        raise OwnedError(f"{path}: another bulksend process has taken this run over")


def spell(db: sqlite3.Connection) -> Spell:
    """From when to when the run was sent; before versions that kept it, only when its first message began."""
    started = read(db, "started")
    if started is None:
        (first,) = db.execute("SELECT min(started_at) FROM sends WHERE attempts > 0").fetchone()
        return Spell(first)
    ended = read(db, "end")
    has_it = owner(db)
    is_held = has_it is not None and not has_it.is_gone
    return kept.spell(orjson.loads(started), orjson.loads(ended) if ended else None, epoch(db), is_held=is_held)


def note_start(db: sqlite3.Connection, wall_s: float) -> None:
    """Note that the present owner sends the run from now on."""
    before = read(db, "started")
    first = orjson.loads(before)[0] if before else spell(db).started_at
    note(db, "started", orjson.dumps([wall_s if first is None else first, epoch(db)]).decode())
    db.execute("DELETE FROM facts WHERE name = 'end' AND json_extract(value, '$[0]') = ?", [epoch(db)])


def note_end(db: sqlite3.Connection, end: End) -> None:
    """Note how that ended."""
    note(db, "end", orjson.dumps([epoch(db), end.reason, end.says, end.at_s]).decode())
    db.execute("DELETE FROM facts WHERE name = 'progress'")


def results_at(db: sqlite3.Connection) -> list[str]:
    """Where the run's results were written to."""
    found: list[str] = orjson.loads(read(db, "results") or "[]")
    return found


def note_results(db: sqlite3.Connection, path: str) -> None:
    """Note where the run's results are about to be written."""
    before = results_at(db)
    if path not in before:
        note(db, "results", orjson.dumps([*before, path]).decode())


def asked_at(db: sqlite3.Connection, own_epoch: int) -> float | None:
    """When somebody asked the owner of this epoch to end, in seconds since 1970; None if nobody did."""
    value = read(db, "asked to end")
    if value is None:
        return None
    asked_epoch, at_s = orjson.loads(value)
    return float(at_s) if asked_epoch == own_epoch else None


def progress(db: sqlite3.Connection) -> str | None:
    """Where the last owner's send stands, as that noted it; None if it noted nothing, or that send has ended."""
    value = read(db, "progress")
    if value is None:
        return None
    its_epoch, words = orjson.loads(value)
    return str(words) if its_epoch == epoch(db) else None


def note_progress(db: sqlite3.Connection, own_epoch: int, words: str) -> None:
    """Note where the send stands."""
    note(db, "progress", orjson.dumps([own_epoch, words]).decode())


def turn(db: sqlite3.Connection) -> int:
    """How far the turns of `Proof` have come; format 2 only knew that a proof was found."""
    return int(read(db, "turn") or read(db, "dedup proven") or 0)


def is_keyed(db: sqlite3.Connection) -> bool:
    """Whether any of its messages carried a clientDedup; as long as nothing was sent, they will."""
    return bool(read(db, "keyed") in (None, 1))


def note_keyed(db: sqlite3.Connection, *, keyed: bool) -> None:
    """Note that messages go with or without a clientDedup; once one had a key, that stays."""
    if keyed or read(db, "keyed") is None:
        note(db, "keyed", int(keyed))


def is_limited(db: sqlite3.Connection) -> bool:
    """Whether only commands with a limit have sent anything of it."""
    return bool(read(db, "limited") == 1)


def note_limited(db: sqlite3.Connection, *, limited: bool) -> None:
    """Note that a command is about to send with or without a limit; once one had none, that stays."""
    if not limited:
        note(db, "limited", 0)
    elif read(db, "limited") is None and not has_begun(db):
        note(db, "limited", 1)


def has_begun(db: sqlite3.Connection) -> bool:
    """Whether a message may have been accepted, by this run or by another under its campaign; or it was closed."""
    ended = f"'{State.SKIPPED}', '{State.CLOSED}'"
    sql = f"SELECT 1 FROM sends WHERE {life.may_have_arrived()} OR state IN ({ended}) LIMIT 1"
    return db.execute(sql).fetchone() is not None


def first_unfinished(db: sqlite3.Connection) -> int:
    """A row before which there is nothing to send."""
    (unfinished,) = db.execute(f"SELECT min(row) FROM sends WHERE {life.is_to_send()}").fetchone()
    untried = int(read(db, "begun to") or 0) + 1
    return min(untried, unfinished or untried)


def advance(db: sqlite3.Connection) -> None:
    """Note up to which row every message has been begun once, so that whoever goes on need not look at all of them."""
    begun_to = int(read(db, "begun to") or 0)
    sql = """SELECT m.row FROM messages m LEFT JOIN sends s ON s.row = m.row
             WHERE m.row > ? AND m.status = 'pending' AND s.row IS NULL ORDER BY m.row LIMIT 1"""
    found = db.execute(sql, [begun_to]).fetchone()
    to = found[0] - 1 if found else db.execute("SELECT coalesce(max(row), 0) FROM messages").fetchone()[0]
    if to != begun_to:
        note(db, "begun to", to)


def take_over(db: sqlite3.Connection, now: Owner, new_token: str, clock: Clock | None) -> int:
    """Note a new owner, and how the clock stands; its epoch."""
    if clock is not None:
        lowest, highest = read_clock(db), read_clock(db, "highest clock")
        note(db, "highest clock", orjson.dumps(list(clock.or_after(highest).or_after(lowest))).decode())
        note(db, "clock", orjson.dumps(list(clock.or_before(lowest))).decode())
    new_epoch = epoch(db) + 1
    db.execute("DELETE FROM facts WHERE name IN ('cut off', 'whole')")
    note(db, "epoch", new_epoch)
    note(db, "token", new_token)
    note(db, "owner", orjson.dumps(now.kept).decode())
    return new_epoch


def read_clock(db: sqlite3.Connection, name: str = "clock") -> Clock | None:
    """The lowest way in which the clock stood at a take-over since the machine started; None if that was not kept."""
    value = read(db, name)
    return None if value is None else Clock(*orjson.loads(value))


def spread_s(db: sqlite3.Connection) -> float:
    """How far apart two times may stand that were noted at the same moment, for the clock was set between them."""
    lowest, highest = read_clock(db), read_clock(db, "highest clock")
    return 0.0 if lowest is None or highest is None else highest.started_at - lowest.started_at


def behind_s(db: sqlite3.Connection, clock: Clock | None) -> float:
    """By how much what began earlier may be older than its time says, for the clock was set back since."""
    return 0.0 if clock is None else clock.or_after(read_clock(db, "highest clock")).started_at - clock.started_at


def give_up(db: sqlite3.Connection, *, is_settled: bool) -> None:
    """Note that nobody has the run any more, and whether intents are left without an outcome."""
    note_whole(db)
    db.execute("DELETE FROM facts WHERE name = 'owner'")
    if not is_settled:
        note(db, "cut off", 1)


def is_whole(db: sqlite3.Connection) -> bool:
    """Whether the last note of all is among these: no owner has begun a log since."""
    return read(db, "whole") is not None


def note_whole(db: sqlite3.Connection) -> None:
    """Note that nothing is noted after this, until an owner takes that back."""
    db.execute("INSERT OR IGNORE INTO facts VALUES ('whole', 1)")


def may_be_in_flight(db: sqlite3.Connection) -> bool:
    """Whether intents may be without an outcome: somebody has the run, or did not give it up in order."""
    return owner(db) is not None or read(db, "cut off") is not None


def is_cut_off(db: sqlite3.Connection) -> bool:
    """Whether the last owner is gone and may have left intents without an outcome."""
    last = owner(db)
    return read(db, "cut off") is not None if last is None else last.is_gone


def note(db: sqlite3.Connection, name: str, value: object) -> None:
    """Keep a value under a name."""
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [name, value])


def read(db: sqlite3.Connection, name: str) -> Any:
    """A value by its name; None if there is none."""
    found = db.execute("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
    return found[0] if found else None
