"""The engine with a server made of a function, and with a real run file where that matters."""

from __future__ import annotations

import asyncio
import math
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiolimiter import AsyncLimiter
from memory import Memory, MemoryJournal, Note
from planned import PlannedRow, write_plan
from runfiles import CUT_OFF, killed_after, notes_of

from bulksend.engagespark.outcomes import Fault, Reply, judge
from bulksend.errors import RunFileError
from bulksend.model import (
    Answer,
    Attempt,
    ContactId,
    Encoding,
    Event,
    Message,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Queued,
    Recipient,
    Status,
)
from bulksend.runs.sqlite import OwnSqliteRun
from bulksend.runs.sqlite.journal import SqliteJournal
from bulksend.runs.states import State
from bulksend.sending import (
    WITHHELD,
    Budget,
    Cap,
    Caps,
    Engine,
    ErrorLimit,
    Errors,
    Journal,
    Keys,
    News,
    Pace,
    Past,
    Stop,
    Stopping,
    StopReason,
    Verdict,
    assemble,
)
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.feed import Feed
from bulksend.sending.pace import limiter as limiter_of

HOT = PhoneNumber("639171234567")
CONTACT = ContactId(101)
BRISK = Pace(concurrency=4, timeout_s=1.0, grace_s=0.2)
HOUR_S = 3600.0
LIMIT_S = 10.0
KEYS = Keys("spring", is_shared=False)
INTERRUPTED_BY_HAND = Stop(StopReason.INTERRUPTED, "interrupted")


def abroad(count: int) -> list[Recipient]:
    return [PhoneNumber(f"49151{number:07}") for number in range(1, count + 1)]


def answer(message: Message, to: str | None = None, message_id: str | None = None) -> Answer:
    number = to or (str(message.recipient) if isinstance(message.recipient, str) else "")
    return Answer(message_id or f"SMS{message.row}", 1, 20_000, "0.02", "", number, 0, MicroUSD(20_000))


def accepted(message: Message, *, echoed: bool = False, to: str | None = None) -> Reply:
    return Reply(200, answer=answer(message, to), echoed=echoed)


def refused(status: int, error: str = "why", retry_after_s: float | None = None) -> Reply:
    return Reply(
        status,
        answer=Answer("", None, None, "", "", "", None, None),
        error=error,
        retry_after_s=retry_after_s,
        slow=status == 429,
    )


@dataclass
class Server:
    """A `Sender` that answers as it is told, and remembers what it was sent.

    Attributes:
        replies: gets the message and the number of its attempt.
        calls: (row, dedup key, when) in the order of arrival.
        there: whether anybody answers who looks for it without sending.
        looks: when somebody did.
    """

    replies: Callable[[Message, int], Reply | Awaitable[Reply]]
    calls: list[tuple[int, str | None, float]] = field(default_factory=list)
    there: bool = True
    looks: list[float] = field(default_factory=list)

    async def send(self, message: Message, dedup_key: str | None, leaves: Callable[[], bool]) -> Verdict:
        if not leaves():
            return WITHHELD
        self.calls.append((message.row, dedup_key, time.monotonic()))
        reply = self.replies(message, self.rows.count(message.row))
        if isinstance(reply, Reply):
            await asyncio.sleep(0)
            return judge(reply)
        return judge(await reply)

    async def is_there(self) -> bool:
        self.looks.append(time.monotonic())
        return self.there

    @property
    def rows(self) -> list[int]:
        return [row for row, _, _ in self.calls]

    @property
    def times(self) -> list[float]:
        return [at for _, _, at in self.calls]


def accepts_all() -> Server:
    return Server(lambda message, _: accepted(message))


def echoes_all() -> Server:
    return Server(lambda message, _: accepted(message, echoed=True))


class NoJitter(random.Random):
    """Every new attempt is due at once."""

    def uniform(self, a: float, b: float) -> float:
        return min(a, b)


class Run:
    """A run kept somewhere, and all that a test does with it."""

    wall: Callable[[], float]

    def begin(self, limit: int | None) -> tuple[Journal, int]:
        """A journal of it, and how far the turns of `Proof` have come."""
        raise NotImplementedError

    def end(self) -> None:
        """Whoever began to send it is done."""

    def states(self) -> dict[int, str]:
        """Of the rows that were begun."""
        raise NotImplementedError

    def attempts(self) -> dict[int, int]:
        raise NotImplementedError

    def errors(self) -> dict[int, str]:
        raise NotImplementedError

    def knows_dedup(self) -> None:
        """The server has shown to an earlier process that it knows clientDedup."""
        raise NotImplementedError

    async def send(
        self,
        server: Server,
        pace: Pace = BRISK,
        caps: Sequence[Cap] = (),
        limit: int | None = None,
        watch: Callable[[Engine], None] = lambda _: None,
        stopping: Stopping | None = None,
        keys: Keys | None = KEYS,
    ) -> Stop | None:
        journal, turn = self.begin(limit)
        engine = engine_of(journal, server, self.wall, pace, caps, stopping, turn=turn, keys=keys)
        watch(engine)
        try:
            async with asyncio.timeout(LIMIT_S):
                return await engine.run()
        finally:
            journal.close()
            self.end()


def engine_of(
    journal: Journal,
    server: Server,
    wall: Callable[[], float] = time.time,
    pace: Pace = BRISK,
    caps: Sequence[Cap] = (),
    stopping: Stopping | None = None,
    *,
    turn: int = 0,
    keys: Keys | None = KEYS,
) -> Engine:
    return assemble(
        journal,
        server,
        stopping or Stopping(),
        Caps(caps),
        pace,
        keys=keys,
        turn=turn,
        rng=NoJitter(),
        wall_s=wall,
    )


@dataclass
class MemoryRun(Run):
    """A run of which nothing remains."""

    memory: Memory
    wall: Callable[[], float] = time.time

    def begin(self, limit: int | None) -> tuple[Journal, int]:
        return MemoryJournal(self.memory, self.wall(), limit), self.memory.turn

    def states(self) -> dict[int, str]:
        return {row: note.life.state for row, note in self._begun()}

    def attempts(self) -> dict[int, int]:
        return {row: note.attempts for row, note in self._begun()}

    def errors(self) -> dict[int, str]:
        return {row: note.error for row, note in self._begun()}

    def knows_dedup(self) -> None:
        self.memory.turn = 1

    def _begun(self) -> list[tuple[int, Note]]:
        return [(row, note) for row, note in self.memory.notes.items() if note.started_s > -math.inf]


@dataclass
class FileRun(Run):
    """A run file."""

    path: Path
    wall: Callable[[], float] = time.time

    owned: OwnSqliteRun | None = None

    def begin(self, limit: int | None) -> tuple[Journal, int]:
        owned = self.own()
        return owned.journal(limit=limit), owned.turn

    def end(self) -> None:
        if self.owned is not None:
            self.owned.close()
            self.owned = None

    def own(self) -> OwnSqliteRun:
        """The run anew; whoever had it gives it up."""
        self.end()
        self.owned = OwnSqliteRun.own(self.path, self.wall())
        return self.owned

    def engine(
        self,
        owned: OwnSqliteRun,
        server: Server,
        pace: Pace = BRISK,
        journal: SqliteJournal | None = None,
        stopping: Stopping | None = None,
    ) -> tuple[Engine, SqliteJournal]:
        journal = journal or owned.journal()
        engine = engine_of(journal, server, self.wall, pace, stopping=stopping, turn=owned.turn)
        return engine, journal

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What another process sees in the run file now."""
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def change(self, sql: str) -> None:
        db = sqlite3.connect(self.path, isolation_level=None)
        db.execute(sql)
        db.close()

    def states(self) -> dict[int, str]:
        return self._by_row("state")

    def attempts(self) -> dict[int, int]:
        return self._by_row("attempts")

    def errors(self) -> dict[int, str]:
        return self._by_row("error")

    def _by_row(self, column: str) -> dict[int, Any]:
        return {found[0]: found[1] for found in self.query(f"SELECT row, {column} FROM sends")}

    def is_killed_while_sending(self, *rows: int, ago_s: float = 0.0, proof: int = 0) -> None:
        """An owner committed its intents, their SMS left, and then there was no owner."""
        now = self.wall()
        killed_after(f"begin(notes_of(own(path, {now})), {rows}, {now - ago_s}, {proof})", self.path)

    def knows_dedup(self) -> None:
        """The server has shown to an earlier process that it knows clientDedup."""
        self.change("INSERT INTO facts VALUES ('turn', 1)")


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Callable[[Sequence[Recipient]], FileRun]]:
    """Plans a run with a row for each recipient, in a file."""
    runs: list[FileRun] = []

    def write(recipients: Sequence[Recipient]) -> FileRun:
        path = tmp_path / "campaign.run"
        rows = [
            PlannedRow(row, Status.PENDING, recipient, None, f"Hello {row}", Encoding.GSM7, 1, MicroUSD(1), "", b"[]")
            for row, recipient in enumerate(recipients, start=1)
        ]
        write_plan(path, rows).release()
        runs.append(FileRun(path))
        return runs[-1]

    yield write
    for run in runs:
        run.end()


Plan = Callable[[Sequence[Recipient]], FileRun]


def quick(recipients: Sequence[Recipient]) -> MemoryRun:
    """A run with a row for each recipient, in memory: where no file matters."""
    return MemoryRun(
        Memory.of(
            [
                Message(row, recipient, None, f"Hello {row}", 1, MicroUSD(1))
                for row, recipient in enumerate(recipients, start=1)
            ]
        )
    )


# -- Write ahead, and durable, then told


async def test_every_row_is_sent_once_under_a_key_of_its_own() -> None:
    run, server = quick(abroad(3000)), accepts_all()
    assert await run.send(server, Pace(concurrency=64)) is None
    assert sorted(server.rows) == list(range(1, 3001))
    assert {(row, key) for row, key, _ in server.calls} == {
        (row, KEYS.of(note.message)) for row, note in run.memory.notes.items()
    }
    assert len({key for _, key, _ in server.calls}) == 3000
    assert set(run.states().values()) == {"sent"}
    assert set(run.attempts().values()) == {1}


async def test_an_intent_is_committed_before_its_sms_leaves(plan: Plan) -> None:
    run = plan(abroad(50))
    seen = []

    def look(message: Message, _: int) -> Reply:
        seen.extend(run.query(f"SELECT state, attempts FROM sends WHERE row = {message.row}"))
        return accepted(message)

    await run.send(Server(look))
    assert seen == [(State.IN_FLIGHT, 1)] * 50


async def test_a_second_attempt_has_an_intent_of_its_own(plan: Plan) -> None:
    run = plan(abroad(1))
    seen = []

    def look(message: Message, attempt: int) -> Reply:
        seen.extend(run.query("SELECT state, attempts FROM sends"))
        return accepted(message) if attempt == 2 else refused(500)

    await run.send(Server(look))
    assert seen == [(State.IN_FLIGHT, 1), (State.IN_FLIGHT, 2)]


class SlowJournal(SqliteJournal):
    """Each commit takes some time."""

    def _commit(self, group: Sequence[Any]) -> None:
        time.sleep(0.01)
        super()._commit(group)


async def test_progress_tells_only_what_is_committed(plan: Plan) -> None:
    run, told = plan(abroad(100)), set()
    owned = run.own()
    engine, journal = run.engine(owned, accepts_all(), journal=SlowJournal(notes_of(owned), owned._names))
    async with asyncio.timeout(LIMIT_S):
        sending = asyncio.create_task(engine.run())
        while not sending.done():
            done = engine.progress.sent
            [(committed,)] = run.query("SELECT count(*) FROM sends WHERE state = 'sent'")
            assert done <= committed
            told.add(done)
            await asyncio.sleep(0.001)
    journal.close()
    assert len(told) > 10
    assert engine.progress.sent == 100
    assert engine.progress.in_flight == 0


async def test_no_more_requests_are_under_way_than_allowed() -> None:
    under_way, most = 0, 0

    async def reply(message: Message) -> Reply:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.002)
        under_way -= 1
        return accepted(message)

    await quick(abroad(60)).send(Server(lambda message, _: reply(message)), Pace(concurrency=7))
    assert most == 7


class Reluctant(MemoryJournal):
    """Somebody else has the odd rows, which shows when they are to begin."""

    def begin_now(self, rows: Sequence[int], wall_s: float, proof: int) -> list[Attempt]:
        self._memory.elsewhere.update(row for row in rows if row % 2)
        return super().begin_now(rows, wall_s, proof)


async def test_rows_whose_intents_are_refused_are_left_to_whoever_has_them() -> None:
    run, server = quick([HOT] * 12), accepts_all()
    engine = engine_of(Reluctant(run.memory, time.time()), server, caps=[Cap("63", 6, 60)])
    async with asyncio.timeout(LIMIT_S):
        assert await engine.run() is None
    # All at once: what was refused gave its place under the cap back.
    assert sorted(server.rows) == list(range(2, 13, 2))
    assert (engine.progress.sent, engine.progress.not_sent, engine.progress.in_flight) == (6, 0, 0)
    assert set(run.states()) == {2, 4, 6, 8, 10, 12}


async def test_a_run_of_which_somebody_else_has_all_rows_comes_to_its_end() -> None:
    run, server = quick(abroad(50)), accepts_all()
    run.memory.elsewhere.update(range(1, 51))
    assert await run.send(server) is None
    assert server.calls == []


async def test_a_row_that_somebody_else_took_before_its_repeat_is_not_repeated() -> None:
    def reply(message: Message, _: int) -> Reply:
        if message.row == 2:
            run.memory.elsewhere.add(2)
            return refused(500)
        return accepted(message)

    engines: list[Engine] = []
    run, server = quick(abroad(3)), Server(reply)
    assert await run.send(server, watch=engines.append) is None
    assert server.rows.count(2) == 1
    assert engines[0]._consequences._tries._used == {}


class Informed(MemoryJournal):
    """Others sent four to the hot phone, which shows when rows to it are to begin; and row 4 came to it."""

    is_told = False

    def begin_now(self, rows: Sequence[int], wall_s: float, proof: int) -> list[Attempt]:
        if self.is_told:
            return super().begin_now(rows, wall_s, proof)
        self.is_told = True
        self._memory.news = News([Queued(row, HOT, 1) for row in (*rows, 4)], [(HOT, 4, wall_s)])
        return []


async def test_what_others_sent_to_a_phone_counts_before_the_next_row_begins() -> None:
    memory, server = quick([HOT] * 4).memory, accepts_all()
    memory.news, began = News(), time.monotonic()
    async with asyncio.timeout(LIMIT_S):
        assert await engine_of(Informed(memory, time.time(), limit=3), server, caps=[Cap("63", 5, 0.4)]).run() is None
    assert sorted(server.rows) == [1, 2, 3, 4]
    first, *others = (at - began for at in server.times)
    assert first < 0.4 <= min(others)


async def test_rows_that_come_are_sent_while_others_wait() -> None:
    run, server = quick([HOT, HOT, *abroad(1)]), accepts_all()
    run.memory.news = News()

    async def comes() -> None:
        await asyncio.sleep(0.2)
        run.memory.news = News([Queued(3, abroad(1)[0], 1)])

    async with asyncio.TaskGroup() as group:
        group.create_task(comes())
        assert await run.send(server, caps=[Cap("63", 1, 2.0)], limit=2) is None
    assert server.rows == [1, 3, 2]


# -- What is tried again


async def test_what_certainly_was_not_sent_is_tried_until_its_tries_are_used_up() -> None:
    run, server = quick(abroad(1)), Server(lambda *_: refused(500, "oops"))
    assert await run.send(server, Pace(retries=3)) is None
    assert server.rows == [1] * 4
    assert run.states() == {1: "failed"}
    assert run.attempts() == {1: 4}
    assert "oops" in run.errors()[1]


async def test_a_row_whose_tries_were_used_up_is_tried_again_by_the_next_run() -> None:
    run = quick(abroad(1))
    await run.send(Server(lambda *_: refused(500)), Pace(retries=0))
    await run.send(accepts_all())
    assert run.states() == {1: "sent"}


async def test_a_row_may_be_tried_again_before_its_last_outcome_is_committed() -> None:
    run, server = (
        quick(abroad(20)),
        Server(lambda message, attempt: refused(500) if attempt < 3 else accepted(message)),
    )
    assert await run.send(server) is None
    assert set(run.states().values()) == {"sent"}
    assert set(run.attempts().values()) == {3}


async def test_what_the_api_rejects_is_not_tried_again() -> None:
    run, server = quick(abroad(1)), Server(lambda *_: refused(400, "invalid 'to' number"))
    assert await run.send(server) is None
    assert server.rows == [1]
    assert run.states() == {1: "rejected"}
    assert await run.send(server) is None
    assert server.rows == [1]


async def test_nothing_is_remembered_of_rows_that_were_sent_in_the_end() -> None:
    engines: list[Engine] = []
    server = Server(lambda message, attempt: accepted(message) if attempt > 1 else refused(500))
    await quick(abroad(10)).send(server, watch=engines.append)
    assert engines[0]._consequences._tries._used == {}


async def test_a_server_that_asks_to_be_left_alone_is_left_alone() -> None:
    pause_s = 0.4
    server = Server(lambda message, _: accepted(message) if len(server.calls) > 1 else refused(429, "", pause_s))
    run = quick(abroad(3))
    await run.send(server, Pace(concurrency=1))
    assert server.times[1] - server.times[0] >= pause_s
    assert set(run.states().values()) == {"sent"}


# -- Ambiguous is not failed


@pytest.mark.parametrize("fault", [Fault.TIMED_OUT, Fault.BROKEN_OFF, Fault.UNREADABLE, Fault.OVERSIZED])
async def test_what_may_have_been_sent_is_not_repeated_where_the_server_shows_no_key(fault: Fault) -> None:
    run, server = quick(abroad(10)), Server(lambda m, _: Reply(None, fault) if m.row == 1 else accepted(m))
    await run.send(server)
    await run.send(server)
    assert server.rows.count(1) == 1
    assert run.states()[1] == "unknown"


async def test_what_may_have_been_sent_is_repeated_under_its_key_once_the_server_has_shown_one(plan: Plan) -> None:
    def reply(message: Message, attempt: int) -> Reply:
        if message.row == 2:
            return Reply(None, Fault.TIMED_OUT) if attempt == 1 else Reply(409, answer=answer(message, None, "SMS-1st"))
        return accepted(message, echoed=True)

    run, server = plan(abroad(8)), Server(reply)
    assert await run.send(server, Pace(concurrency=1)) is None
    first, again = [key for row, key, _ in server.calls if row == 2]
    assert first == again
    assert run.query("SELECT state, json_extract(answer, '$.messageId'), attempts FROM sends WHERE row = 2") == [
        ("sent", "SMS-1st", 2)
    ]
    assert run.query("SELECT value FROM facts WHERE name = 'turn'") == [(1,)]


async def test_a_repeat_can_be_due_before_its_first_outcome_is_committed() -> None:
    def reply(message: Message, attempt: int) -> Reply:
        if message.row % 2 == 0 and attempt == 1:
            return Reply(None, Fault.TIMED_OUT)
        return accepted(message, echoed=True)

    run, server = quick(abroad(10)), Server(reply)
    assert await run.send(server) is None
    assert set(run.states().values()) == {"sent"}


async def test_a_repeat_that_is_never_answered_ends_unknown_while_others_get_through() -> None:
    run = quick(abroad(60))
    server = Server(lambda m, _: Reply(None, Fault.TIMED_OUT) if m.row == 2 else accepted(m, echoed=True))
    assert await run.send(server, Pace(concurrency=4, retries=2)) is None
    assert server.rows.count(2) == 3
    assert run.states() == dict.fromkeys(range(1, 61), "sent") | {2: "unknown"}


@pytest.mark.parametrize(
    "repeated",
    [refused(500), refused(429), refused(400), refused(403), Reply(None, Fault.UNREACHABLE)],
    ids=["500", "429", "400", "403", "unreachable"],
)
async def test_what_may_have_been_sent_stays_unknown_whatever_befalls_its_repeats(repeated: Reply) -> None:
    run = quick(abroad(2))
    server = loses_the_second(repeated)
    await run.send(server, Pace(retries=2, patience_s=0))
    assert server.rows.count(2) > 1
    assert run.states() == {1: "sent", 2: "unknown"}


def loses_the_second(repeated: Reply) -> Server:
    """It shows that it knows keys, and loses the second row's answer."""

    def reply(message: Message, attempt: int) -> Reply:
        if message.row == 1:
            return accepted(message, echoed=True)
        return Reply(None, Fault.TIMED_OUT) if attempt == 1 else repeated

    return Server(reply)


async def test_what_may_have_been_sent_stays_unknown_if_the_run_stops_at_its_repeat() -> None:
    run, engines = quick(abroad(2)), list[Engine]()
    server = loses_the_second(refused(401))
    stop = await run.send(server, watch=engines.append)
    assert stop is not None
    assert server.rows == [1, 2, 2]
    assert run.states() == {1: "sent", 2: "unknown"}
    assert [(engine.progress.sent, engine.progress.not_sent) for engine in engines] == [(1, 1)]


# -- A server that is away

OUTAGES = {
    "refused": Reply(None, Fault.UNREACHABLE, error="refused"),
    "timed out": Reply(None, Fault.TIMED_OUT),
    "gateway": Reply(503, Fault.UNREADABLE),
    "asked for a pause": Reply(503, Fault.UNREADABLE, retry_after_s=0.2, slow=True),
    "internal": refused(500),
    "slow down": refused(429),
}


class Unsteady(Server):
    """A server that is away for a while, from its so many-th message on."""

    def __init__(self, seconds: float, outage: Reply, after: int = 0, *, echoed: bool = True) -> None:
        super().__init__(lambda message, _: accepted(message, echoed=echoed) if self.is_back() else outage)
        self._seconds, self._after = seconds, after

    def is_back(self) -> bool:
        if len(self.calls) <= self._after:
            return True
        return time.monotonic() > self.times[self._after] + self._seconds

    async def is_there(self) -> bool:
        await super().is_there()
        return self.is_back()


@pytest.mark.long
@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
@pytest.mark.parametrize(("rows", "after"), [(20, 1), (300, 100)])
async def test_an_outage_costs_no_rows_tries_and_the_run_goes_on_by_itself(
    outage: Reply, rows: int, after: int
) -> None:
    run, server = quick(abroad(rows)), Unsteady(1.0, outage, after)
    run.knows_dedup()
    assert await run.send(server, Pace(concurrency=32, retries=2)) is None
    assert run.states() == dict.fromkeys(range(1, rows + 1), "sent")


@pytest.mark.parametrize("outage", [OUTAGES["timed out"], OUTAGES["gateway"]], ids=["timed out", "gateway"])
async def test_an_outage_puts_only_in_doubt_what_was_under_way_and_a_row_a_look(outage: Reply) -> None:
    run, server = quick(abroad(300)), Unsteady(1.2, outage, 100, echoed=False)
    stop = await run.send(server, Pace(concurrency=32, patience_s=60))
    assert stop is None
    in_doubt = list(run.states().values()).count("unknown")
    assert 0 < in_doubt <= 32 + len(server.looks)
    assert list(run.states().values()).count("sent") == 300 - in_doubt


async def test_the_server_is_looked_for_without_sending_first_and_then_by_one_message(plan: Plan) -> None:
    run, server = plan(abroad(100)), loses_all_but_the_first(there=False)
    stop = await run.send(server, Pace(concurrency=4, patience_s=1))
    assert stop is not None
    assert stop.reason is StopReason.SERVER_AWAY
    assert len(server.calls) == 1 + 8  # all that went before it was known
    assert len(server.looks) >= 2
    states = run.states()
    assert states.pop(1) == "sent"
    assert set(states.values()) == {"unknown"}


def loses_all_but_the_first(*, there: bool = True) -> Server:
    """It shows that it knows keys, and answers no more."""
    lost = Reply(None, Fault.TIMED_OUT)
    return Server(lambda m, _: accepted(m, echoed=True) if m.row == 1 else lost, there=there)


async def test_with_keys_proven_it_is_always_the_same_row_that_tries() -> None:
    run, server = quick(abroad(100)), loses_all_but_the_first()
    stop = await run.send(server, Pace(concurrency=4, patience_s=3))
    assert stop is not None
    assert stop.reason is StopReason.SERVER_AWAY
    assert len(server.rows) >= 9 + 3
    assert len(set(server.rows[9:])) == 1
    assert "no answer in time" in stop.says


async def test_what_was_certainly_not_sent_stays_pending_when_the_server_does_not_come_back() -> None:
    run, server = quick(abroad(20)), Server(lambda *_: Reply(None, Fault.UNREACHABLE), there=False)
    stop = await run.send(server, Pace(concurrency=32, retries=0, patience_s=0.5))
    assert stop is not None
    assert stop.reason is StopReason.SERVER_AWAY
    assert server.rows == [1]
    assert run.states() == {1: "pending"}


async def test_a_row_whose_tries_were_used_up_while_others_got_through_failed() -> None:
    run = quick(abroad(60))
    server = Server(lambda message, _: Reply(None, Fault.UNREACHABLE) if message.row == 2 else accepted(message))
    assert await run.send(server, Pace(concurrency=4, retries=1)) is None
    assert server.rows.count(2) == 2
    assert run.states() == dict.fromkeys(range(1, 61), "sent") | {2: "failed"}


@pytest.mark.parametrize("count", [12, 20])
async def test_rows_at_which_the_server_stumbles_do_not_keep_the_others_back(count: int) -> None:
    run = quick(abroad(60))
    server = Server(lambda message, _: refused(500) if message.row <= count else accepted(message))
    assert await run.send(server, Pace(concurrency=16, retries=1)) is None
    assert run.states() == dict.fromkeys(range(1, count + 1), "failed") | dict.fromkeys(range(count + 1, 61), "sent")


async def test_a_server_that_writes_phones_in_its_own_way_is_there() -> None:
    """Such as 0917…: each answer is an alarm, and ours by its key."""
    run, server = quick(abroad(30)), Server(lambda m, _: accepted(m, echoed=True)._replace(matches=False))
    assert await run.send(server, Pace(concurrency=4, patience_s=0)) is None
    assert (len(server.rows), server.looks) == (30, [])


async def test_a_run_that_has_nothing_more_to_send_does_not_wait_for_the_server() -> None:
    run = quick(abroad(3))
    server = Server(lambda message, _: accepted(message) if message.row == 1 else Reply(None, Fault.TIMED_OUT))
    assert await run.send(server) is None
    assert server.looks == []
    assert run.states() == {1: "sent", 2: "unknown", 3: "unknown"}


async def test_an_interruption_is_heard_while_the_server_is_away() -> None:
    stopping = Stopping()
    run, server = quick(abroad(20)), Server(lambda *_: Reply(None, Fault.UNREACHABLE), there=False)
    asyncio.get_running_loop().call_later(0.3, stopping.ask, INTERRUPTED_BY_HAND)
    assert await run.send(server, stopping=stopping) == INTERRUPTED_BY_HAND
    assert set(run.states().values()) == {"pending"}


# -- A server that asks to slow down


def allows(rate: float, burst: int = 1) -> Server:
    """A server that lets so many through a second, and asks everybody else to slow down."""
    tokens, at = float(burst), time.monotonic()

    def reply(message: Message, _: int) -> Reply:
        nonlocal tokens, at
        now = time.monotonic()
        tokens, at = min(burst, tokens + (now - at) * rate), now
        if tokens < 1:
            return refused(429)
        tokens -= 1
        return accepted(message)

    return Server(reply)


@pytest.mark.parametrize(("rate", "burst"), [(100, 1), (100, 20)])
async def test_being_told_to_slow_down_costs_no_row_its_tries(rate: float, burst: int) -> None:
    run, server = quick(abroad(200)), allows(rate, burst)
    began = time.monotonic()
    assert await run.send(server, Pace(concurrency=32, retries=0)) is None
    assert set(run.states().values()) == {"sent"}
    assert time.monotonic() - began < 3 * 200 / rate


async def test_a_run_that_was_told_to_slow_down_begins_no_rows_only_to_hold_them_back(plan: Plan) -> None:
    async def reply(message: Message, attempt: int) -> Reply:
        await asyncio.sleep(0.1)
        return refused(429) if message.row == 3 and attempt == 1 else accepted(message, echoed=True)

    run, server = plan(abroad(60)), Server(reply)
    begun: list[int] = []

    def watch(engine: Engine) -> None:
        begin = engine._journal.begin

        def counted(rows: Sequence[int], wall_s: float, proof: int = 0) -> Awaitable[list[Attempt]]:
            begun.extend(rows)
            return begin(rows, wall_s, proof)

        engine._journal.begin = counted  # type: ignore[method-assign]

    assert await run.send(server, Pace(concurrency=16), watch=watch) is None
    assert len(server.rows) == 61
    assert len(begun) <= 61 + 16


async def test_nothing_starts_before_the_pause_is_over_that_the_server_asks_for(plan: Plan) -> None:
    pause_s, asked_at = 0.5, 0.0

    async def reply(message: Message) -> Reply:
        nonlocal asked_at
        await asyncio.sleep(0.01)
        if message.row != 40 or asked_at:
            return accepted(message, echoed=True)
        asked_at = time.monotonic()
        return refused(429, "", pause_s)

    run, server = plan(abroad(300)), Server(lambda message, _: reply(message))
    run.knows_dedup()  # so that intents are committed ahead
    assert await run.send(server, Pace(concurrency=8)) is None
    assert not [at for at in server.times if asked_at < at < asked_at + pause_s]
    assert set(run.states().values()) == {"sent"}
    assert set(run.attempts().values()) == {1, 2}


@pytest.mark.parametrize(("echoed", "least", "most"), [(True, 65, 96), (False, 33, 64)])
async def test_how_many_are_under_way_finds_itself_and_stays_lower_where_keys_are_not_proven(
    echoed: bool, least: int, most: int
) -> None:
    under_way, seen = 0, [0]

    async def reply(message: Message) -> Reply:
        nonlocal under_way
        under_way += 1
        seen.append(max(seen[-1], under_way))
        await asyncio.sleep(0.1)
        under_way -= 1
        return accepted(message, echoed=echoed)

    run, engines = quick(abroad(1200)), list[Engine]()
    assert await run.send(Server(lambda message, _: reply(message)), Pace(most=96), watch=engines.append) is None
    assert least <= seen[-1] <= most
    assert max(seen[:9]) <= 8  # it began gently
    assert 8 < engines[0].throttle.last_pace.at_once <= most
    assert set(run.states().values()) == {"sent"}


async def test_a_run_of_few_rows_shows_nothing_of_the_server() -> None:
    engines = list[Engine]()
    await quick(abroad(7)).send(accepts_all(), Pace(), watch=engines.append)
    assert engines[0].throttle.last_pace.at_once == 0


async def test_what_is_asked_for_is_under_way_at_once_however_long_answers_take() -> None:
    under_way, most = 0, 0

    async def reply(message: Message) -> Reply:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001 * under_way)
        under_way -= 1
        return accepted(message)

    await quick(abroad(300)).send(Server(lambda message, _: reply(message)), Pace(concurrency=24))
    assert most == 24


async def test_a_server_that_never_lets_anything_through_is_given_up() -> None:
    run, server = quick(abroad(20)), Server(lambda *_: refused(429))
    stop = await run.send(server, Pace(concurrency=4, patience_s=0.5))
    assert stop is not None
    assert stop.reason is StopReason.SERVER_AWAY
    assert set(run.states().values()) == {"pending"}


# -- A run that was killed


async def test_a_killed_runs_rows_are_repeated_where_the_server_knows_their_keys(plan: Plan) -> None:
    run, server = plan(abroad(5)), echoes_all()
    run.knows_dedup()
    run.is_killed_while_sending(1, 2, proof=1)
    assert await run.send(server) is None
    assert sorted(server.rows) == [1, 2, 3, 4, 5]
    assert server.rows[0] == 3  # which shows that the server still knows keys
    assert run.states() == dict.fromkeys(range(1, 6), "sent")
    assert run.attempts() == {1: 2, 2: 2, 3: 1, 4: 1, 5: 1}


async def test_a_killed_runs_rows_stay_unknown_where_the_server_does_not_show_keys(plan: Plan) -> None:
    run, server = plan(abroad(5)), accepts_all()
    run.is_killed_while_sending(1, 2)
    assert await run.send(server) is None
    assert sorted(server.rows) == [3, 4, 5]
    assert run.states() == {1: "unknown", 2: "unknown", 3: "sent", 4: "sent", 5: "sent"}
    assert run.errors()[1] == CUT_OFF


async def test_a_killed_runs_rows_stay_unknown_though_the_server_shows_a_key_later(plan: Plan) -> None:
    run, server = plan(abroad(5)), echoes_all()
    run.is_killed_while_sending(1, 2)
    await run.send(server)
    await run.send(server)
    assert sorted(server.rows) == [3, 4, 5]
    assert run.states() == {1: "unknown", 2: "unknown", 3: "sent", 4: "sent", 5: "sent"}


async def test_a_row_is_not_repeated_when_the_server_may_have_forgotten_its_key(plan: Plan) -> None:
    run, server = plan(abroad(3)), echoes_all()
    run.knows_dedup()
    run.is_killed_while_sending(1, ago_s=24 * HOUR_S + 1, proof=1)
    run.is_killed_while_sending(2, ago_s=24 * HOUR_S - 60, proof=1)
    await run.send(server)
    assert sorted(server.rows) == [2, 3]
    assert run.states() == {1: "unknown", 2: "sent", 3: "sent"}


async def test_a_repeat_does_not_make_the_server_remember_a_key_for_longer(plan: Plan) -> None:
    run = plan(abroad(3))
    loses = Server(lambda m, _: accepted(m, echoed=True) if m.row > 1 else Reply(None, Fault.TIMED_OUT))
    run.knows_dedup()
    run.is_killed_while_sending(1, ago_s=23 * HOUR_S, proof=1)
    await run.send(loses, Pace(retries=0, patience_s=0), limit=1)
    assert loses.rows[:2] == [2, 1]
    run.wall = lambda: time.time() + 2 * HOUR_S
    server = echoes_all()
    await run.send(server)
    assert server.rows == [3]
    assert run.states() == {1: "unknown", 2: "sent", 3: "sent"}


async def test_a_killed_runs_repeat_that_fails_for_certain_stays_unknown(plan: Plan) -> None:
    run = plan(abroad(2))
    server = Server(lambda m, _: accepted(m, echoed=True) if m.row == 2 else refused(500))
    run.knows_dedup()
    run.is_killed_while_sending(1, proof=1)
    await run.send(server, Pace(retries=1))
    assert server.rows == [2, 1, 1]
    assert run.states() == {1: "unknown", 2: "sent"}


# -- Stops


async def test_a_refused_key_stops_the_run_and_those_under_way_come_to_their_end() -> None:
    refused_now = asyncio.Event()

    async def reply(message: Message) -> Reply:
        if message.row == 1:
            return accepted(message)
        if message.row == 4:
            await asyncio.sleep(0.02)
            refused_now.set()
            return refused(401, "Invalid Token")
        await refused_now.wait()
        await asyncio.sleep(0.05)
        return accepted(message)

    run, server = quick(abroad(100)), Server(lambda message, _: reply(message))
    stop = await run.send(server)
    assert stop is not None
    assert stop.reason is StopReason.KEY_REFUSED
    assert "Invalid Token" in stop.says
    assert sorted(server.rows) == [1, 2, 3, 4, 5]
    assert run.states() == {1: "sent", 2: "sent", 3: "sent", 4: "pending", 5: "sent"}


async def test_the_same_run_goes_on_after_a_stop_without_sending_twice() -> None:
    run = quick(abroad(50))
    first = Server(lambda message, _: refused(402, "insufficient funds") if message.row == 20 else accepted(message))
    assert await run.send(first) is not None
    second = accepts_all()
    assert await run.send(second) is None
    sent_first = [row for row in first.rows if row != 20]
    assert sorted(sent_first + second.rows) == list(range(1, 51))
    assert set(run.states().values()) == {"sent"}


async def test_an_interrupted_runs_requests_have_some_time_to_end() -> None:
    async def reply(message: Message) -> Reply:
        if message.row == 5:
            asyncio.get_running_loop().call_later(0.02, interrupt)
        await asyncio.sleep(0.1)
        return accepted(message)

    def interrupt() -> None:
        stopping.ask(INTERRUPTED_BY_HAND)

    stopping = Stopping()
    run, server = quick(abroad(50)), Server(lambda message, _: reply(message))
    stop = await run.send(server, Pace(concurrency=4, grace_s=5), stopping=stopping)
    assert stop == INTERRUPTED_BY_HAND
    assert run.states() == dict.fromkeys([1, 2, 3, 4, 5], "sent")


async def test_what_is_cut_off_after_an_interruptions_grace_is_unknown() -> None:
    async def never(message: Message) -> Reply:
        if message.row == 1:
            return accepted(message)
        if message.row == 5:
            stopping.ask(INTERRUPTED_BY_HAND)
        await asyncio.sleep(60)
        return accepted(message)

    stopping = Stopping()
    run, server = quick(abroad(50)), Server(lambda message, _: never(message))
    began = time.monotonic()
    stop = await run.send(server, Pace(concurrency=4, grace_s=0.1), stopping=stopping)
    assert stop is not None
    assert stop.reason is StopReason.INTERRUPTED
    assert time.monotonic() - began < 5
    assert run.states() == {1: "sent"} | dict.fromkeys([2, 3, 4, 5], "unknown")
    assert "stopped before the answer came" in run.errors()[2]


async def test_what_waited_for_a_worker_when_an_interruptions_grace_was_over_is_called_off() -> None:
    async def hangs(message: Message) -> Reply:
        if message.row <= 4:
            return accepted(message, echoed=True)
        if message.row == 8:
            stopping.ask(INTERRUPTED_BY_HAND)
        await asyncio.sleep(60)
        return accepted(message)

    stopping = Stopping()
    run, server = quick(abroad(50)), Server(lambda message, _: hangs(message))
    await run.send(server, Pace(concurrency=4, grace_s=0.1), stopping=stopping)
    states = run.states()
    assert {states[row] for row in set(server.rows) if row > 4} == {"unknown"}
    assert len(states) > len(set(server.rows))  # some were ahead of the workers
    assert set(states.values()) == {"sent", "unknown", "pending"}


async def test_what_certainly_was_not_sent_when_a_run_is_interrupted_stays_pending() -> None:
    def reply(_: Message, __: int) -> Reply:
        stopping.ask(Stop(StopReason.TERMINATED, "terminated"))
        return refused(500)

    stopping = Stopping()
    run = quick(abroad(5))
    await run.send(Server(reply), Pace(concurrency=1), stopping=stopping)
    assert run.states() == {1: "pending"}


class StoppingJournal(SqliteJournal):
    """The run stops just after a row's intent was committed, before its SMS leaves."""

    stopping: Stopping
    row: int
    why = INTERRUPTED_BY_HAND

    async def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> list[Attempt]:
        attempts = await super().begin(rows, wall_s, proof)
        if self.row in rows:
            self.stopping.ask(self.why)
        return attempts


async def is_stopped_after_the_intent_of(row: int, run: FileRun, why: Stop = INTERRUPTED_BY_HAND) -> Server:
    owned, server = run.own(), echoes_all()
    journal = StoppingJournal(notes_of(owned), owned._names)
    journal.stopping, journal.row, journal.why = Stopping(), row, why
    engine, _ = run.engine(owned, server, journal=journal, stopping=journal.stopping)
    async with asyncio.timeout(LIMIT_S):
        await engine.run()
    journal.close()
    return server


async def test_a_row_that_is_called_off_after_its_intent_stays_pending_and_untried(plan: Plan) -> None:
    run = plan(abroad(3))
    server = await is_stopped_after_the_intent_of(1, run)
    assert server.calls == []
    assert set(run.states().values()) == {"pending"}
    assert set(run.attempts().values()) == {0}
    again = accepts_all()
    await run.send(again)
    assert sorted(again.rows) == [1, 2, 3]


async def test_an_end_that_is_asked_for_during_the_first_commit_waits_for_no_worker(plan: Plan) -> None:
    run = plan(abroad(3))
    server = await is_stopped_after_the_intent_of(1, run, Stop(StopReason.WINDOW_CLOSED, "it is late"))
    assert (server.calls, set(run.states().values())) == ([], {"pending"})


async def test_a_repeat_that_is_called_off_leaves_its_row_unknown(plan: Plan) -> None:
    run = plan(abroad(2))
    run.knows_dedup()
    run.is_killed_while_sending(1, proof=1)
    server = await is_stopped_after_the_intent_of(1, run)
    assert server.rows == [2]
    assert run.states() == {1: "unknown", 2: "sent"}
    assert run.attempts() == {1: 1, 2: 1}


async def test_a_cancelled_run_notes_what_was_under_way_and_leaves_no_task_behind(plan: Plan) -> None:
    async def never(message: Message) -> Reply:
        await asyncio.sleep(60)
        return accepted(message)

    run = plan(abroad(50))
    engine, journal = run.engine(run.own(), Server(lambda message, _: never(message)), Pace(concurrency=4, rate=1))
    task = asyncio.create_task(engine.run())
    await asyncio.sleep(0.2)  # one is under way, and the next waits for its second
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left = asyncio.all_tasks() - {asyncio.current_task()}
    journal.close()
    assert run.states() == {1: "unknown"}
    assert not left


# -- A run file that fails


async def test_nothing_is_sent_once_the_run_file_cannot_be_written(plan: Plan) -> None:
    run = plan(abroad(50))

    def reply(message: Message, _: int) -> Reply:
        if message.row == 10:
            run.change("DROP TABLE sends")
        return accepted(message)

    server = Server(reply)
    stop = await run.send(server)
    assert stop is not None
    assert stop.reason is StopReason.STORE_FAILED
    assert "run file" in stop.says
    assert len(server.calls) <= 10 + BRISK.widest


class FailsOnce(MemoryJournal):
    """A journal that cannot note the first outcomes, and all else."""

    has_failed = False

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> Awaitable[None]:
        if self.has_failed or not outcomes:
            return super().settle(outcomes, turn=turn)
        self.has_failed = True
        failed = asyncio.get_running_loop().create_future()
        failed.set_exception(RunFileError("the disk is full"))
        return failed


async def test_where_outcomes_cannot_be_noted_nothing_more_leaves_and_what_is_known_is_noted_once_it_can_be() -> None:
    run, server, stopping = quick(abroad(3)), accepts_all(), Stopping()
    journal = FailsOnce(run.memory, time.time())
    engine = engine_of(journal, server, pace=Pace(concurrency=1), stopping=stopping)
    async with asyncio.timeout(LIMIT_S):
        await engine.run()
    assert stopping.why is not None
    assert stopping.why.reason is StopReason.STORE_FAILED
    assert server.rows == [1]
    assert (run.states(), run.attempts()) == ({1: "sent", 2: "pending"}, {1: 1, 2: 0})
    assert engine.progress.sent == 1


async def test_nothing_is_sent_while_another_program_locks_the_run_file(plan: Plan) -> None:
    run, server = plan(abroad(50)), accepts_all()
    owned = run.own()
    owned._db.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(run.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    engine, journal = run.engine(owned, server)
    async with asyncio.timeout(LIMIT_S):
        stop = await engine.run()
    other.execute("ROLLBACK")
    other.close()
    journal.close()
    assert stop is not None
    assert stop.reason is StopReason.STORE_FAILED
    assert "locked" in stop.says
    assert server.calls == []
    assert await run.send(server) is None
    assert sorted(server.rows) == list(range(1, 51))


async def test_a_run_that_somebody_else_took_over_stops_as_owned(plan: Plan) -> None:
    run = plan(abroad(50))

    def reply(message: Message, _: int) -> Reply:
        if message.row == 10:
            run.change("UPDATE facts SET value = value + 1 WHERE name = 'epoch'")
        return accepted(message)

    server = Server(reply)
    stop = await run.send(server)
    assert stop is not None
    assert stop.reason is StopReason.TAKEN_OVER
    assert len(server.calls) <= 10 + BRISK.widest


# -- Caps and rate


def most_within(times: Sequence[float], window_s: float) -> int:
    return max(sum(first <= at <= first + window_s for at in times) for first in times)


async def test_the_cap_holds_at_the_server_whatever_the_latencies() -> None:
    rng = random.Random(7)
    arrivals: list[float] = []

    async def reply(message: Message) -> Reply:
        await asyncio.sleep(rng.uniform(0, 0.1))
        arrivals.append(time.monotonic())
        await asyncio.sleep(rng.uniform(0, 0.1))
        return accepted(message)

    run = quick([HOT] * 17)
    await run.send(Server(lambda message, _: reply(message)), Pace(concurrency=16), [Cap("63", 5, 0.25)])
    assert len(arrivals) == 17
    assert most_within(arrivals, 0.25) <= 5


async def test_the_cap_outlives_the_run() -> None:
    run = quick([HOT] * 10)
    caps = [Cap("63", 5, 0.8)]
    first, second = accepts_all(), accepts_all()
    await run.send(first, caps=caps, limit=5)
    await run.send(second, caps=caps)
    assert len(first.calls) == len(second.calls) == 5
    assert most_within(first.times + second.times, 0.8) == 5


async def test_the_cap_outlives_a_killed_run(plan: Plan) -> None:
    run, server = plan([HOT] * 10), accepts_all()
    killed_at = time.monotonic()
    run.is_killed_while_sending(1, 2, 3, 4, 5)
    await run.send(server, caps=[Cap("63", 5, 0.8)])
    assert sorted(server.rows) == [6, 7, 8, 9, 10]
    assert min(server.times) - killed_at > 0.8


async def test_what_was_sent_counts_for_its_whole_window_when_a_run_goes_on() -> None:
    memory, now = quick([HOT] * 6).memory, 1_000.0
    journal = MemoryJournal(memory, now)
    await journal.begin([1, 2, 3, 4, 5], now - 59)
    await journal.settle([Outcome(row, Event.ACCEPTED, True, now - 59) for row in (1, 2, 3, 4, 5)], turn=0)
    dispatcher = Dispatcher(Caps())
    feed = Feed(journal, dispatcher)
    await feed.recall(Past(), 0.0, now)
    await feed.fill(0.0, now)
    assert dispatcher.take(0.0, 9) == []
    assert dispatcher.wake_at(0.0) == 1.0
    assert [item.row for item in dispatcher.take(1.0, 9)] == [6]


@pytest.mark.parametrize("ahead_s", [0.0, HOUR_S])
async def test_what_other_runs_sent_by_a_clock_that_was_set_back_since_counts_for_one_window(ahead_s: float) -> None:
    server, now = accepts_all(), time.time()
    journal = MemoryJournal(quick([HOT]).memory, now)
    past = Past([(HOT, 5, now + ahead_s)])
    began = time.monotonic()
    engine = assemble(journal, server, Stopping(), Caps([Cap("63", 5, 0.3)]), BRISK, keys=None, past=past)
    async with asyncio.timeout(LIMIT_S):
        await engine.run()
    assert 0.25 <= server.times[0] - began < LIMIT_S


async def test_a_busy_number_holds_up_nobody_else() -> None:
    run, server = quick([HOT] * 10 + abroad(20)), accepts_all()
    await run.send(server, caps=[Cap("63", 5, 0.5)])
    assert sorted(server.rows[:10]) == [1, 2, 3, 4, 5, 11, 12, 13, 14, 15]
    assert sorted(server.rows) == list(range(1, 31))


async def test_the_number_behind_a_contact_is_noted_and_shares_its_cap(plan: Plan) -> None:
    run = plan([CONTACT, HOT, CONTACT, HOT, CONTACT, HOT, CONTACT])
    server = Server(lambda message, _: accepted(message, to=HOT))
    await run.send(server, caps=[Cap("63", 5, 0.4)])
    assert len(server.calls) == 7
    assert most_within(server.times, 0.4) == 5
    assert run.query("SELECT contact, number FROM numbers") == [(CONTACT, HOT)]


async def test_a_later_run_knows_the_number_behind_a_contact() -> None:
    run = quick([CONTACT, *[HOT] * 4, CONTACT])
    server = Server(lambda message, _: accepted(message, to=HOT))
    caps = [Cap("63", 5, 0.8)]
    await run.send(server, caps=caps, limit=5)
    await run.send(server, caps=caps)
    assert len(server.calls) == 6
    assert most_within(server.times, 0.8) == 5


async def test_the_rate_is_kept_and_used(plan: Plan) -> None:
    rate, count = 100, 150
    server, run = accepts_all(), plan(abroad(count))
    await run.send(server, Pace(concurrency=32, rate=rate))
    # A token bucket: at most rate * t + burst in any window of t seconds, as they are let go, before their intents are
    # committed. On a busy machine that moment is noted a little late.
    burst, late_s = max(1.0, rate / 20), 0.1
    begun = sorted(at for (at,) in run.query("SELECT started_at FROM sends"))
    for window_s in (0.0, 0.05, 0.2, 0.5, 1.0):
        assert most_within(begun, window_s) <= rate * (window_s + late_s) + burst
    assert server.times[-1] - server.times[0] < count / rate * 1.5


@pytest.mark.parametrize("rate", [10, 15, 33.3, 100, 1000, 12_345])
def test_no_second_sees_more_than_a_tenth_above_the_rate(rate: float) -> None:
    limiter = limiter_of(rate)
    assert limiter is not None
    assert limiter.max_rate + rate * 1.0 <= 1.1 * rate + 1e-9
    assert limiter.max_rate / limiter.time_period == pytest.approx(rate)


@pytest.mark.parametrize("rate", [0.1, 1, 5, 9.9])
def test_a_low_rate_lets_one_through_at_a_time(rate: float) -> None:
    limiter = limiter_of(rate)
    assert isinstance(limiter, AsyncLimiter)
    assert limiter.max_rate == 1
    assert limiter.time_period == pytest.approx(1 / rate)


def test_without_a_rate_nothing_is_held_back() -> None:
    assert limiter_of(None) is None


async def test_a_slow_rate_spaces_the_sms() -> None:
    server = accepts_all()
    await quick(abroad(5)).send(server, Pace(concurrency=4, rate=8))
    assert server.times[-1] - server.times[0] > 4 / 8 * 0.8


# -- The first message goes alone


@pytest.mark.parametrize("first", [refused(400), refused(429), refused(500)], ids=["400", "429", "500"])
async def test_the_first_message_goes_alone_until_its_answer_is_in(first: Reply) -> None:
    under_way, most = 0, 0

    async def reply(message: Message, attempt: int) -> Reply:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        if len(server.calls) == 1:
            assert most == 1
            return first
        return accepted(message) if attempt else first

    server = Server(reply)
    await quick(abroad(100)).send(server, Pace(concurrency=8))
    assert server.times[1] - server.times[0] >= 0.02
    assert most == 8


async def test_after_an_answer_that_leaves_a_doubt_the_next_message_goes_alone_too() -> None:
    under_way, seen = 0, list[int]()

    async def reply(message: Message, _: int) -> Reply:
        nonlocal under_way
        under_way += 1
        seen.append(under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return Reply(500, answer=answer(message), error="why") if message.row < 3 else accepted(message)

    await quick(abroad(40)).send(Server(reply), Pace(concurrency=8))
    assert seen[:3] == [1, 1, 1]
    assert max(seen) == 8


async def test_a_refused_key_costs_one_request() -> None:
    server = Server(lambda *_: refused(401, "Invalid Token"))
    run = quick(abroad(100))
    stop = await run.send(server, Pace(concurrency=32))
    assert stop is not None
    assert server.rows == [1]
    assert run.states() == {1: "pending"}


async def test_where_no_answer_comes_messages_go_alone_for_as_long() -> None:
    run, server = quick(abroad(10)), Server(lambda *_: Reply(None, Fault.TIMED_OUT))
    stop = await run.send(server, Pace(concurrency=4, patience_s=0))
    assert stop is not None
    assert stop.reason is StopReason.SERVER_AWAY
    assert server.rows == [1, 2]
    assert len(server.looks) == 1


# -- Whose key it is, and what an echo proves


@pytest.mark.parametrize("is_shared", [True, False])
async def test_what_another_run_of_a_shared_campaign_has_sent_is_skipped(plan: Plan, is_shared: bool) -> None:
    run = plan(abroad(3))
    original = Reply(409, answer=answer(Message(2, HOT, None, "", 1, None), message_id="SMS-1st"), echoed=True)
    server = Server(lambda message, _: original if message.row == 2 else accepted(message, echoed=True))
    assert await run.send(server, keys=Keys("spring", is_shared=is_shared)) is None
    found = run.query("SELECT state, json_extract(answer, '$.messageId'), charged, error FROM sends WHERE row = 2")
    says = "accepted before (SMS-1st), not charged again"
    expected = ("skipped", "SMS-1st", None, says) if is_shared else ("sent", "SMS-1st", None, "")
    assert found == [expected]
    assert await run.send(server, keys=Keys("spring", is_shared=is_shared)) is None
    assert sorted(server.rows) == [1, 2, 3]


async def test_a_duplicate_of_what_this_run_tried_before_is_its_own_success() -> None:
    def reply(message: Message, attempt: int) -> Reply:
        if message.row == 2:
            return refused(500) if attempt == 1 else Reply(409, answer=answer(message), echoed=True)
        return accepted(message, echoed=True)

    run = quick(abroad(3))
    await run.send(Server(reply), keys=Keys("spring", is_shared=True))
    assert run.states() == {1: "sent", 2: "sent", 3: "sent"}


async def test_what_another_run_has_sent_holds_no_slot_of_the_cap() -> None:
    server = Server(
        lambda message, _: Reply(409, answer=answer(message), echoed=True) if message.row > 1 else accepted(message)
    )
    run = quick([HOT] * 12)
    began = time.monotonic()
    await run.send(server, caps=[Cap("63", 5, 60)], keys=Keys("spring", is_shared=True))
    assert time.monotonic() - began < 5
    assert set(run.states().values()) == {"sent", "skipped"}


async def test_a_row_in_doubt_from_before_the_first_echo_is_never_repeated() -> None:
    run = quick(abroad(4))
    server = Server(lambda m, _: Reply(None, Fault.TIMED_OUT) if m.row == 1 else accepted(m, echoed=True))
    await run.send(server, limit=3)
    await run.send(echoes_all())
    assert server.rows.count(1) == 1
    assert run.states() == {1: "unknown", 2: "sent", 3: "sent", 4: "sent"}


async def test_what_went_without_a_key_is_not_repeated_under_one() -> None:
    run = quick(abroad(12))
    lossy = Server(lambda *_: Reply(None, Fault.TIMED_OUT))
    await run.send(lossy, Pace(patience_s=0), keys=None, limit=10)
    assert {key for _, key, _ in lossy.calls} == {None}
    server = echoes_all()
    await run.send(server)
    assert sorted([*lossy.rows, *server.rows]) == list(range(1, 13))


async def test_a_command_without_keys_repeats_nothing_and_takes_no_proof_back() -> None:
    run, without, server = quick(abroad(4)), accepts_all(), echoes_all()
    left_in_doubt(run, 1, ago_s=60)
    await run.send(without, keys=None, limit=2)
    assert (without.rows, run.memory.turn) == ([2, 3], 1)
    await run.send(server)
    assert server.rows == [4, 1]


async def test_a_server_that_echoes_no_more_gets_no_repeat() -> None:
    def loses(message: Message, _: int) -> Reply:
        return accepted(message, echoed=True) if message.row == 1 else Reply(None, Fault.TIMED_OUT)

    run = quick(abroad(6))
    await run.send(Server(loses), Pace(concurrency=4, retries=0, patience_s=0), limit=4)
    for server in (accepts_all(), echoes_all()):  # the second shows keys anew, but not those of before
        await run.send(server, limit=1)
        assert server.rows in ([5], [6])
    assert [state for state in run.states().values() if state == "unknown"] == ["unknown"] * 3


async def test_a_repeat_that_waited_until_the_server_may_have_forgotten_is_let_go() -> None:
    clock = [time.time()]

    def reply(message: Message, _: int) -> Reply:
        if message.row == 2:
            clock[0] += 25 * HOUR_S  # the machine stood still meanwhile
            return Reply(None, Fault.TIMED_OUT)
        return accepted(message, echoed=True)

    run, server = quick(abroad(3)), Server(reply)
    run.wall = lambda: clock[0]
    assert await run.send(server, Pace(concurrency=1)) is None
    assert server.rows == [1, 2, 3]
    assert run.states() == {1: "sent", 2: "unknown", 3: "sent"}
    assert run.attempts()[2] == 1
    assert "it is not known that a repeat would not be accepted" in run.errors()[2]


# -- How many rows may end unsent


def errors_at(most: int, *, done: int = 0, so_far: Sequence[int] = ()) -> Errors:
    return Errors(ErrorLimit(most, is_percent=False), done=done, so_far=so_far)


async def send_limited(
    run: MemoryRun,
    server: Server,
    errors: Errors | None = None,
    past: Past | None = None,
    *,
    retries: int = 0,
    budget: Budget | None = None,
) -> Stop | None:
    journal, turn = run.begin(None)
    engine = assemble(
        journal,
        server,
        Stopping(),
        Caps(),
        BRISK._replace(concurrency=1, retries=retries),
        keys=KEYS,
        turn=turn,
        past=past,
        budget=budget,
        errors=errors,
        rng=NoJitter(),
        wall_s=run.wall,
    )
    async with asyncio.timeout(LIMIT_S):
        return await engine.run()


def left_in_doubt(run: MemoryRun, row: int, ago_s: float) -> None:
    """An earlier command left a row in doubt under the proof that is held."""
    MemoryJournal(run.memory, run.wall()).begin_now([row], run.wall() - ago_s, 1)
    run.memory.turn = 1


async def test_whatever_ends_unsent_or_in_doubt_is_an_error() -> None:
    replies = {2: refused(500), 3: Reply(None, Fault.TIMED_OUT), 4: refused(400)}
    errors, run = errors_at(9), quick(abroad(5))
    assert await send_limited(run, Server(lambda m, _: replies.get(m.row) or accepted(m)), errors) is None
    assert run.states() == {1: "sent", 2: "failed", 3: "unknown", 4: "rejected", 5: "sent"}
    assert (errors.count, errors.done) == (3, 5)


@pytest.mark.parametrize("reply", [refused(500), Reply(None, Fault.TIMED_OUT), refused(400)])
async def test_one_error_more_than_allowed_stops_the_run(reply: Reply) -> None:
    server = Server(lambda m, _: accepted(m) if m.row == 1 else reply)
    stop = await send_limited(quick(abroad(9)), server, errors_at(1))
    assert stop is not None
    assert (stop.reason, server.rows) == (StopReason.TOO_MANY_ERRORS, [1, 2, 3])


async def test_a_run_of_which_too_many_rows_are_errors_already_sends_nothing() -> None:
    server = accepts_all()
    stop = await send_limited(quick(abroad(3)), server, errors_at(1, done=2, so_far=[8, 9]))
    assert stop is not None
    assert (stop.reason, server.rows) == (StopReason.TOO_MANY_ERRORS, [])


@pytest.mark.parametrize("echoes", [True, False])
async def test_a_row_of_an_earlier_command_is_an_error_once_it_cannot_be_repeated_safely(echoes: bool) -> None:
    run, server = quick(abroad(4)), echoes_all() if echoes else accepts_all()
    left_in_doubt(run, 1, ago_s=60)
    errors = errors_at(0, done=1, so_far=[1])
    stop = await send_limited(run, server, errors)
    if echoes:
        assert stop is None
        assert server.rows == [2, 1, 3, 4]
        assert (errors.count, errors.done) == (0, 4)
    else:
        assert stop is not None
        assert (stop.reason, server.rows) == (StopReason.TOO_MANY_ERRORS, [2])


async def test_a_repeat_that_is_let_go_is_an_error() -> None:
    clock = [time.time()]

    def reply(message: Message, _: int) -> Reply:
        if message.row == 2:
            clock[0] += 25 * HOUR_S
            return Reply(None, Fault.TIMED_OUT)
        return accepted(message, echoed=True)

    run, errors = quick(abroad(3)), errors_at(9)
    run.wall = lambda: clock[0]
    assert await send_limited(run, Server(reply), errors, retries=4) is None
    assert run.states()[2] == "unknown"
    assert (errors.count, errors.done) == (1, 3)


async def test_of_the_repeats_that_a_limit_leaves_none_goes_to_what_is_too_old() -> None:
    run, server = quick(abroad(4)), echoes_all()
    left_in_doubt(run, 1, ago_s=24 * HOUR_S + 1)
    for row in (2, 3):
        left_in_doubt(run, row, ago_s=24 * HOUR_S - 60)
    assert await send_limited(run, server, past=Past(repeats=1)) is None
    assert server.rows == [4, 2]


async def test_what_the_server_knew_already_costs_nothing_and_what_it_took_from_us_costs_its_price() -> None:
    def reply(message: Message, attempt: int) -> Reply:
        if message.row == 2 and attempt == 1:
            return Reply(None, Fault.TIMED_OUT)
        known = message.row in {2, 3}  # row 3 from elsewhere
        return Reply(409 if known else 200, answer=answer(message), echoed=True)

    budget = Budget(
        MicroUSD(60_000), spent=0, dearest_part=20_000, told={"49": 20_000}, in_doubt=(), kind_of=lambda _: "49"
    )
    run, server = quick(abroad(5)), Server(reply)
    stop = await send_limited(run, server, retries=4, budget=budget)
    assert stop is not None
    assert stop.reason is StopReason.BUDGET_FILLED
    assert run.states() == {1: "sent", 2: "sent", 3: "sent", 4: "sent", 5: "pending"}
    charged = {row: note.answer and note.answer.charged for row, note in run.memory.notes.items()}
    assert charged == {1: 20_000, 2: 20_000, 3: None, 4: 20_000, 5: None}
