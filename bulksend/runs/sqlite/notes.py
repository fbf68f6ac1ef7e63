"""The SQL by which a run that is being sent takes notes: plain synchronous calls inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice, repeat
from pathlib import Path

import orjson

from bulksend.errors import RunFileError
from bulksend.model import Answer, Attempt, Event, Message, Outcome, Queued, Recipient, RowInDoubt
from bulksend.runs import life
from bulksend.runs.answers import named
from bulksend.runs.sqlite import kept, queries, unsent
from bulksend.runs.sqlite.departures import Departures
from bulksend.runs.sqlite.queries import COPY, LAST_ROW, NUMBER, recent_sends, until
from bulksend.runs.states import Decision, State

_ADVANCED_AT = 100_000  # rows
_KEPT_MESSAGES = 4_000  # that were claimed; what waits for longer is read again
_MESSAGE = len(Message._fields)
_ENDS = (
    Event.ACCEPTED, Event.KNOWN, Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.DOUBTED, Event.CALLED_OFF,
)  # fmt: skip
_EXCLUDED = Event.EXCLUDED
_WORDS = {event: event.value for event in _ENDS}  # an enum's member costs SQLite a look at what it is
TO_SEND = f"(s.row IS NULL OR {life.is_to_send('s.')})"

_CLAIM = f"""
SELECT json_group_array(json_array(row, who, slots, is_new, recipient, sender, text, parts, price, copy)) FROM (
    SELECT m.row, coalesce(n.number, m.recipient) AS who, {{slots}} AS slots, s.row IS NULL AS is_new,
        m.recipient, m.sender, m.text, m.parts, m.price, {COPY} AS copy FROM messages m
    LEFT JOIN sends s ON s.row = m.row {NUMBER.format("m")}
    WHERE m.row > ? AND m.row <= ? AND m.status = 'pending' AND {TO_SEND}
    ORDER BY m.row LIMIT ?)
"""
_CROWDED = f"""
SELECT m.row, coalesce(n.number, m.recipient), {{slots}} FROM repeats m LEFT JOIN sends s ON s.row = m.row
{NUMBER.format("m")} WHERE m.recipient = ? AND m.row <= ? AND {TO_SEND} ORDER BY m.row
"""
_UNSETTLED = f"""
SELECT m.row, coalesce(n.number, m.recipient), {{slots}} FROM sends s JOIN messages m ON m.row = s.row
{NUMBER.format("m")} WHERE {life.is_unsettled("s.")} AND s.doubt_since >= ? AND s.proof = ? ORDER BY m.row
"""
# The WHERE is the last guard against a double send: a row that was accepted, or is on its way, cannot begin again.
_BEGIN = f"""
INSERT INTO sends (row, state, attempts, started_at, ticket, proof)
SELECT value, '{State.IN_FLIGHT}', 1, ?, ? + key, ? FROM json_each(?) WHERE true
ON CONFLICT (row) DO UPDATE SET {life.after(Event.BEGUN)}, attempts = attempts + 1,
    started_at = excluded.started_at, ticket = excluded.ticket, ended_at = NULL,
    proof = CASE WHEN doubt_since IS NULL OR proof = excluded.proof THEN excluded.proof ELSE 0 END
WHERE {life.can_be(Event.BEGUN, "sends.")}
"""
_BODIES = f"""
SELECT json_group_array(json_array(
    m.row, m.recipient, m.sender, m.text, m.parts, m.price, {COPY},
    s.attempts, s.doubt_since, s.ticket, s.proof, s.decision IS '{Decision.RESEND}'
)) FROM json_each(?) wanted JOIN messages m ON m.row = wanted.value JOIN sends s ON s.row = wanted.value
"""
# One statement for a whole group, here and in _BODIES and _CLAIM: each step of a statement gives the interpreter's lock
# away and has to win it back from a busy event loop. As values, for JSON costs as much again to be read.
_SETTLE = f"""
UPDATE sends SET {life.after(*_ENDS, which="done.event")},
    attempts = attempts - (done.event = '{Event.CALLED_OFF}'), ended_at = done.ended_at,
    http_status = done.http_status, error = done.error, answer = done.answer, charged = done.charged
FROM (
    SELECT column1 AS row, column2 AS event, column3 AS ended_at, column4 AS http_status, column5 AS error,
        column6 AS charged, column7 AS answer FROM (VALUES {{}})
) done WHERE sends.row = done.row AND sends.state = '{State.IN_FLIGHT}'
"""
_NOTHING = (None,) * 7  # settles no row
# As few statements as fit any group, for each has to be compiled: what is left of one is filled up with nothing.
_SETTLES = {size: _SETTLE.format(", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * size)) for size in (4, 16, 32, 64, 128, 256)}
_SETTLED_MOST = max(_SETTLES)
_FOUND = f"""
UPDATE sends SET {life.after(Event.FOUND)}, ended_at = ?, answer = ?, charged = ?,
    error = 'its answer was lost; found in the API''s list of messages'
WHERE row = ? AND {life.can_be(Event.FOUND)}
"""


class Notes:
    """What is noted of one send; used by one thread.

    Args:
        db: the owner's connection.
        path: the run file.
        departures: how far its intents have left.
        epoch: of the owner; if the file's is another, somebody has taken the run over.
        keyed: whether messages carry a clientDedup; None if none are sent.
        by_parts: whether a message counts its parts against a cap, or one.
        limit: send only the first so many pending rows; None for all.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        path: Path,
        departures: Departures,
        *,
        epoch: int,
        by_parts: bool,
        limit: int | None,
        keyed: bool | None = None,
    ) -> None:
        self.db = db
        self.path = path
        self._epoch = epoch
        self._by_parts = by_parts
        self._slots = "m.parts" if by_parts else "1"
        self._begun_to = 0
        self._first = kept.first_unfinished(db)
        self._until = until(db, limit)
        self._is_noted = False
        self._departures = departures
        self.in_flight: set[int] = set()  # rows whose intents may be noted, and whose outcomes are not
        self._settled: list[int] = []  # by the transaction under way
        self._messages: dict[int, Message] = {}  # claimed lately, and never tried
        self._keyed = keyed
        self._turn = self._noted_turn = kept.turn(db)

    def committed(self) -> None:
        """The transaction under way is on the disk."""
        self.in_flight.difference_update(self._settled)
        self._settled.clear()
        self._turn = self._noted_turn

    def rolled_back(self) -> None:
        """Nothing of the transaction under way was noted."""
        self._settled.clear()
        self._noted_turn = self._turn

    def check_epoch(self) -> None:
        """See `kept.check_epoch`."""
        kept.check_epoch(self.db, self._epoch, self.path)

    def asked_at(self) -> float | None:
        """See `Journal.asked_at`."""
        return kept.asked_at(self.db, self._epoch)

    def note_progress(self, words: str) -> None:
        """See `Journal.note_progress`."""
        kept.note_progress(self.db, self._epoch, words)

    def claim(self, after: int, limit: int) -> list[Queued]:
        """See `Journal.claim`."""
        if after > self._begun_to + _ADVANCED_AT:
            kept.advance(self.db)
            self._begun_to = after
        after = max(after, self._first - 1)
        (found,) = self.db.execute(_CLAIM.format(slots=self._slots), [after, self._until, limit]).fetchone()
        claimed = orjson.loads(found)
        self._keep(Message._make((each[0], *each[4:])) for each in claimed if each[3])
        return [Queued._make(each[:3]) for each in claimed]

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> list[Queued]:
        """See `Journal.crowded`."""
        totals = self.db.execute(f"SELECT recipient, sum({self._slots}) FROM repeats m GROUP BY recipient").fetchall()
        sql = _CROWDED.format(slots=self._slots)
        return [
            Queued(*found)
            for recipient, slots in totals
            if is_crowded(recipient, slots)
            for found in self.db.execute(sql, [recipient, self._until])
        ]

    def undecided(self, since_s: float, proof: int) -> list[Queued]:
        """See `Journal.undecided`."""
        return [Queued(*found) for found in self.db.execute(_UNSETTLED.format(slots=self._slots), [since_s, proof])]

    def recent_sends(self, since_s: float, wall_s: float) -> list[tuple[Recipient, int, float]]:
        """See `Journal.recent_sends`."""
        found = recent_sends(self.db, since_s, wall_s)
        return [(who, parts if self._by_parts else messages, ended) for who, parts, messages, ended in found]

    def news(self) -> None:
        """See `Journal.news`: nobody else sends to a phone meanwhile."""

    def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> list[Attempt]:
        """See `Journal.begin`."""
        wanted = orjson.dumps(rows).decode()
        self.in_flight.update(rows)
        if self._keyed is not None:
            kept.note_keyed(self.db, keyed=self._keyed)
            self._keyed = None
        if not self._is_noted:
            kept.note_limited(self.db, limited=self._until < LAST_ROW)
            self._is_noted = True
        first = self._departures.issue(len(rows))
        begun = self.db.execute(_BEGIN, [wall_s, first, proof, wanted]).rowcount
        if begun != len(rows):
            raise RunFileError(f"{self.path}: {len(rows) - begun} rows were to be sent that are sent or on their way")
        known = [self._messages.pop(row, None) for row in rows]
        if None not in known:
            return [Attempt(message, 1, None, ticket, proof) for ticket, message in enumerate(known, first) if message]
        (bodies,) = self.db.execute(_BODIES, [wanted]).fetchone()
        return [
            Attempt(Message(*each[:_MESSAGE]), number, since, ticket, under, resent=bool(resent))
            for *each, number, since, ticket, under, resent in orjson.loads(bodies)
        ]

    def leaves(self, attempt: Attempt) -> bool:
        """See `Journal.leaves`: a file's lock is held until the run is closed."""
        self._departures.reach(attempt.ticket)
        return True

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> None:
        """See `Journal.settle`."""
        ended = [_settlement(outcome) for outcome in outcomes if outcome.event is not _EXCLUDED]
        for first in range(0, len(ended), _SETTLED_MOST):
            self._end(ended[first : first + _SETTLED_MOST])
        if len(ended) < len(outcomes):
            for each in outcomes:
                if each.event is _EXCLUDED:
                    unsent.leave_out(self.db, [(each.row, each.error)], each.event, each.ended_at)
        self._settled += [outcome.row for outcome in outcomes]
        learned = [outcome.learned for outcome in outcomes if outcome.learned]
        if learned:
            self.db.executemany("INSERT OR REPLACE INTO numbers VALUES (?, ?)", learned)
        if turn > self._noted_turn:
            kept.note(self.db, "turn", turn)
            self._noted_turn = turn

    def in_doubt(self, limit: int) -> list[RowInDoubt]:
        """See `Journal.in_doubt`."""
        return queries.in_doubt(self.db, limit)

    def message_ids(self, since_s: float) -> set[str]:
        """See `Journal.message_ids`."""
        return queries.message_ids(self.db, since_s)

    def rivals(self, since_s: float) -> list[tuple[Recipient, str]]:
        """See `Journal.rivals`."""
        return queries.rivals(self.db, since_s)

    def found(self, answers: Mapping[int, Answer], wall_s: float) -> None:
        """See `Journal.found`."""
        said = [(wall_s, _said(answer), answer.charged, row) for row, answer in answers.items()]
        self.db.executemany(_FOUND, said)

    def _end(self, ended: list[tuple[object, ...]]) -> None:
        size = next(size for size in _SETTLES if size >= len(ended))
        self.db.execute(_SETTLES[size], [*chain(*ended, *repeat(_NOTHING, size - len(ended)))])

    def _keep(self, messages: Iterable[Message]) -> None:
        """Remember what is about to begin, so that it need not be read again."""
        kept = self._messages
        kept.update((message.row, message) for message in messages)
        for row in list(islice(kept, max(0, len(kept) - _KEPT_MESSAGES))):
            del kept[row]


def _settlement(outcome: Outcome) -> tuple[object, ...]:
    answer = outcome.answer
    return (
        outcome.row,
        _WORDS[outcome.event],
        outcome.ended_at,
        outcome.http_status,
        outcome.error,
        None if answer is None else answer.charged,
        None if answer is None else _said(answer),
    )


def _said(answer: Answer) -> str:
    return orjson.dumps(named(answer)).decode()
