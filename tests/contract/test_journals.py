"""What every journal owes the engine, whatever it is kept in."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from memory import Memory, MemoryJournal
from planned import PlannedRow, plan_in_database, write_plan

from bulksend.errors import OwnedError, RunFileError
from bulksend.model import (
    Answer,
    ContactId,
    Encoding,
    Event,
    Message,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Queued,
    Recipient,
    RowInDoubt,
    Status,
)
from bulksend.runs import open_run
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun
from bulksend.runs.postgres import ask_to_end as ask_database_to_end
from bulksend.runs.sqlite import OwnSqliteRun, ask_to_end
from bulksend.runs.states import STEPS, Decision, Life, State
from bulksend.sending import Journal, Keys

ANA, BEN, EVA = PhoneNumber("639171234567"), PhoneNumber("639181234567"), PhoneNumber("4915112345678")
CONTACT = ContactId(101)
ENDS = (
    Event.ACCEPTED, Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.DOUBTED, Event.CALLED_OFF, Event.KNOWN,
)  # fmt: skip
ANSWER = Answer("SMS1", 1, 20_000, "0.02", "", ANA, 7, MicroUSD(20_000))
BEGAN_S, NOW_S = 1_000.0, 2_000.0
KEYS = Keys("spring", is_shared=False)


class Kept(Protocol):
    """A run somewhere, and what a test asks of that place behind the journal's back."""

    def open(self, limit: int | None = None) -> Journal:
        """A journal of it; whoever opened it before is gone."""

    def life(self, row: int) -> Life:
        """Where a row is, as somebody else sees it."""

    def decide(self, row: int, event: Event) -> None:
        """Somebody decides on a row in doubt; no journal is open."""

    def is_asked_to_end(self) -> None:
        """Somebody elsewhere asks for the end of whoever has it."""

    def progress(self) -> str | None:
        """What somebody elsewhere sees of whoever has it."""

    def is_taken_over(self) -> None:
        """Somebody else has the run from now on."""

    def breaks(self) -> None:
        """Nothing can be written or read from now on."""


class InMemory:
    def __init__(self, messages: Sequence[Message]) -> None:
        self.memory = Memory.of(messages)

    def open(self, limit: int | None = None) -> Journal:
        return MemoryJournal(self.memory, NOW_S, limit)

    def life(self, row: int) -> Life:
        return self.memory.notes[row].life

    def decide(self, row: int, event: Event) -> None:
        self.memory.notes[row].see(event)

    def is_asked_to_end(self) -> None:
        self.memory.asked_at_s = NOW_S

    def progress(self) -> str | None:
        return self.memory.progress

    def is_taken_over(self) -> None:
        self.memory.failure = OwnedError("somebody else has it")

    def breaks(self) -> None:
        self.memory.failure = RunFileError("it is gone")


class InFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.run: OwnSqliteRun | None = None

    def open(self, limit: int | None = None) -> Journal:
        return self.own().journal(limit=limit)

    def life(self, row: int) -> Life:
        db = sqlite3.connect(self.path)
        found = db.execute("SELECT state, doubt_since IS NOT NULL, decision FROM sends WHERE row = ?", [row]).fetchone()
        db.close()
        if found is None:
            return Life(State.PENDING)
        state, in_doubt, decision = found
        return Life(State(state), bool(in_doubt), None if decision is None else Decision(decision))

    def decide(self, row: int, event: Event) -> None:
        self.own().decide([row], resend=event is Event.RESENT)

    def is_asked_to_end(self) -> None:
        assert ask_to_end(self.path, NOW_S)

    def progress(self) -> str | None:
        with open_run(self.path) as run:
            return run.progress

    def is_taken_over(self) -> None:
        self.change("UPDATE facts SET value = value + 1 WHERE name = 'epoch'")

    def breaks(self) -> None:
        self.change("DROP TABLE sends")
        self.change("DROP TABLE facts")

    def change(self, sql: str) -> None:
        db = sqlite3.connect(self.path, isolation_level=None)
        db.execute(sql)
        db.close()

    def own(self) -> OwnSqliteRun:
        """The run anew; whoever had it gives it up."""
        self.close()
        self.run = OwnSqliteRun.own(self.path, NOW_S)
        return self.run

    def close(self) -> None:
        if self.run is not None:
            self.run.close()


class InDatabase:
    def __init__(self, named: DatabaseRun) -> None:
        self.named = named
        self.run: OwnPostgresRun | None = None
        self.is_broken = False

    def open(self, limit: int | None = None) -> Journal:
        return self.own().journal(limit=limit)

    def life(self, row: int) -> Life:
        sql = "SELECT state, doubt_since IS NOT NULL, decision FROM bulksend.send WHERE row = %s"
        with psycopg.connect(self.named.database) as db:
            found = db.execute(sql, [row]).fetchone()
        if found is None:
            return Life(State.PENDING)
        state, in_doubt, decision = found
        return Life(State(state), in_doubt, None if decision is None else Decision(decision))

    def decide(self, row: int, event: Event) -> None:
        self.own().decide([row], resend=event is Event.RESENT)

    def is_asked_to_end(self) -> None:
        assert ask_database_to_end(self.named, NOW_S)

    def progress(self) -> str | None:
        with open_run(self.named) as run:
            return run.progress

    def is_taken_over(self) -> None:
        self.change("UPDATE bulksend.shard SET epoch = epoch + 1")

    def breaks(self) -> None:
        for table in ("send", "shard"):
            self.change(f"ALTER TABLE bulksend.{table} RENAME TO {table}_gone")
        self.is_broken = True

    def mend(self) -> None:
        """Make the database what it was: to make another one takes longer than a test."""
        for table in ("send", "shard") if self.is_broken else ():
            self.change(f"ALTER TABLE bulksend.{table}_gone RENAME TO {table}")

    def change(self, sql: str) -> None:
        with psycopg.connect(self.named.database, autocommit=True) as db:
            db.execute(sql)

    def own(self) -> OwnPostgresRun:
        """The run anew; whoever had it gives it up."""
        self.close()
        self.run = OwnPostgresRun.own(self.named, NOW_S)
        return self.run

    def close(self) -> None:
        if self.run is not None:
            self.run.close()


Keep = Callable[[Sequence[Message]], Kept]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def keep(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keep]:
    """Keeps a run of these messages, somewhere."""
    kept: list[InFile | InDatabase] = []
    database = request.getfixturevalue("database") if request.param == "postgres" else ""

    def in_file(messages: Sequence[Message]) -> Kept:
        path = tmp_path / "campaign.run"
        write_plan(path, planned(messages)).release()
        kept.append(InFile(path))
        return kept[-1]

    def in_database(messages: Sequence[Message]) -> Kept:
        named = DatabaseRun(database, "spring")
        plan_in_database(named, planned(messages)).close()
        kept.append(InDatabase(named))
        return kept[-1]

    yield {"memory": InMemory, "sqlite": in_file, "postgres": in_database}[request.param]
    for each in kept:
        each.close()
        if isinstance(each, InDatabase):
            each.mend()


def planned(messages: Sequence[Message]) -> list[PlannedRow]:
    return [
        PlannedRow(m.row, Status.PENDING, m.recipient, m.sender, m.text, Encoding.GSM7, m.parts, m.price, "", b"[]")
        for m in messages
    ]


def messages(*recipients: Recipient, parts: int = 1) -> list[Message]:
    return [
        Message(row, recipient, "Shop", f"Hello {row}", parts, MicroUSD(20_000))
        for row, recipient in enumerate(recipients, start=1)
    ]


def outcome(row: int, event: Event, ended_s: float = NOW_S) -> Outcome:
    answer = ANSWER if event is Event.ACCEPTED else None
    return Outcome(row=row, event=event, final=True, ended_at=ended_s, answer=answer, error="" if answer else "why")


def told(row: int, event: Event, ended_s: float) -> Outcome:
    """An outcome whose answer has a messageId of its own."""
    return outcome(row, event, ended_s)._replace(answer=ANSWER._replace(message_id=f"SMS of {row}"))


async def ends(journal: Journal, row: int, *events: Event) -> None:
    """A row is begun and ends so, time and again."""
    for event in events:
        await journal.begin([row], BEGAN_S)
        await journal.settle([outcome(row, event)], turn=0)


def rows_of(items: Sequence[Queued]) -> list[int]:
    return [item.row for item in items]


# -- Which rows are to be sent


async def test_rows_are_claimed_behind_a_row_in_input_order_and_so_many_at_most(keep: Keep) -> None:
    journal = keep(messages(*[ANA] * 5)).open()
    assert await journal.claim(0, 2) == [Queued(1, ANA, 1), Queued(2, ANA, 1)]
    assert rows_of(await journal.claim(2, 10)) == [3, 4, 5]
    assert await journal.claim(5, 10) == []
    journal.close()


async def test_only_what_is_to_be_sent_is_claimed(keep: Keep) -> None:
    kept = keep(messages(*[ANA] * 8))
    journal = kept.open()
    for row, event in enumerate(ENDS, start=1):
        await ends(journal, row, event)
    expected = [row for row in range(1, 9) if kept.life(row).is_to_send]
    assert rows_of(await journal.claim(0, 10)) == expected == [3, 4, 6, 8]
    journal.close()


async def test_a_limit_is_of_the_first_rows_that_were_to_be_sent_at_the_beginning(keep: Keep) -> None:
    kept = keep(messages(*[ANA] * 6))
    journal = kept.open()
    await ends(journal, 2, Event.ACCEPTED)
    journal.close()
    journal = kept.open(limit=3)
    assert rows_of(await journal.claim(0, 10)) == [1, 3, 4]
    await ends(journal, 1, Event.ACCEPTED)
    assert rows_of(await journal.claim(0, 10)) == [3, 4]
    journal.close()


async def test_a_message_takes_a_slot_for_each_of_its_parts(keep: Keep) -> None:
    journal = keep(messages(ANA, parts=3)).open()
    assert await journal.claim(0, 1) == [Queued(1, ANA, 3)]
    journal.close()


async def test_crowded_recipients_are_asked_for_with_all_their_slots(keep: Keep) -> None:
    journal = keep(messages(ANA, BEN, ANA, EVA, BEN, ANA)).open()
    asked: dict[Recipient, int] = {}

    def is_crowded(recipient: Recipient, slots: int) -> bool:
        asked[recipient] = slots
        return slots > 2

    await ends(journal, 3, Event.ACCEPTED)
    assert rows_of(await journal.crowded(is_crowded)) == [1, 6]
    assert asked == {ANA: 3, BEN: 2}
    assert rows_of(await journal.claim(0, 10)) == [1, 2, 4, 5, 6]
    journal.close()


async def test_the_number_behind_a_contact_is_known_from_then_on(keep: Keep) -> None:
    kept = keep(messages(CONTACT, CONTACT))
    journal = kept.open()
    await journal.begin([1], BEGAN_S)
    learned = outcome(1, Event.ACCEPTED)._replace(learned=(CONTACT, ANA))
    await journal.settle([learned], turn=0)
    assert await journal.claim(0, 10) == [Queued(2, ANA, 1)]
    assert await journal.recent_sends(0.0, NOW_S) == [(ANA, 1, NOW_S)]
    journal.close()


# -- Intents


async def test_an_intent_is_the_message_as_planned_its_number_and_its_ticket(keep: Keep) -> None:
    planned = messages(ANA, CONTACT, EVA)
    kept = keep(planned)
    journal = kept.open()
    first, second = await journal.begin([1, 3], BEGAN_S)
    assert [tuple(attempt[:4]) for attempt in (first, second)] == [(planned[0], 1, None, 1), (planned[2], 1, None, 2)]
    journal.leaves(first)
    await journal.settle([outcome(1, Event.DOUBTED), outcome(3, Event.FAILED)], turn=0)
    again = await journal.begin([1, 3, 2], BEGAN_S)
    assert [(a.message.row, a.number, a.in_doubt, a.ticket) for a in again] == [
        (1, 2, True, 3),
        (3, 2, False, 4),
        (2, 1, False, 5),
    ]
    journal.close()


async def test_an_attempt_that_was_called_off_does_not_count(keep: Keep) -> None:
    journal = keep(messages(ANA)).open()
    await ends(journal, 1, Event.CALLED_OFF)
    [attempt] = await journal.begin([1], BEGAN_S)
    assert attempt.number == 1
    journal.close()


# A way to every life that a row can have while it is sent.
WAYS: dict[str, tuple[Event, ...]] = {
    "untried": (),
    "accepted": (Event.ACCEPTED,),
    "rejected": (Event.REJECTED,),
    "failed": (Event.FAILED,),
    "put off": (Event.PUT_OFF,),
    "called off": (Event.CALLED_OFF,),
    "in doubt": (Event.DOUBTED,),
    **{f"in doubt, then {event}": (Event.DOUBTED, event) for event in ENDS},
}


def life_of(way: Sequence[Event]) -> Life:
    life = Life(State.PENDING)
    for event in way:
        life = life.after(Event.BEGUN).after(event)
    return life


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_only_what_may_begin_begins(keep: Keep, way: Sequence[Event]) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    await ends(journal, 1, *way)
    before = life_of(way)
    assert kept.life(1) == before
    if before.state in STEPS[Event.BEGUN].before:
        [attempt] = await journal.begin([1], BEGAN_S)
        assert attempt.in_doubt is before.in_doubt
        assert kept.life(1) == before.after(Event.BEGUN)
    else:
        await begins_nothing(journal, 1)
        assert kept.life(1) == before
    journal.close()


@pytest.mark.parametrize("in_doubt", [False, True])
async def test_what_is_under_way_does_not_begin_again(keep: Keep, in_doubt: bool) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    await ends(journal, 1, *[Event.DOUBTED] * in_doubt)
    await journal.begin([1], BEGAN_S)
    await begins_nothing(journal, 1)
    assert kept.life(1) == Life(State.IN_FLIGHT, in_doubt)
    journal.close()


async def begins_nothing(journal: Journal, row: int) -> None:
    """The row is left out of the answer, or the whole call is refused."""
    with suppress(RunFileError):
        assert await journal.begin([row], BEGAN_S) == []


# -- Outcomes


@pytest.mark.parametrize("event", [*ENDS, Event.EXCLUDED])
@pytest.mark.parametrize("in_doubt", [False, True])
async def test_an_outcome_makes_of_a_row_what_the_table_says(keep: Keep, event: Event, in_doubt: bool) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    await ends(journal, 1, *[Event.DOUBTED] * in_doubt)
    await journal.begin([1], BEGAN_S)
    under_way = Life(State.IN_FLIGHT, in_doubt)
    assert kept.life(1) == under_way
    await journal.settle([outcome(1, event)], turn=0)
    assert kept.life(1) == under_way.after(event)
    journal.close()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_an_outcome_of_a_row_that_is_not_under_way_changes_nothing(keep: Keep, way: Sequence[Event]) -> None:
    kept = keep(messages(*[ANA] * len(ENDS)))
    journal = kept.open()
    for row, event in enumerate(ENDS, start=1):
        await ends(journal, row, *way)
        await journal.settle([outcome(row, event)], turn=0)
        assert kept.life(row) == life_of(way), event
    journal.close()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_who_is_excluded_is_not_begun_nor_repeated_and_what_was_accepted_stays_so(
    keep: Keep, way: Sequence[Event]
) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    await ends(journal, 1, *way)
    before = life_of(way)
    is_open = before.state in STEPS[Event.EXCLUDED].before
    await journal.settle([outcome(1, Event.EXCLUDED)], turn=0)
    assert kept.life(1) == (before.after(Event.EXCLUDED) if is_open else before)
    assert await journal.claim(0, 10) == []
    assert await journal.undecided(0.0, 0) == []
    assert [each.is_excluded for each in await journal.in_doubt(10)] == [True] * (is_open and before.in_doubt)
    journal.close()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_what_is_found_was_accepted_if_it_was_in_doubt(keep: Keep, way: Sequence[Event]) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    await ends(journal, 1, *way)
    await journal.found({1: ANSWER}, NOW_S)
    before = life_of(way)
    assert kept.life(1) == (before.after(Event.FOUND) if before.state in STEPS[Event.FOUND].before else before)
    journal.close()


# -- The past


async def test_rows_in_doubt_are_those_that_began_lately_and_that_nobody_has_decided_on(keep: Keep) -> None:
    kept = keep(messages(*[ANA] * 5))
    journal = kept.open()
    for row, began_s in ((1, 100.0), (2, 500.0), (3, 500.0), (4, 500.0)):
        await journal.begin([row], began_s)
        await journal.settle([outcome(row, Event.DOUBTED)], turn=0)
    await ends(journal, 5, Event.ACCEPTED)
    journal.close()
    kept.decide(3, Event.LEFT)
    kept.decide(4, Event.RESENT)
    journal = kept.open()
    assert await journal.undecided(500.0, 0) == [Queued(2, ANA, 1)]
    assert rows_of(await journal.undecided(50.0, 0)) == [1, 2]
    assert rows_of(await journal.claim(0, 10)) == [4]
    journal.close()


async def test_rows_in_doubt_are_known_by_the_one_proof_under_which_all_their_doubts_went(keep: Keep) -> None:
    journal = keep(messages(*[ANA] * 5)).open()
    ways = {1: (3,), 2: (3, 3), 3: (0, 3), 4: (3, 0, 3), 5: (1, 3)}
    for row, proofs in ways.items():
        for proof in proofs:
            [attempt] = await journal.begin([row], BEGAN_S, proof)
            await journal.settle([outcome(row, Event.DOUBTED)], turn=0)
        assert attempt.proof == (3 if set(proofs) == {3} else 0)
    assert rows_of(await journal.undecided(0.0, 3)) == [1, 2]
    journal.close()


async def test_what_certainly_was_not_accepted_says_nothing_of_a_proof(keep: Keep) -> None:
    journal = keep(messages(ANA)).open()
    for proof, event in ((0, Event.FAILED), (1, Event.CALLED_OFF), (3, Event.DOUBTED)):
        await journal.begin([1], BEGAN_S, proof)
        await journal.settle([outcome(1, event)], turn=0)
    assert rows_of(await journal.undecided(0.0, 3)) == [1]
    journal.close()


async def test_an_attempt_knows_since_when_its_row_is_in_doubt_and_whether_somebody_wants_it_again(keep: Keep) -> None:
    kept = keep(messages(ANA, BEN))
    journal = kept.open()
    for row in (1, 2):
        await journal.begin([row], 100.0)
        await journal.settle([outcome(row, Event.DOUBTED)], turn=0)
    journal.close()
    kept.decide(2, Event.RESENT)
    journal = kept.open()
    first, second = await journal.begin([1, 2], 500.0)
    assert (first.doubt_since, first.resent) == (100.0, False)
    assert (second.doubt_since, second.resent) == (100.0, True)
    journal.close()


async def test_equal_messages_are_told_apart_by_how_many_come_before(keep: Keep) -> None:
    same = Message(1, ANA, "Shop", "Hello", 1, MicroUSD(1))
    rows = [same, same._replace(row=2, copy=1), same._replace(row=3, sender=None), same._replace(row=4, copy=2)]
    journal = keep(rows).open()
    assert [attempt.message.copy for attempt in await journal.begin([1, 2, 3, 4], BEGAN_S)] == [0, 1, 0, 2]
    await journal.settle([outcome(2, Event.DOUBTED)], turn=0)
    assert [row.key for row in await journal.in_doubt(10)] == [KEYS.of(rows[1])]
    journal.close()


async def test_a_repeat_does_not_make_a_doubt_younger(keep: Keep) -> None:
    journal = keep(messages(ANA)).open()
    for began_s in (100.0, 900.0):
        await journal.begin([1], began_s)
        await journal.settle([outcome(1, Event.DOUBTED)], turn=0)
    assert await journal.undecided(101.0, 0) == []
    journal.close()


async def test_what_another_left_under_way_is_in_doubt_and_looked_up(keep: Keep) -> None:
    kept = keep(messages(ANA, BEN))
    journal = kept.open()
    [attempt] = await journal.begin([1], BEGAN_S)
    journal.leaves(attempt)
    journal.close()
    journal = kept.open()
    assert kept.life(1) == Life(State.UNKNOWN, in_doubt=True)
    assert rows_of(await journal.undecided(0.0, 0)) == [1]
    assert [each.row for each in await journal.in_doubt(10)] == [1]
    assert rows_of(await journal.claim(0, 10)) == [2]
    journal.close()


async def test_what_is_looked_up_is_in_doubt_and_was_not_left_at_that(keep: Keep) -> None:
    planned = messages(ANA, BEN, EVA, CONTACT, *[ANA] * 7)
    kept = keep(planned)
    journal = kept.open()
    for row, event in enumerate((Event.DOUBTED, Event.DOUBTED, *ENDS), start=3):
        await ends(journal, row, event)
    await ends(journal, 1, Event.DOUBTED)
    journal.close()
    kept.decide(1, Event.LEFT)
    kept.decide(3, Event.RESENT)
    journal = kept.open()
    expected = [row for row in range(1, 12) if kept.life(row).is_open]
    looked_up = await journal.in_doubt(10)
    assert [each.row for each in looked_up] == expected
    assert set(expected) >= {3, 4, 9}
    assert not {1, 2, 5, 6, 7, 8, 10, 11} & set(expected)
    assert looked_up[1:2] == [RowInDoubt(4, CONTACT, "Hello 4", KEYS.of(planned[3]), BEGAN_S, BEGAN_S, "why")]
    journal.close()


async def test_what_is_looked_up_comes_in_input_order_and_so_many_at_most(keep: Keep) -> None:
    journal = keep(messages(*[ANA] * 4)).open()
    for row in (4, 2, 3):
        await ends(journal, row, Event.DOUBTED)
    assert [each.row for each in await journal.in_doubt(2)] == [2, 3]
    assert [each.row for each in await journal.in_doubt(10)] == [2, 3, 4]
    journal.close()


async def test_what_is_looked_up_began_between_its_first_doubt_and_its_last_attempt(keep: Keep) -> None:
    journal = keep(messages(ANA)).open()
    for began_s, event in (
        (100.0, Event.FAILED),
        (300.0, Event.DOUBTED),
        (500.0, Event.DOUBTED),
        (900.0, Event.FAILED),
    ):
        await journal.begin([1], began_s)
        assert await journal.in_doubt(10) == []  # it is under way
        await journal.settle([outcome(1, event)], turn=0)
    [row] = await journal.in_doubt(10)
    assert (row.since, row.until) == (300.0, 900.0)
    journal.close()


async def test_what_was_found_is_not_looked_up_again(keep: Keep) -> None:
    journal = keep(messages(ANA, BEN)).open()
    for row in (1, 2):
        await ends(journal, row, Event.DOUBTED)
    await journal.found({1: ANSWER}, NOW_S)
    assert [each.row for each in await journal.in_doubt(10)] == [2]
    journal.close()


async def test_message_ids_are_of_what_was_sent_lately(keep: Keep) -> None:
    journal = keep(messages(*[ANA] * 5)).open()
    await journal.begin([1, 2, 3, 4, 5], 50.0)
    await journal.settle(
        [told(1, Event.ACCEPTED, 100.0), told(2, Event.ACCEPTED, 200.0), told(3, Event.ACCEPTED, 300.0)],
        turn=0,
    )
    await journal.settle([outcome(4, Event.DOUBTED, 300.0)], turn=0)
    assert set(await journal.message_ids(0.0)) == {"SMS of 1", "SMS of 2", "SMS of 3"}
    assert set(await journal.message_ids(200.0)) == {"SMS of 2", "SMS of 3"}
    assert set(await journal.message_ids(300.5)) == set()
    await journal.found({4: ANSWER}, NOW_S)
    assert set(await journal.message_ids(300.5)) == {ANSWER.message_id}
    await journal.settle([told(5, Event.KNOWN, NOW_S)], turn=0)  # another run's, and so none of ours in doubt
    assert set(await journal.message_ids(300.5)) == {ANSWER.message_id, "SMS of 5"}
    journal.close()


@pytest.mark.parametrize("event", [Event.DOUBTED, Event.REJECTED, Event.FAILED, Event.PUT_OFF])
async def test_an_answer_that_does_not_say_that_its_row_was_sent_tells_no_message_id_of_it(
    keep: Keep, event: Event
) -> None:
    journal = keep(messages(ANA)).open()
    await journal.begin([1], BEGAN_S)
    await journal.settle([told(1, event, NOW_S)], turn=0)
    assert set(await journal.message_ids(0.0)) == set()
    journal.close()


async def test_rivals_are_rows_that_are_not_looked_up_and_whose_message_may_have_no_known_id(keep: Keep) -> None:
    kept = keep(messages(*[ANA] * 6))
    journal = kept.open()
    await ends(journal, 1, Event.ACCEPTED)  # known by its id
    await ends(journal, 2, Event.DOUBTED)  # looked up
    await ends(journal, 3, Event.REJECTED)  # certainly not in the list
    await ends(journal, 4, Event.DOUBTED, Event.ACCEPTED)  # one of its two attempts is not known
    await ends(journal, 5, Event.DOUBTED)
    journal.close()
    kept.decide(5, Event.LEFT)
    journal = kept.open()
    await journal.begin([6], NOW_S)  # under way
    assert set(await journal.rivals(NOW_S)) == {(ANA, "Hello 4"), (ANA, "Hello 5"), (ANA, "Hello 6")}
    assert set(await journal.rivals(NOW_S + 1)) == {(ANA, "Hello 6")}
    journal.close()


async def test_recent_sends_are_those_that_may_have_arrived(keep: Keep) -> None:
    journal = keep(messages(ANA, ANA, BEN, BEN, EVA, CONTACT)).open()
    await journal.begin([1, 2, 3, 4, 5, 6], BEGAN_S)
    await journal.settle(
        [
            outcome(1, Event.ACCEPTED, 100.0),
            outcome(2, Event.DOUBTED, 300.0),
            outcome(3, Event.REJECTED, 300.0),
            outcome(4, Event.FAILED, 300.0),
            outcome(5, Event.ACCEPTED, 200.0),
        ],
        turn=0,
    )
    assert await journal.recent_sends(200.0, NOW_S) == [(EVA, 1, 200.0), (ANA, 1, 300.0), (CONTACT, 1, NOW_S)]
    assert len(await journal.recent_sends(0.0, NOW_S)) == 4
    journal.close()


async def test_what_ended_in_the_future_ends_now(keep: Keep) -> None:
    """The clock was set back since: nobody knows better."""
    journal = keep(messages(ANA)).open()
    await journal.begin([1], BEGAN_S)
    await journal.settle([outcome(1, Event.ACCEPTED, NOW_S)], turn=0)
    assert await journal.recent_sends(0.0, NOW_S - 500) == [(ANA, 1, NOW_S - 500)]
    journal.close()


async def test_each_attempt_of_a_row_in_doubt_counts(keep: Keep) -> None:
    journal = keep(messages(ANA, parts=2)).open()
    await ends(journal, 1, Event.DOUBTED, Event.DOUBTED, Event.REJECTED)
    assert await journal.recent_sends(0.0, NOW_S) == [(ANA, 6, NOW_S)]
    journal.close()


# -- Somebody elsewhere


async def test_whoever_has_a_run_is_asked_to_end_and_nobody_who_comes_later(keep: Keep) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    assert await journal.asked_at() is None
    kept.is_asked_to_end()
    assert await journal.asked_at() == NOW_S
    await ends(journal, 1, Event.PUT_OFF)  # it is for the send to heed it
    journal.close()
    journal = kept.open()
    assert await journal.asked_at() is None
    journal.close()


async def test_whoever_looks_on_sees_what_was_noted_last(keep: Keep) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    assert kept.progress() is None
    for words in ("half", "all of it"):
        await journal.note_progress(words)
        assert kept.progress() == words
    journal.close()
    journal = kept.open()
    assert kept.progress() is None  # that was of whoever had it before
    journal.close()


# -- Order, ends and failures


async def test_calls_take_effect_in_their_order_whether_or_not_they_are_awaited(keep: Keep) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    for _ in range(3):
        beginning = journal.begin([1], BEGAN_S)
        settling = journal.settle([outcome(1, Event.PUT_OFF)], turn=0)
    claiming = journal.claim(0, 10)
    last = journal.begin([1], BEGAN_S)
    [attempt], _, claimed, [again] = await asyncio.gather(beginning, settling, claiming, last)
    assert (attempt.number, rows_of(claimed), again.number) == (3, [1], 4)
    journal.close()


async def test_closing_commits_what_still_waits(keep: Keep) -> None:
    kept = keep(messages(ANA))
    journal = kept.open()
    await journal.begin([1], BEGAN_S)
    settling = journal.settle([outcome(1, Event.ACCEPTED)], turn=1)
    journal.close()
    assert kept.life(1) == Life(State.SENT)
    await settling


CALLS: dict[str, Callable[[Journal], Awaitable[object]]] = {
    "claim": lambda journal: journal.claim(0, 10),
    "crowded": lambda journal: journal.crowded(lambda *_: True),
    "in doubt": lambda journal: journal.undecided(0.0, 0),
    "recent sends": lambda journal: journal.recent_sends(0.0, NOW_S),
    "begin": lambda journal: journal.begin([2], NOW_S),
    "settle": lambda journal: journal.settle([outcome(1, Event.ACCEPTED)], turn=0),
    "to look up": lambda journal: journal.in_doubt(10),
    "message ids": lambda journal: journal.message_ids(0.0),
    "rivals": lambda journal: journal.rivals(0.0),
    "found": lambda journal: journal.found({1: ANSWER}, NOW_S),
    "asked": lambda journal: journal.asked_at(),
    "progress": lambda journal: journal.note_progress("far"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_every_call_of_who_lost_the_run_fails_and_notes_nothing(
    keep: Keep, call: Callable[[Journal], Awaitable[object]]
) -> None:
    kept = keep(messages(ANA, ANA))
    journal = kept.open()
    await journal.begin([1], BEGAN_S)
    kept.is_taken_over()
    with pytest.raises(OwnedError):
        await call(journal)
    assert kept.life(1) == Life(State.IN_FLIGHT)
    assert kept.life(2) == Life(State.PENDING)
    journal.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_every_call_that_cannot_be_carried_out_fails(
    keep: Keep, call: Callable[[Journal], Awaitable[object]]
) -> None:
    kept = keep(messages(ANA, ANA))
    journal = kept.open()
    kept.breaks()
    with pytest.raises(RunFileError):
        await call(journal)
    journal.close()


@pytest.mark.parametrize(("happens", "error"), [("breaks", RunFileError), ("is_taken_over", OwnedError)])
async def test_all_callers_of_what_cannot_be_carried_out_hear_of_it(
    keep: Keep, happens: str, error: type[Exception]
) -> None:
    kept = keep(messages(ANA, ANA))
    journal = kept.open()
    getattr(kept, happens)()
    async with asyncio.timeout(10):
        told = await asyncio.gather(*[call(journal) for call in CALLS.values()], return_exceptions=True)
    assert [type(each) for each in told] == [error] * len(CALLS)
    journal.close()
