"""Whoever opts out while a run is sent gets nothing more: not at first, not again, not by another spelling."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from memory import Memory, MemoryJournal
from test_engine import BRISK, HOT, KEYS, LIMIT_S, NoJitter, Server, accepted, accepts_all, echoes_all, refused

from bulksend.engagespark.outcomes import Fault, Reply
from bulksend.model import ContactId, Event, Message, MicroUSD, PhoneNumber, Recipient, Status
from bulksend.runs.optouts import FileOptedOut, FileOptOuts
from bulksend.runs.states import Decision, Life, State
from bulksend.sending import Budget, Cap, Caps, ErrorLimit, Errors, Pace, Stop, Stopping, StopReason, assemble
from bulksend.sending.optouts import LOOK_EACH_S

ALONE = Pace(concurrency=1, timeout_s=1.0, grace_s=0.2)
CAP = (Cap("63", 1, 0.3),)
CONTACT, LONG, SHORT = ContactId(5), PhoneNumber("5491123456789"), PhoneNumber("541123456789")
OUT = Life(State.EXCLUDED)
IN_DOUBT = Life(State.UNKNOWN, in_doubt=True, decision=Decision.EXCLUDED)
LATE_S = LOOK_EACH_S + 0.4  # on a busy machine


def abroad(number: int) -> PhoneNumber:
    return PhoneNumber(f"49151{number:07}")


@dataclass
class Office:
    """A list of opt-outs, and runs that are sent while it grows.

    Attributes:
        now: the engine's clock beside the time that passes: what makes a look old without waiting.
        ends: how the last run says that its rows ended.
    """

    path: Path
    now: float = 0.0
    ends: Mapping[Status, int] = field(default_factory=dict)

    def opts_out(self, *recipients: Recipient) -> None:
        """From another process's point of view: the list is opened, written and closed."""
        with FileOptOuts(self.path) as optouts:
            optouts.add(recipients, "", 1.0)
        self.now += LOOK_EACH_S

    def memory(self, *recipients: Recipient) -> Memory:
        return Memory.of(
            [Message(row, who, None, f"Hello {row}", 1, MicroUSD(1)) for row, who in enumerate(recipients, 1)]
        )

    async def send(
        self, memory: Memory, server: Server, pace: Pace = ALONE, *, caps: tuple[Cap, ...] = (), **how: object
    ) -> Stop | None:
        with FileOptedOut(self.path, self.path.with_name("no account")) as optouts:
            engine = assemble(
                MemoryJournal(memory, time.time()),
                server,
                Stopping(),
                Caps(caps),
                pace,
                keys=KEYS,
                turn=memory.turn,
                optouts=optouts,
                rng=NoJitter(),
                mono_s=lambda: time.monotonic() + self.now,
                **how,  # type: ignore[arg-type]
            )
            async with asyncio.timeout(LIMIT_S):
                stop = await engine.run()
            self.ends = engine.progress.ends
            return stop


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "optouts.sqlite")


def lives(memory: Memory) -> list[Life]:
    return [note.life for note in memory.notes.values()]


def says(memory: Memory) -> list[str]:
    return [note.error for note in memory.notes.values()]


async def test_who_is_on_the_list_when_a_run_begins_gets_nothing_and_the_others_theirs(office: Office) -> None:
    office.opts_out(abroad(2), LONG)
    memory = office.memory(abroad(1), abroad(2), SHORT, abroad(4))
    server = accepts_all()
    assert await office.send(memory, server) is None
    assert sorted(server.rows) == [1, 4]
    assert lives(memory)[1:3] == [OUT, OUT]
    assert says(memory)[1].startswith("opted out on ")
    assert [note.attempts for note in memory.notes.values()] == [1, 0, 0, 1]
    assert [note.started_s > 0 for note in memory.notes.values()] == [True, False, False, True]  # without an intent


async def test_a_run_of_nobody_else_ends(office: Office) -> None:
    office.opts_out(abroad(1), abroad(2))
    memory = office.memory(abroad(1), abroad(2))
    server = accepts_all()
    assert await office.send(memory, server) is None
    assert server.rows == []
    assert lives(memory) == [OUT, OUT]
    assert office.ends == {Status.SKIPPED: 2}


def begun(memory: Memory, server: Server) -> list[int]:
    """The rows whose intents are noted, and whose POSTs have not left."""
    in_flight = (row for row, note in memory.notes.items() if note.life.state is State.IN_FLIGHT)
    return [row for row in in_flight if row not in server.rows]


@pytest.mark.parametrize("resent", [False, True])
async def test_who_opts_out_between_the_intent_and_the_post_gets_nothing(office: Office, *, resent: bool) -> None:
    memory = office.memory(*map(abroad, range(1, 201)))
    for row in range(5, 201) if resent else ():
        for event in (Event.BEGUN, Event.DOUBTED, Event.RESENT):
            memory.notes[row].see(event)
    ahead: list[int] = []

    def reply(message: Message, _: int) -> Reply:
        if not ahead and message.row >= 5:
            ahead.extend(begun(memory, server))
            office.opts_out(*map(abroad, ahead))
        return accepted(message, echoed=True)

    server = Server(reply)
    assert await office.send(memory, server, BRISK) is None
    assert ahead
    assert not {*ahead} & {*server.rows}
    assert {memory.notes[row].life for row in ahead} == {IN_DOUBT if resent else OUT}
    assert office.ends[Status.UNKNOWN if resent else Status.SKIPPED] == len(ahead)
    assert {memory.notes[row].attempts for row in ahead} == {0}
    assert len(server.rows) == 200 - len(ahead)


async def test_who_opts_out_while_their_row_waits_for_the_cap_gets_nothing_more(office: Office) -> None:
    memory = office.memory(HOT, HOT, HOT, abroad(1))

    def reply(message: Message, _: int) -> Reply:
        if message.row == 4:
            office.opts_out(HOT)
        return accepted(message)

    server = Server(reply)
    assert await office.send(memory, server, BRISK, caps=CAP) is None
    assert sorted(server.rows) == [1, 4]
    assert lives(memory)[1:3] == [OUT, OUT]


@pytest.mark.parametrize("status", [500, 429])
async def test_who_opts_out_after_a_failure_is_not_tried_again(office: Office, status: int) -> None:
    memory = office.memory(abroad(1), abroad(2))

    def reply(message: Message, _: int) -> Reply:
        if message.row == 2:
            office.opts_out(abroad(2))
            return refused(status)
        return accepted(message)

    server = Server(reply)
    assert await office.send(memory, server) is None
    assert server.rows == [1, 2]
    assert lives(memory)[1] == OUT
    assert memory.notes[2].attempts == 1


async def test_a_row_in_doubt_is_not_repeated_where_the_server_shows_keys_and_its_phone_opted_out(
    office: Office,
) -> None:
    memory = office.memory(*map(abroad, range(1, 5)))

    def reply(message: Message, tried: int) -> Reply:
        if message.row in (2, 3) and tried == 1:
            if message.row == 2:
                office.opts_out(abroad(2))
            return Reply(None, fault=Fault.TIMED_OUT)
        return accepted(message, echoed=True)

    server = Server(reply)
    assert await office.send(memory, server) is None
    assert server.rows.count(2) == 1
    assert server.rows.count(3) == 2  # the other is repeated, as is safe
    assert lives(memory)[1] == IN_DOUBT
    assert lives(memory)[2].state is State.SENT


@pytest.mark.parametrize("event", [Event.DOUBTED, Event.CUT_OFF])
@pytest.mark.parametrize("resent", [False, True])
async def test_what_an_earlier_command_left_in_doubt_is_not_repeated_by_proof_nor_by_anybodys_word(
    office: Office, event: Event, *, resent: bool
) -> None:
    office.opts_out(abroad(2))
    memory = office.memory(abroad(1), abroad(2), abroad(3))
    memory.turn = 1
    for row in (2, 3):
        note = memory.notes[row]
        note.see(Event.BEGUN)
        note.attempts, note.started_s, note.proof = 1, time.time(), 1
        note.see(event)
        if resent:
            note.see(Event.RESENT)
    server = echoes_all()
    assert await office.send(memory, server) is None
    assert sorted(server.rows) == [1, 3]
    assert lives(memory)[1] == IN_DOUBT
    again = echoes_all()
    assert await office.send(memory, again) is None
    assert again.rows == []


async def test_a_contact_is_checked_as_soon_as_an_answer_tells_its_number(office: Office) -> None:
    office.opts_out(HOT)
    memory = office.memory(CONTACT, CONTACT, CONTACT, ContactId(6))
    server = Server(lambda message, _: accepted(message, to=HOT if message.recipient == CONTACT else abroad(1)))
    assert await office.send(memory, server) is None
    assert server.rows == [1, 4]
    assert lives(memory)[1:3] == [OUT, OUT]


async def test_a_contact_can_opt_out_by_its_id_though_its_number_is_known(office: Office) -> None:
    office.opts_out(CONTACT)
    memory = office.memory(CONTACT, abroad(1))
    memory.numbers[CONTACT] = HOT
    server = accepts_all()
    assert await office.send(memory, server) is None
    assert server.rows == [2]
    assert lives(memory)[0] == OUT


async def test_a_budget_holds_nothing_for_who_opted_out(office: Office) -> None:
    memory = office.memory(*map(abroad, range(1, 6)))

    def reply(message: Message, _: int) -> Reply:
        if message.row == 1:
            office.opts_out(abroad(2), abroad(3))
        return accepted(message)

    server = Server(reply)
    budget = Budget(MicroUSD(100_000), spent=0, dearest_part=1, told={"": 1}, in_doubt=[], kind_of=lambda _: "")
    assert await office.send(memory, server, budget=budget) is None
    assert server.rows == [1, 4, 5]


async def test_who_opted_out_is_no_error(office: Office) -> None:
    office.opts_out(*map(abroad, range(1, 9)))
    memory = office.memory(*map(abroad, range(1, 11)))
    errors = Errors(ErrorLimit(0, is_percent=False))
    assert await office.send(memory, accepts_all(), errors=errors) is None
    assert errors.count == 0


async def test_where_it_cannot_be_seen_who_opted_out_the_run_ends_in_order(office: Office) -> None:
    office.opts_out(HOT)
    memory = office.memory(*map(abroad, range(1, 20)))

    def reply(message: Message, _: int) -> Reply:
        if message.row == 2:
            office.path.unlink()
            office.path.write_bytes(b"no list any more" * 1_000)
            office.now += LOOK_EACH_S
        return accepted(message)

    server = Server(reply)
    stop = await office.send(memory, server)
    assert stop is not None
    assert stop.reason is StopReason.STORE_FAILED
    assert "who opted out cannot be read" in stop.says
    assert server.rows == [1, 2]
    assert {life.state for life in lives(memory)[2:]} == {State.PENDING}


async def test_it_is_looked_at_on_the_clock_and_not_row_by_row(office: Office) -> None:
    office.opts_out(HOT)
    looks = 0

    class Counted(FileOptedOut):
        def look(self) -> None:
            nonlocal looks
            looks += 1
            super().look()

    memory = office.memory(*map(abroad, range(1, 2_001)))
    with closing(Counted(office.path, office.path)) as optouts:
        engine = assemble(
            MemoryJournal(memory, 1.0), accepts_all(), Stopping(), Caps(()), BRISK, keys=KEYS, optouts=optouts,
            mono_s=lambda: 7.0,
        )  # fmt: skip
        assert await engine.run() is None
    assert looks == 2  # when it was opened, and once in all that time


async def test_by_the_clock_nobody_gets_anything_a_look_after_they_opted_out(office: Office) -> None:
    """In real time, and with many at once."""
    told: dict[int, float] = {}
    memory = office.memory(*(abroad(row) for row in range(1, 3_001)))

    def reply(message: Message, _: int) -> object:
        return asyncio.sleep(0.02, accepted(message))

    server = Server(reply)  # type: ignore[arg-type]
    sending = asyncio.create_task(office.send(memory, server, Pace(concurrency=20, timeout_s=5.0)))
    for first in (500, 900, 1_400, 1_900):
        await asyncio.sleep(0.25)
        rows = range(first, 3_000, 7)
        with FileOptOuts(office.path) as optouts:
            optouts.add([abroad(row) for row in rows], "", 1.0)
        told |= dict.fromkeys(set(rows) - told.keys(), time.monotonic())
    assert await sending is None
    late = [(row, at - told[row]) for row, _, at in server.calls if row in told and at - told[row] > LATE_S]
    assert not late
    out = [row for row, note in memory.notes.items() if note.life == OUT]
    assert len(out) > 500
    assert {*out} <= told.keys()
    assert {life.state for row, life in enumerate(lives(memory), 1) if row not in told} == {State.SENT}
