"""A run that waits for its moment, by a clock that is set, stands still with the machine, or simply goes on."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from memory import Memory, MemoryJournal
from runfiles import crowd_of

from bulksend import campaign
from bulksend.campaign import CampaignEvent, Waiting
from bulksend.campaign.windows import heeding_hours
from bulksend.engagespark import Target
from bulksend.engagespark.outcomes import Fault, Reply, judge
from bulksend.errors import OwnedError
from bulksend.model import Answer, Endpoint, Message, MicroUSD, PhoneNumber
from bulksend.runs import Address, account_of, ask_to_end, open_run, own_run
from bulksend.runs.states import State
from bulksend.sending import Caps, Pace, Stop, Stopping, StopReason, Verdict, assemble
from bulksend.when import Schedule, Wanted

MANILA = "Asia/Manila"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(MANILA)).timestamp()


EVENING = at("2026-11-25 19:00")
NINE = at("2026-11-26 09:00")


def schedule(start: str | None = "tomorrow 09:00", *windows: str) -> Schedule:
    return Wanted(start, windows, None, MANILA).settled(Schedule(), EVENING)


@dataclass
class Clockwork:
    """A clock that goes on only while somebody sleeps, and does then what a test wants.

    Attributes:
        now_s: what it shows.
        happens: what happens to it by turns, beside going on.
        slept: for how long each time.
    """

    now_s: float
    happens: Iterator[Callable[[], None]] = field(default_factory=lambda: itertools.repeat(lambda: None))
    slept: list[float] = field(default_factory=list)

    def wall_s(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        next(self.happens, lambda: None)()
        await asyncio.sleep(0)

    def set(self, to_s: float) -> Callable[[], None]:
        def happens() -> None:
            self.now_s = to_s

        return happens


async def waited(
    place: Path, clock: Clockwork, when: Schedule, stopping: Stopping | None = None
) -> tuple[bool, list[CampaignEvent]]:  # fmt: skip
    told: list[CampaignEvent] = []
    with own_run(place, time.time()) as run:
        slept = await campaign.wait_until_open(
            run, when, stopping or Stopping(), told.append, wall_s=clock.wall_s, sleep=clock.sleep
        )
        assert run.times.waits_until is None
    return slept, told


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return crowd_of(tmp_path / "c.run", 3)


async def test_it_sleeps_in_short_steps_until_the_very_moment(place: Path) -> None:
    clock = Clockwork(NINE - 90.25)
    slept, told = await waited(place, clock, schedule())
    assert slept
    assert clock.now_s == NINE
    assert max(clock.slept) <= 1.0
    assert told[0] == Waiting(NINE, NINE - 90.25, MANILA)
    assert len(told) == len(clock.slept)


async def test_whoever_is_in_time_does_not_sleep(place: Path) -> None:
    clock = Clockwork(NINE + 1)
    assert await waited(place, clock, schedule()) == (False, [])
    assert await waited(place, clock, Schedule()) == (False, [])
    assert not clock.slept


async def test_a_machine_that_was_suspended_begins_when_it_wakes(place: Path) -> None:
    clock = Clockwork(EVENING)
    clock.happens = iter([lambda: None, clock.set(NINE + 3_600)])
    await waited(place, clock, schedule())
    assert len(clock.slept) == 2


async def test_a_machine_that_wakes_when_the_window_is_over_waits_for_the_next(place: Path) -> None:
    clock = Clockwork(EVENING)
    next_day = at("2026-11-27 08:00")
    clock.happens = iter([clock.set(at("2026-11-26 21:00")), clock.set(next_day - 0.5)])
    _, told = await waited(place, clock, schedule("tomorrow 09:00", "ph"))
    assert clock.now_s == next_day
    assert [event.until_s for event in told if isinstance(event, Waiting)] == [NINE, next_day, next_day]


async def test_a_clock_that_is_set_back_makes_it_wait_on(place: Path) -> None:
    clock = Clockwork(NINE - 0.5)
    clock.happens = iter([clock.set(NINE - 10.0)])
    await waited(place, clock, schedule())
    assert clock.now_s == NINE
    assert len(clock.slept) == 11


async def test_until_when_it_sleeps_stands_in_the_run(place: Path) -> None:
    clock, seen = Clockwork(NINE - 2), []

    def look() -> None:
        with open_run(place) as run:
            seen.append(run.times.waits_until)

    clock.happens = iter([look])
    await waited(place, clock, schedule())
    assert seen == [NINE]


async def test_somebody_elsewhere_ends_the_sleep(place: Path) -> None:
    clock, stopping = Clockwork(EVENING), Stopping()

    def ask() -> None:
        assert ask_to_end(place, time.time()) is not None

    clock.happens = iter([lambda: None, ask])
    slept, _ = await waited(place, clock, schedule(), stopping)
    assert slept
    assert stopping.why is not None
    assert stopping.why.reason is StopReason.ASKED
    assert len(clock.slept) == 2


async def test_a_signal_ends_the_sleep_at_once(place: Path) -> None:
    stopping = Stopping()
    with own_run(place, time.time()) as run:
        waiting = asyncio.create_task(
            campaign.wait_until_open(
                run, schedule(), stopping, lambda _: None, wall_s=lambda: EVENING, sleep=lambda _: asyncio.sleep(3600)
            )
        )
        await asyncio.sleep(0.05)
        stopping.ask(Stop(StopReason.INTERRUPTED, "interrupted"))
        assert await asyncio.wait_for(waiting, 5)


def test_who_waits_for_the_account_waits_no_longer_than_it_may(place: Path) -> None:
    target, began = Target("https://x.test", 1, Endpoint.CONTACT, "key"), time.monotonic()
    with (
        account_of(Path("another.run"), Address(target.org_id, target.base_url)),
        own_run(place, time.time()) as run,
        pytest.raises(OwnedError, match="it was waited for as long as it may be: nothing was sent"),
        campaign.held_account(target, run, lambda _: None, wait=True, limit_s=0.6),
    ):
        raise AssertionError("somebody else has it")
    assert 0.6 <= time.monotonic() - began < 5


# ---- while it is sent ----


class Going:
    """A clock that goes on by itself, from a moment on."""

    def __init__(self, from_s: float) -> None:
        self._ahead_s = from_s - time.monotonic()

    def __call__(self) -> float:
        return time.monotonic() + self._ahead_s

    def set(self, to_s: float) -> None:
        self._ahead_s = to_s - time.monotonic()


CLOSES = at("2026-11-25 20:00")
PH = Wanted(None, ("ph",), None, MANILA).settled(Schedule(), EVENING)


@dataclass
class Server:
    """A server that takes its time, by the clock of a test.

    Attributes:
        takes_s: for each answer.
        reply: what it answers; None for that the message is accepted.
        at: called when a message arrives, with how many did.
        left_at: when messages did.
        ended_at: when they were answered.
        looks: how often somebody looked whether it is there; it is not.
    """

    clock: Going
    takes_s: float = 0.0
    reply: Reply | None = None
    at: Callable[[int], None] = lambda _: None
    left_at: list[float] = field(default_factory=list)
    ended_at: list[float] = field(default_factory=list)
    looks: int = 0

    async def send(
        self, message: Message, dedup_key: str | None, leaves: Callable[[], bool]  # noqa: ARG002 -- none is sent
    ) -> Verdict:  # fmt: skip
        assert leaves()
        self.left_at.append(self.clock())
        self.at(len(self.left_at))
        await asyncio.sleep(self.takes_s)
        self.ended_at.append(self.clock())
        answer = Answer(f"SMS{message.row}", 1, 20_000, "0.02", "", str(message.recipient), 0, MicroUSD(20_000))
        return judge(self.reply or Reply(200, answer=answer))

    async def is_there(self) -> bool:
        self.looks += 1
        return False


async def sent(server: Server, rows: int, when: Schedule = PH) -> tuple[Stop | None, Memory]:
    who = [PhoneNumber(f"49151{number:07}") for number in range(1, rows + 1)]
    memory = Memory.of([Message(row, each, None, f"Hello {row}", 1, MicroUSD(1)) for row, each in enumerate(who, 1)])
    stopping, pace = Stopping(), Pace(concurrency=4, timeout_s=1.0, grace_s=0.2)
    journal = MemoryJournal(memory, server.clock())
    engine = assemble(journal, server, stopping, Caps(()), pace, keys=None, rng=random.Random(1), wall_s=server.clock)
    async with asyncio.timeout(10), heeding_hours(when, stopping, wall_s=server.clock):
        return await engine.run(), memory


async def test_nothing_leaves_once_the_window_is_over_and_answers_are_waited_for() -> None:
    server = Server(Going(CLOSES - 0.4), takes_s=0.15)
    stop, memory = await sent(server, 2_000)
    assert stop is not None
    assert stop.reason is StopReason.WINDOW_CLOSED
    assert stop.says == "its window is closed from 20:00 to Thu 26 Nov 2026, 08:00 (Asia/Manila)"
    assert 0 < len(server.left_at) < 100
    assert max(server.left_at) < CLOSES < max(server.ended_at)
    assert len(server.ended_at) == len(server.left_at)
    states = [note.life.state for note in memory.notes.values()]
    assert states.count(State.SENT) == len(server.left_at)
    assert states.count(State.PENDING) == 2_000 - len(server.left_at)


async def test_nothing_is_tried_again_once_the_window_is_over() -> None:
    server = Server(Going(CLOSES - 0.3), takes_s=0.02, reply=Reply(429, error="slow down", slow=True))
    stop, memory = await sent(server, 3)
    assert stop is not None
    assert stop.reason is StopReason.WINDOW_CLOSED
    assert max(server.left_at) < CLOSES
    assert {note.life.state for note in memory.notes.values()} == {State.PENDING}


@pytest.mark.parametrize(
    ("now_s", "when", "says"),
    [
        (CLOSES + 60, PH, "its window is closed from 20:01 to Thu 26 Nov 2026, 08:00 (Asia/Manila)"),
        (EVENING, schedule(), "it is not to begin before Thu 26 Nov 2026, 09:00 (Asia/Manila)"),
    ],
)
async def test_nothing_leaves_while_the_window_is_closed_or_before_the_moment(
    now_s: float, when: Schedule, says: str
) -> None:
    server = Server(Going(now_s))
    stop, _ = await sent(server, 5, when)
    assert stop == Stop(StopReason.WINDOW_CLOSED, says)
    assert not server.left_at


async def test_the_end_of_a_window_is_heeded_while_the_server_is_away() -> None:
    server = Server(Going(CLOSES - 0.7), reply=Reply(None, Fault.UNREACHABLE))
    stop, _ = await sent(server, 50)
    assert stop is not None
    assert stop.reason is StopReason.WINDOW_CLOSED
    assert server.clock() < CLOSES + 2  # though it would have looked again for ten minutes
    assert max(server.left_at) < CLOSES - 0.3  # it was away by then


async def test_a_clock_that_is_set_beyond_the_end_ends_it_too() -> None:
    clock = Going(CLOSES - 3_600)
    server = Server(clock, at=lambda count: clock.set(CLOSES + 1) if count == 100 else None)
    stop, _ = await sent(server, 2_000)
    assert stop is not None
    assert stop.reason is StopReason.WINDOW_CLOSED
    assert len(server.left_at) == 100


@pytest.mark.parametrize(("back_s", "stops"), [(2.0, False), (3_600.0, True)])
async def test_a_clock_that_is_put_right_just_after_the_opening_closes_nothing(back_s: float, *, stops: bool) -> None:
    opens = at("2026-11-26 08:00")
    clock = Going(opens + 0.1)
    set_back = [lambda: clock.set(opens - back_s)]
    server = Server(clock, takes_s=0.1, at=lambda count: set_back.pop()() if count == 2 and set_back else None)
    stop, _ = await sent(server, 40)
    assert (stop is not None) == stops
    assert (len(server.left_at) < 40) == stops


async def test_without_hours_nothing_is_looked_at() -> None:
    stopping = Stopping()
    async with heeding_hours(Schedule(), stopping):
        assert len(asyncio.all_tasks()) == 1
        assert stopping.asks_at == math.inf


async def test_hours_that_never_end_end_nothing() -> None:
    stopping = Stopping()
    async with heeding_hours(schedule(None, "00:00-24:00"), stopping, wall_s=lambda: EVENING):
        await asyncio.sleep(0)
        assert stopping.asks_at == math.inf
        assert stopping.why is None
