"""A run that is kept in this process alone: the engine's journal by dicts, for tests in which no file matters."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bulksend.errors import BulksendError, RunFileError
from bulksend.model import Answer, Attempt, Event, Message, Outcome, Queued, Recipient, RowInDoubt
from bulksend.runs.states import STEPS, Decision, Life, State
from bulksend.sending import Keys, News

T = TypeVar("T")

CUT_OFF = "it was cut off while this attempt was under way"
_MAY_HAVE_ARRIVED = {State.SENT, State.UNKNOWN, State.IN_FLIGHT}


@dataclass
class Note:
    """What is known of a row."""

    message: Message
    life: Life = Life(State.PENDING)  # noqa: RUF009 -- it is frozen
    attempts: int = 0
    started_s: float = -math.inf
    ended_s: float | None = None
    doubt_since_s: float | None = None
    error: str = ""
    answer: Answer | None = None
    proof: int = 0

    def see(self, event: Event) -> None:
        self.life = self.life.after(event)
        if STEPS[event].doubts and self.doubt_since_s is None:
            self.doubt_since_s = self.started_s


@dataclass
class Memory:
    """What outlives a journal.

    Attributes:
        notes: by row.
        numbers: behind contacts, as learned.
        elsewhere: rows that somebody else has.
        failure: what every call raises from now on, or None.
        asked_at_s: when somebody asked for the end, or None.
        news: what came from others meanwhile; None if nothing ever does.
        progress: where the send stands, in its words, or None.
        turn: how far the turns of `Proof` have come.
        keys: of its messages.
    """

    notes: dict[int, Note]
    numbers: dict[Recipient, Recipient] = field(default_factory=dict)
    elsewhere: set[int] = field(default_factory=set)
    failure: Exception | None = None
    turn: int = 0
    asked_at_s: float | None = None
    progress: str | None = None
    news: News | None = None
    keys: Keys = Keys("spring", is_shared=False)  # noqa: RUF009 -- it is frozen

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Memory:
        return cls({message.row: Note(message) for message in messages})


class MemoryJournal:
    """A `Journal` of a memory; whoever opens it takes over what another left under way.

    Args:
        memory: what is kept.
        wall_s: seconds since 1970.
        limit: send only the first so many rows; None for all.
    """

    sharing = None

    def __init__(self, memory: Memory, wall_s: float, limit: int | None = None) -> None:
        self._memory = memory
        self._next_ticket = 1
        memory.asked_at_s = memory.progress = None  # that was of whoever had it before
        for note in memory.notes.values():
            if note.life.state is State.IN_FLIGHT:
                note.see(Event.CUT_OFF)
                note.ended_s, note.error = wall_s, CUT_OFF
        pending = [row for row, note in memory.notes.items() if note.life.is_to_send]
        self._until = pending[limit - 1] if limit and limit <= len(pending) else math.inf

    def claim(self, after: int, limit: int) -> Awaitable[list[Queued]]:
        return self._do(lambda: [item for item in self._to_send() if item.row > after][:limit])

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> Awaitable[list[Queued]]:
        return self._do(lambda: self._crowded(is_crowded))

    def undecided(self, since_s: float, proof: int) -> Awaitable[list[Queued]]:
        return self._do(
            lambda: [
                self._queued(note)
                for note in self._memory.notes.values()
                if note.life.is_unsettled
                and note.doubt_since_s is not None
                and note.doubt_since_s >= since_s
                and note.proof == proof
            ]
        )

    def recent_sends(self, since_s: float, wall_s: float) -> Awaitable[list[tuple[Recipient, int, float]]]:
        return self._do(lambda: self._recent_sends(since_s, wall_s))

    def news(self) -> Awaitable[News | None]:
        return self._do(self._news)

    def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> Awaitable[list[Attempt]]:
        return self._do(lambda: self.begin_now(rows, wall_s, proof))

    def leaves(self, attempt: Attempt) -> bool:  # noqa: ARG002 -- nobody else can have it
        return True

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> Awaitable[None]:
        return self._do(lambda: self._settle(outcomes, turn))

    def in_doubt(self, limit: int) -> Awaitable[list[RowInDoubt]]:
        return self._do(lambda: self._doubts()[:limit])

    def message_ids(self, since_s: float) -> Awaitable[Collection[str]]:
        return self._do(lambda: self._message_ids(since_s))

    def rivals(self, since_s: float) -> Awaitable[Collection[tuple[Recipient, str]]]:
        return self._do(
            lambda: {
                (note.message.recipient, note.message.text)
                for note in self._memory.notes.values()
                if (note.life.state in _MAY_HAVE_ARRIVED or note.life.in_doubt)
                and not note.life.is_open
                and not (note.life.state is State.SENT and note.attempts == 1)
                and (note.ended_s is None or note.ended_s >= since_s)
            }
        )

    def found(self, answers: Mapping[int, Answer], wall_s: float) -> Awaitable[None]:
        return self._do(lambda: self._found(answers, wall_s))

    def asked_at(self) -> Awaitable[float | None]:
        return self._do(lambda: self._memory.asked_at_s)

    def note_progress(self, words: str) -> Awaitable[None]:
        return self._do(lambda: setattr(self._memory, "progress", words))

    def give_up(self) -> None:
        pass

    def close(self) -> None:
        pass

    def begin_now(self, rows: Sequence[int], wall_s: float, proof: int) -> list[Attempt]:
        """What `begin` does, for who has no event loop."""
        notes = [self._memory.notes[row] for row in rows if row not in self._memory.elsewhere]
        if any(note.life.state not in STEPS[Event.BEGUN].before for note in notes):
            raise RunFileError("rows were to be sent that are sent or on their way")
        return [self._begun(note, wall_s, proof) for note in notes]

    def _begun(self, note: Note, wall_s: float, proof: int) -> Attempt:
        note.proof = proof if note.doubt_since_s is None or note.proof == proof else 0
        note.see(Event.BEGUN)
        note.attempts, note.started_s, note.ended_s = note.attempts + 1, wall_s, None
        self._next_ticket += 1
        ticket, resent = self._next_ticket - 1, note.life.decision is Decision.RESEND
        return Attempt(note.message, note.attempts, note.doubt_since_s, ticket, note.proof, resent)

    def _settle(self, outcomes: Sequence[Outcome], turn: int) -> None:
        for outcome in outcomes:
            note = self._memory.notes[outcome.row]
            is_under_way = note.life.state is State.IN_FLIGHT
            if note.life.state not in STEPS[outcome.event].before:
                continue
            note.see(outcome.event)
            note.attempts -= is_under_way and outcome.event in {Event.CALLED_OFF, Event.EXCLUDED}
            note.ended_s, note.error, note.answer = outcome.ended_at, outcome.error, outcome.answer
            if outcome.learned:
                contact, number = outcome.learned
                self._memory.numbers[contact] = number
        self._memory.turn = max(self._memory.turn, turn)

    def _found(self, answers: Mapping[int, Answer], wall_s: float) -> None:
        for row, answer in answers.items():
            note = self._memory.notes[row]
            if note.life.state in STEPS[Event.FOUND].before:
                note.see(Event.FOUND)
                note.ended_s, note.answer = wall_s, answer

    def _doubts(self) -> list[RowInDoubt]:
        return [
            RowInDoubt(
                row,
                note.message.recipient,
                note.message.text,
                self._memory.keys.of(note.message),
                note.doubt_since_s,
                note.started_s,
                note.error,
                is_excluded=note.life.decision is Decision.EXCLUDED,
            )
            for row, note in sorted(self._memory.notes.items())
            if note.life.is_open and note.doubt_since_s is not None
        ]

    def _message_ids(self, since_s: float) -> set[str]:
        return {
            note.answer.message_id
            for note in self._memory.notes.values()
            if note.life.state in {State.SENT, State.SKIPPED}
            and note.answer
            and note.ended_s is not None
            and note.ended_s >= since_s
        }

    def _to_send(self) -> list[Queued]:
        return [
            self._queued(note)
            for row, note in sorted(self._memory.notes.items())
            if note.life.is_to_send and row <= self._until
        ]

    def _crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> list[Queued]:
        slots: defaultdict[Recipient, list[int]] = defaultdict(list)
        for note in self._memory.notes.values():
            slots[note.message.recipient].append(note.message.parts)
        crowds = {who for who, each in slots.items() if len(each) > 1 and is_crowded(who, sum(each))}
        return [item for item in self._to_send() if self._memory.notes[item.row].message.recipient in crowds]

    def _recent_sends(self, since_s: float, wall_s: float) -> list[tuple[Recipient, int, float]]:
        found = []
        for note in self._memory.notes.values():
            if note.life.state in _MAY_HAVE_ARRIVED or note.life.in_doubt:
                ended_s = wall_s if note.ended_s is None else min(note.ended_s, wall_s)
                who, slots = self._queued(note)[1:]
                found.append((who, slots * (note.attempts if note.life.in_doubt else 1), ended_s))
        return sorted((each for each in found if each[2] >= since_s), key=lambda each: each[2])

    def _news(self) -> News | None:
        news = self._memory.news
        self._memory.news = None if news is None else News()
        return news

    def _queued(self, note: Note) -> Queued:
        message = note.message
        return Queued(message.row, self._memory.numbers.get(message.recipient, message.recipient), message.parts)

    def _do(self, work: Callable[[], T]) -> Awaitable[T]:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            if self._memory.failure is not None:
                raise self._memory.failure
            done.set_result(work())
        except BulksendError as error:
            done.set_exception(error)
        return done
