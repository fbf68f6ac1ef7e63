"""Who hears of attempts hears of each, once it is committed, and of nothing that was not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from memory import Memory, MemoryJournal
from test_engine import BRISK, KEYS, LIMIT_S, NoJitter, Server, abroad, accepted, refused

from bulksend.engagespark.outcomes import Fault, Reply
from bulksend.errors import RunFileError
from bulksend.model import Event, Message, MicroUSD
from bulksend.runs.states import State
from bulksend.sending import Caps, Heard, Pace, Stopping, assemble


@dataclass
class Ears:
    """Keeps what it hears, and how the rows stood in the journal by then."""

    memory: Memory
    heard: list[Heard] = field(default_factory=list)

    def hear_of(self, heard: Sequence[Heard]) -> None:
        for each in heard:
            noted = self.memory.notes[each.outcome.row]
            assert each.attempt is None or each.attempt.number <= noted.attempts
            assert noted.life.state is not State.IN_FLIGHT
        self.heard += heard


async def heard_of(server: Server, rows: int = 3, pace: Pace = BRISK, memory: Memory | None = None) -> list[Heard]:
    memory = memory or memory_of(rows)
    ears = Ears(memory)
    engine = assemble(
        MemoryJournal(memory, time.time()),
        server,
        Stopping(),
        Caps(),
        pace,
        keys=KEYS,
        listener=ears,
        rng=NoJitter(),
    )
    async with asyncio.timeout(LIMIT_S):
        await engine.run()
    return ears.heard


def memory_of(rows: int) -> Memory:
    return Memory.of(
        [Message(row, who, None, f"Hello {row}", 1, MicroUSD(1)) for row, who in enumerate(abroad(rows), 1)]
    )


def told(heard: list[Heard]) -> list[tuple[int, int | None, Event, int | None, str]]:
    return [
        (
            each.outcome.row,
            each.attempt.number if each.attempt else None,
            each.outcome.event,
            each.outcome.http_status,
            each.outcome.code,
        )
        for each in heard
    ]


async def test_every_attempt_is_heard_of_in_its_order() -> None:
    def reply(message: Message, tried: int) -> Reply:
        if message.row == 2 and tried == 1:
            return Reply(None, fault=Fault.TIMED_OUT)
        if message.row == 3:
            return refused(400) if tried > 1 else refused(429, retry_after_s=0.1)
        return accepted(message, echoed=True)

    found = told(await heard_of(Server(reply)))
    assert [each for each in found if each[0] == 1] == [(1, 1, Event.ACCEPTED, 200, "")]
    assert [each for each in found if each[0] == 2] == [
        (2, 1, Event.DOUBTED, None, "timed out"),
        (2, 2, Event.ACCEPTED, 200, ""),
    ]
    assert [each[1:4] for each in found if each[0] == 3] == [(1, Event.PUT_OFF, 429), (2, Event.REJECTED, 400)]


async def test_how_long_an_answer_took_is_told() -> None:
    async def reply(message: Message) -> Reply:
        await asyncio.sleep(0.05)
        return accepted(message)

    heard = await heard_of(Server(lambda message, _: reply(message)), rows=2)
    assert len(heard) == 2
    assert all(0.04 < each.took_s < 10.0 for each in heard)


async def test_what_could_not_be_committed_is_not_heard_of() -> None:
    memory = memory_of(3)

    def reply(message: Message, _: int) -> Reply:
        if message.row == 2:
            memory.failure = RunFileError("the disk is full")
        return accepted(message, echoed=True)

    found = await heard_of(Server(reply), memory=memory)
    assert [each.outcome.row for each in found] == [1]
