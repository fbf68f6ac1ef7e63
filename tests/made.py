"""Runs to which anything may have happened: planned, sent, doubted, decided, closed, purged, or left by a killed owner;
all of it by chance, and by what every store can."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from enum import Enum
from pathlib import Path
from random import Random
from typing import Protocol, TypeAlias

import orjson
from planned import FACTS, PlannedRow, Rows

from bulksend.errors import Advice, Remark, Severity
from bulksend.model import (
    Answer,
    ContactId,
    Encoding,
    Event,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Reached,
    Receipt,
    Recipient,
    Status,
)
from bulksend.planning import Example, Findings, Lines, Reason
from bulksend.runs import Facts, OwnRun
from bulksend.runs.ends import End
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.runs.sqlite.plan import PlanWriter
from bulksend.when import Moment, Schedule, Window, WindowEnd, Windows

NUMBERS = ("639171234567", "639181234567", "4915112345678", "12025550123")
CONTACTS = (7, 101, 9_000_000_000)
WHOM: tuple[Recipient, ...] = (*map(PhoneNumber, NUMBERS), *map(ContactId, CONTACTS))
TEXTS = ("Hello", "Hello again", "Magandang umaga po ☀", "100 % off_'\"\\")
SAID = ("no such number", "it was blocked", "")
ENDS = (
    Event.ACCEPTED, Event.ACCEPTED, Event.ACCEPTED, Event.KNOWN, Event.REJECTED, Event.FAILED, Event.PUT_OFF,
    Event.DOUBTED, Event.DOUBTED, Event.CALLED_OFF,
)  # fmt: skip

Repeats: TypeAlias = dict[Recipient, list[tuple[int, int]]]  # row and parts


class Owned(Enum):
    """How its last owner left it."""

    CLOSED = "closed"
    KILLED = "killed"
    SENDING = "sending"


class Store(Protocol):
    """Where a run is made."""

    def plan(self, rows: Rows, repeats: Repeats, facts: Facts, findings: Findings, lines: Lines | None) -> None:
        """Write its plan."""

    def own(self, now: float) -> OwnRun:
        """Take it."""

    def kill(self, run: OwnRun) -> None:
        """Its owner is gone, as if it had been killed."""


class InFile:
    """A run file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def plan(self, rows: Rows, repeats: Repeats, facts: Facts, findings: Findings, lines: Lines | None) -> None:
        writer = PlanWriter(self.path)
        writer.add(rows)
        for recipient, messages in repeats.items():
            writer.add_repeats(recipient, messages, [row for row, _ in messages])
        writer.finish(facts, findings, lines).release()

    def own(self, now: float) -> OwnRun:
        return OwnSqliteRun.own(self.path, now)

    def kill(self, run: OwnRun) -> None:
        assert isinstance(run, OwnSqliteRun)
        run._departures.close(remove=False)
        run._db.close()
        run._lock.release()
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:  # it was another process
            db.execute("UPDATE facts SET value = json_set(value, '$.started_at', 1) WHERE name = 'owner'")


class Made:
    """A run in the making.

    Args:
        store: where.
        chance: what happens.
        ends: how its last owner may leave it.
    """

    def __init__(self, store: Store, chance: Random, ends: Sequence[Owned] = tuple(Owned)) -> None:
        self._chance = chance
        self._now = 1_000.0
        self._rows = chance.choice([0, 1, 6, 15, 15, 15])
        self._under_way: set[int] = set()
        self._is_purged = False
        self._plan(store)
        for is_last in (False,) * chance.randrange(2) + (True,):
            self._run = store.own(self._later())
            self.owned = chance.choice(ends) if is_last else Owned.CLOSED
            asyncio.run(self._send())
        if self.owned is Owned.KILLED:
            store.kill(self._run)

    def close(self) -> None:
        """Let go of it, if its owner still has it."""
        if self.owned is Owned.SENDING:
            self._journal.close()
            self._run.close()

    async def _send(self) -> None:
        for left in reversed(range(self._chance.choice([1, 2, 4]))):
            for _ in range(self._chance.randrange(6)):
                self._chance.choice(_DECISIONS)(self)
            await self._note(is_last=not left)
        if self.owned is Owned.CLOSED:
            self._run.close()

    async def _note(self, *, is_last: bool) -> None:
        limit, keyed = self._chance.choice([None, None, 2]), self._chance.choice([None, True, False])
        self._journal = self._run.journal(by_parts=self._maybe(), limit=limit, keyed=keyed)
        for _ in range(0 if self._is_purged else self._chance.randrange(8)):  # nobody sends what has no text
            await self._chance.choice(_NOTES)(self)
        if not is_last or self.owned is Owned.CLOSED:
            await self.settle(1.0)
        if not is_last or self.owned is not Owned.SENDING:
            self._journal.close()

    # -- The plan

    def _plan(self, store: Store) -> None:
        rows = [self._row(row) for row in range(1, self._rows + 1)]
        crowds: Repeats = defaultdict(list)
        for each in rows:
            if each.status == Status.PENDING and each.recipient is not None:
                crowds[each.recipient].append((each.row, each.parts))
        repeats = {recipient: some for recipient, some in crowds.items() if len(some) > 1}
        lines = Lines()
        lines.add(1, [row + 1 + (row > 3) for row in range(1, self._rows + 1)], is_book=self._maybe())
        facts = replace(FACTS, org_id=self._chance.randrange(1, 2**60))  # an account of its own
        store.plan(Rows(rows), repeats, facts, self._findings(), lines if self._maybe() else None)

    def _row(self, row: int) -> PlannedRow:
        choice = self._chance.choice
        who = choice(WHOM)
        cells = orjson.dumps([str(who), choice(TEXTS), None])
        if self._chance.random() < 0.2:
            status = choice([Status.INVALID, Status.SKIPPED])
            return PlannedRow(row, status, who if self._maybe() else None, None, "", None, 0, None, choice(SAID), cells)
        price, parts = choice([None, 20_000, 33_333]), choice([1, 1, 2, 3])
        cost = None if price is None else MicroUSD(price * parts)
        sender, coding, says = choice([None, "ACME"]), choice(list(Encoding)), choice(["", "sent then"])
        return PlannedRow(row, Status.PENDING, who, sender, choice(TEXTS), coding, parts, cost, says, cells)

    def _findings(self) -> Findings:
        reason = Reason(Status.INVALID, "it is bad", 2, (Example(2, "to", "x", " (line 3)"), Example(4)), None)
        other = Reason(Status.SKIPPED, SAID[0], 1, (Example(1),), Advice.ALLOW_NEW_PREFIXES)
        warning = Remark("so it is", None, None, Severity.MONEY, {"column": "to"}, ("'x'",))
        return Findings((reason, other), (Remark("read as UTF-8", None),), (warning,), "a file", *self._marked())

    def _marked(self) -> tuple[int, int]:
        return self._chance.randrange(self._rows + 1), self._chance.randrange(self._rows + 1)

    # -- What is noted while it is sent

    async def begin(self) -> None:
        rows = [each.row for each in await self._journal.claim(0, 100) if self._chance.random() < 0.4]
        rows = [row for row in rows if row not in self._under_way]
        for attempt in await self._journal.begin(rows, self._later(), self._chance.choice([0, 0, 1, 3])):
            self._journal.leaves(attempt)
            self._under_way.add(attempt.message.row)

    async def settle(self, share: float = 0.7) -> None:
        rows = [row for row in sorted(self._under_way) if self._chance.random() < share]
        await self._journal.settle([self._outcome(row) for row in rows], turn=self._chance.randrange(4))
        self._under_way.difference_update(rows)

    async def find(self) -> None:
        found = await self._journal.in_doubt(100)
        await self._journal.found({each.row: self._answer(each.row) for each in found if self._maybe()}, self._later())

    async def look_on(self) -> None:
        await self._journal.note_progress(self._chance.choice(TEXTS))

    # -- What is decided between

    def decide(self) -> None:
        self._run.decide([each.row for each in self._run.in_doubt() if self._maybe()], resend=self._maybe())

    def leave_out(self) -> None:
        event = self._chance.choice([Event.LEFT_OUT, Event.TAKEN_OVER, Event.EXCLUDED])
        self._run.leave_out([(row, self._chance.choice(SAID)) for row in self._some()], event, self._later())

    def take_up(self) -> None:
        self._run.take_up()

    def learn(self) -> None:
        self._run.learn([(ContactId(self._chance.choice(CONTACTS)), PhoneNumber(self._chance.choice(NUMBERS)))])

    def count_on(self) -> None:
        self._run.count_on([(row, self._chance.randrange(3)) for row in self._some()])

    def explain(self) -> None:
        self._run.explain([(row, "another file of it sent it") for row in self._some()])

    def start(self) -> None:
        self._run.note_start(self._later())

    def end(self) -> None:
        self._run.note_end(End(self._chance.choice(["finished", "budget"]), self._chance.choice(SAID), self._later()))

    def write_results(self) -> None:
        self._run.results_file.note_place(f"/results/{self._chance.randrange(3)}.csv")

    def time(self) -> None:
        windows = Windows((Window(frozenset({0, 4}), 480, 1_200, "Asia/Manila"),) * self._chance.randrange(2))
        start = Moment(2_000.0, "tonight", "Asia/Manila") if self._maybe() else None
        self._run.times.keep(Schedule(start, windows, self._chance.choice(list(WindowEnd)), "UTC"))
        self._run.times.wait(self._chance.choice([None, 5_000.0]))

    def receive(self) -> None:
        awaited = self._run.receipts.awaited()
        awaited.note([self._receipt(each) for each in awaited.next("", 100) if self._maybe()])

    def close_rows(self) -> None:
        if self._chance.random() < 0.2:
            self._run.close_rows("closed by somebody", self._later())

    def forget(self) -> None:
        if self._chance.random() < 0.2:
            self._run.forget(self._later())
            self._is_purged = True

    def _outcome(self, row: int) -> Outcome:
        choice, event = self._chance.choice, self._chance.choice(ENDS)
        answer = self._answer(row) if event in {Event.ACCEPTED, Event.KNOWN} or self._maybe() else None
        contact = ContactId(choice(CONTACTS))
        learned = (contact, PhoneNumber(choice(NUMBERS))) if self._chance.random() < 0.1 else None
        status = choice([None, 200, 409, 500])
        return Outcome(row, event, True, self._later(), status, answer, choice(SAID), learned)

    def _receipt(self, message_id: str) -> Receipt:
        choice = self._chance.choice
        to_telco, charged = choice([None, True, False]), choice([None, MicroUSD(9)])
        return Receipt(message_id, to_telco, choice(list(Reached)), choice(SAID), charged)

    def _answer(self, row: int) -> Answer:
        choice = self._chance.choice
        to = choice(["", "n/a", *NUMBERS, *(f"+{number}" for number in NUMBERS)])
        charged = choice([None, *map(MicroUSD, (0, 20_000, 20_000, 39_999))])
        return Answer(f"SMS{row}", choice([None, 0, 1, 2, 2, 300]), 20_000, "0.02", "", to, choice([None, 7]), charged)

    def _some(self) -> list[int]:
        return [row for row in range(1, self._rows + 1) if self._chance.random() < 0.15]

    def _maybe(self) -> bool:
        return self._chance.random() < 0.5

    def _later(self) -> float:
        self._now += self._chance.choice([0.0, 0.004, 0.21, 1.75, 3.0, 70.0, 900.0])
        return self._now


_NOTES: list[Callable[[Made], Awaitable[None]]] = [*[Made.begin, Made.settle] * 4, Made.find, Made.look_on]
_DECISIONS: list[Callable[[Made], None]] = [
    *[Made.decide, Made.receive] * 3, Made.leave_out, Made.take_up, Made.learn, Made.count_on, Made.explain, Made.start,
    Made.end, Made.write_results, Made.time, Made.close_rows, Made.forget,
]  # fmt: skip
