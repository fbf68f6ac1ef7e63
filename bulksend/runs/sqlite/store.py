"""The SQL by which a run file takes notes: plain synchronous calls inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from bulksend.errors import OwnedError, RunFileError
from bulksend.model import Answer, Attempt, Event, Message, Outcome, Queued, Recipient
from bulksend.runs.sqlite import life
from bulksend.runs.sqlite.file import (
    RECENT_SENDS,
    Owner,
    PlanFacts,
    advance,
    check_format,
    explained,
    first_unfinished,
    read_facts,
)
from bulksend.runs.states import State

_TO_SEND = f"(s.row IS NULL OR {life.is_to_send('s.')})"
_ENDS = (Event.ACCEPTED, Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.DOUBTED, Event.CALLED_OFF)

INTERRUPTED = "bulksend was cut off while this attempt was under way"

_LAST_ROW = 2**62
_ADVANCED_AT = 100_000  # rows

# A contact's number, where it is known; TEXT and INTEGER must not meet, or a number could pass for a contact's id.
_NUMBER = "LEFT JOIN numbers n ON typeof({0}.recipient) = 'integer' AND n.contact = {0}.recipient"
_CLAIM = f"""
SELECT json_group_array(json_array(row, who, slots)) FROM (
    SELECT m.row, coalesce(n.number, m.recipient) AS who, {{slots}} AS slots FROM messages m
    LEFT JOIN sends s ON s.row = m.row {_NUMBER.format("m")}
    WHERE m.row > ? AND m.row <= ? AND m.status = 'pending' AND {_TO_SEND}
    ORDER BY m.row LIMIT ?)
"""
_NTH_PENDING = f"""
SELECT m.row FROM messages m LEFT JOIN sends s ON s.row = m.row
WHERE m.row >= ? AND m.status = 'pending' AND {_TO_SEND} ORDER BY m.row LIMIT 1 OFFSET ?
"""
_CROWDED = f"""
SELECT m.row, coalesce(n.number, m.recipient), {{slots}} FROM repeats m LEFT JOIN sends s ON s.row = m.row
{_NUMBER.format("m")} WHERE m.recipient = ? AND m.row <= ? AND {_TO_SEND} ORDER BY m.row
"""
_UNSETTLED = f"""
SELECT m.row, coalesce(n.number, m.recipient), {{slots}} FROM sends s JOIN messages m ON m.row = s.row
{_NUMBER.format("m")} WHERE {life.is_unsettled("s.")} AND s.doubt_since >= ? ORDER BY m.row
"""
# The WHERE is the last guard against a double send: a row that was accepted, or is on its way, cannot begin again.
_BEGIN = f"""
INSERT INTO sends (row, state, attempts, started_at, ticket)
SELECT value, '{State.IN_FLIGHT}', 1, ?, ? + key FROM json_each(?) WHERE true
ON CONFLICT (row) DO UPDATE SET {life.after(Event.BEGUN)}, attempts = attempts + 1,
    started_at = excluded.started_at, ticket = excluded.ticket, ended_at = NULL
WHERE {life.can_be(Event.BEGUN, "sends.")}
"""
_BODIES = """
SELECT json_group_array(json_array(
    m.row, m.recipient, m.sender, m.text, m.parts, m.price, s.attempts, s.doubt_since IS NOT NULL, s.ticket
)) FROM json_each(?) wanted JOIN messages m ON m.row = wanted.value JOIN sends s ON s.row = wanted.value
"""
# One statement for a whole group, here and in _BODIES and _CLAIM: each step of a statement gives the interpreter's lock
# away and has to win it back from a busy event loop.
_SETTLE = f"""
UPDATE sends SET {life.after(*_ENDS, which="done.event")},
    attempts = attempts - (done.event = '{Event.CALLED_OFF}'), ended_at = done.ended_at,
    http_status = done.http_status, error = done.error, answer = done.answer, charged = done.charged
FROM (
    SELECT json_extract(value, '$[0]') AS row,
        json_extract(value, '$[1]') AS event,
        json_extract(value, '$[2]') AS ended_at,
        json_extract(value, '$[3]') AS http_status,
        json_extract(value, '$[4]') AS error,
        json_extract(value, '$[5]') AS charged,
        json_extract(value, '$[6]') AS answer
    FROM json_each(?)
) done WHERE sends.row = done.row AND sends.state = '{State.IN_FLIGHT}'
"""
_FOUND = f"""
UPDATE sends SET {life.after(Event.FOUND)}, ended_at = ?, answer = ?, charged = ?,
    error = 'its answer was lost; found in the API''s list of messages'
WHERE row = ? AND {life.can_be(Event.FOUND)}
"""


class RunStore:
    """A run file open for sending; used by one thread.

    Args:
        path: the run file, whose lock the caller holds.
        by_parts: whether a message counts its parts against a cap, or one.
        limit: send only the first so many pending rows; None for all.
        now: seconds since 1970.

    Raises:
        UsageError: it is no run file of this version.
        RunFileError: it cannot be written.
    """

    def __init__(self, path: Path, *, by_parts: bool, limit: int | None, now: float) -> None:
        self.path = path
        self._by_parts = by_parts
        self._slots = "m.parts" if by_parts else "1"
        with explained(path):
            self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._set_up(now, limit)
            except BaseException:
                self.db.close()
                raise

    def _set_up(self, now: float, limit: int | None) -> None:
        check_format(self.db, self.path)
        self.db.executescript(
            """PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
               PRAGMA busy_timeout = 10000;"""
        )
        self.facts: PlanFacts = read_facts(self.db)
        self.dedup_proven = self._fact("dedup proven") is not None
        self._epoch = self._take_over(now)
        self._begun_to = 0
        self._next_ticket = 1
        self._first = first_unfinished(self.db)
        self._until = self._nth_pending(limit)

    def check_epoch(self) -> None:
        """See that nobody else has taken the run over.

        Raises:
            OwnedError: somebody has.
        """
        if self._fact("epoch") != self._epoch:
            raise OwnedError(f"{self.path}: another bulksend process has taken this run over")

    def claim(self, after: int, limit: int) -> list[Queued]:
        """See `bulksend.sending.journal.Journal.claim`."""
        if after > self._begun_to + _ADVANCED_AT:
            advance(self.db)
            self._begun_to = after
        after = max(after, self._first - 1)
        (found,) = self.db.execute(_CLAIM.format(slots=self._slots), [after, self._until, limit]).fetchone()
        return [Queued(*each) for each in orjson.loads(found)]

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> list[Queued]:
        """See `bulksend.sending.journal.Journal.crowded`."""
        totals = self.db.execute(f"SELECT recipient, sum({self._slots}) FROM repeats m GROUP BY recipient").fetchall()
        sql = _CROWDED.format(slots=self._slots)
        return [
            Queued(*found)
            for recipient, slots in totals
            if is_crowded(recipient, slots)
            for found in self.db.execute(sql, [recipient, self._until])
        ]

    def in_doubt(self, since: float) -> list[Queued]:
        """See `bulksend.sending.journal.Journal.in_doubt`."""
        return [Queued(*found) for found in self.db.execute(_UNSETTLED.format(slots=self._slots), [since])]

    def recent_sends(self, since: float, now: float) -> list[tuple[Recipient, int, float]]:
        """See `bulksend.sending.journal.Journal.recent_sends`."""
        found = self.db.execute(RECENT_SENDS.format(run="main"), {"since": since, "now": now})
        return [(who, parts if self._by_parts else messages, ended) for who, parts, messages, ended in found]

    def begin(self, rows: Sequence[int], now: float) -> list[Attempt]:
        """See `bulksend.sending.journal.Journal.begin`."""
        wanted = orjson.dumps(rows).decode()
        begun = self.db.execute(_BEGIN, [now, self._next_ticket, wanted]).rowcount
        if begun != len(rows):
            raise RunFileError(f"{self.path}: {len(rows) - begun} rows were to be sent that are sent or on their way")
        self._next_ticket += begun
        (bodies,) = self.db.execute(_BODIES, [wanted]).fetchone()
        return [
            Attempt(Message(row, recipient, sender, text, parts, price), number, bool(in_doubt), ticket)
            for row, recipient, sender, text, parts, price, number, in_doubt, ticket in orjson.loads(bodies)
        ]

    def leaves(self, ticket: int) -> None:
        """See `bulksend.sending.journal.Journal.leaves`."""

    def settle(self, outcomes: Sequence[Outcome], *, dedup_proven: bool) -> None:
        """See `bulksend.sending.journal.Journal.settle`."""
        self.db.execute(_SETTLE, [orjson.dumps([_settlement(outcome) for outcome in outcomes]).decode()])
        learned = [outcome.learned for outcome in outcomes if outcome.learned]
        if learned:
            self.db.executemany("INSERT OR REPLACE INTO numbers VALUES (?, ?)", learned)
        if dedup_proven:
            self._note("dedup proven", 1)

    def found(self, answers: Mapping[int, Answer], now: float) -> None:
        """Note that rows in doubt were accepted after all."""
        self.db.executemany(
            _FOUND,
            [(now, orjson.dumps(tuple(answer)).decode(), answer.charged, row) for row, answer in answers.items()],
        )

    def leave(self, rows: Sequence[int]) -> None:
        """Leave rows in doubt at that: they stay unknown, and are neither repeated nor looked for again."""
        self._decide(Event.LEFT, rows)

    def resend(self, rows: Sequence[int]) -> None:
        """Send rows in doubt again, on the user's word; they stay in doubt until they are accepted."""
        self._decide(Event.RESENT, rows)

    def _decide(self, event: Event, rows: Sequence[int]) -> None:
        after = life.after(event)
        self.db.executemany(f"UPDATE sends SET {after} WHERE row = ? AND {life.can_be(event)}", [[row] for row in rows])

    def close(self) -> None:
        """Give the run up in order: one plain file remains, which also a reader without write access can open."""
        with suppress(sqlite3.Error):  # a reader may be at it: then the write-ahead log stays beside the file
            advance(self.db)
            self.db.execute("DELETE FROM facts WHERE name = 'owner'")
            self.db.execute("PRAGMA journal_mode = DELETE")
        self.db.close()

    def _take_over(self, now: float) -> int:
        """Become the owner; the end of every attempt that a killed owner left behind is not known."""
        epoch: int = (self._fact("epoch") or 0) + 1
        self.db.execute("BEGIN IMMEDIATE")
        self._note("epoch", epoch)
        self._note("owner", orjson.dumps(asdict(Owner.now(now))).decode())
        after = life.after(Event.CUT_OFF)
        self.db.execute(
            f"UPDATE sends SET {after}, error = ?, ended_at = ? WHERE {life.can_be(Event.CUT_OFF)}", [INTERRUPTED, now]
        )
        advance(self.db)
        self.db.execute("COMMIT")
        return epoch

    def _nth_pending(self, limit: int | None) -> int:
        if limit is None:
            return _LAST_ROW
        found = self.db.execute(_NTH_PENDING, [self._first, limit - 1]).fetchone()
        return int(found[0]) if found else _LAST_ROW

    def _fact(self, name: str) -> Any:
        found = self.db.execute("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
        return found[0] if found else None

    def _note(self, name: str, value: object) -> None:
        self.db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [name, value])


def _settlement(outcome: Outcome) -> tuple[object, ...]:
    answer = outcome.answer
    said = (None, None) if answer is None else (answer.charged, tuple(answer))
    return (
        outcome.row,
        outcome.event,
        outcome.ended_at,
        outcome.http_status,
        outcome.error,
        *said,
    )
