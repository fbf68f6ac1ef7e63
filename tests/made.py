"""Run files to which anything may have happened: planned, sent, doubted, decided, closed, purged, or left by a killed
owner; all of it by the run file's own means, and by chance."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from enum import Enum
from pathlib import Path
from random import Random

import orjson
from planned import FACTS, PlannedRow, Rows
from runfiles import begin, notes_of, own

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
from bulksend.runs.ends import End
from bulksend.runs.sqlite.notes import Notes
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


class Owned(Enum):
    """How its last owner left it."""

    CLOSED = "closed"
    KILLED = "killed"
    SENDING = "sending"


class Made:
    """A run file in the making.

    Args:
        path: where.
        chance: what happens.
    """

    def __init__(self, path: Path, chance: Random) -> None:
        self.path = path
        self._chance = chance
        self._now = 1_000.0
        self._rows = chance.choice([0, 1, 6, 15, 15, 15])
        self._plan()
        for last in (False,) * chance.randrange(2) + (True,):
            run = own(path, self._later())
            for _ in range(chance.choice([4, 12, 40])):
                chance.choice(_STEPS)(self, run, notes_of(run))
            self.owned = chance.choice(list(Owned)) if last else Owned.CLOSED
            self._leave(run)

    def close(self) -> None:
        """Let go of it, if its owner still has it."""
        if self.owned is Owned.SENDING:
            self._run.close()

    def _leave(self, run: OwnSqliteRun) -> None:
        self._run = run
        if self.owned is Owned.CLOSED:
            run.close()
        elif self.owned is Owned.KILLED:
            run._departures.close(remove=False)
            run._db.close()
            run._lock.release()
            with closing(sqlite3.connect(self.path, isolation_level=None)) as db:  # it was another process
                db.execute("UPDATE facts SET value = json_set(value, '$.started_at', 1) WHERE name = 'owner'")

    # -- The plan

    def _plan(self) -> None:
        writer, rows = PlanWriter(self.path), [self._row(row) for row in range(1, self._rows + 1)]
        writer.add(Rows(rows))
        crowds: dict[Recipient, list[PlannedRow]] = defaultdict(list)
        for each in rows:
            if each.status == Status.PENDING and each.recipient is not None:
                crowds[each.recipient].append(each)
        for recipient, some in crowds.items():
            if len(some) > 1:
                writer.add_repeats(recipient, [(each.row, each.parts) for each in some], [each.row for each in some])
        lines = Lines()
        lines.add(1, [row + 1 + (row > 3) for row in range(1, self._rows + 1)], is_book=self._maybe())
        writer.finish(FACTS, self._findings(), lines if self._maybe() else None).release()

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

    # -- What happens

    def begin(self, _: OwnSqliteRun, notes: Notes) -> None:
        queued = [each.row for each in notes.claim(0, 100) if self._chance.random() < 0.3]
        begin(notes, queued, self._later(), self._chance.choice([0, 0, 1, 3]))

    def settle(self, _: OwnSqliteRun, notes: Notes) -> None:
        rows = [row for row, state in self._states() if state == "in flight" and self._chance.random() < 0.8]
        notes.settle([self._outcome(row) for row in rows], turn=self._chance.randrange(4))

    def find(self, _: OwnSqliteRun, notes: Notes) -> None:
        notes.found({each: self._answer(each) for each in self._some()}, self._later())

    def decide(self, run: OwnSqliteRun, _: Notes) -> None:
        run.decide([row for row, state in self._states() if state == "unknown" and self._maybe()], resend=self._maybe())

    def leave_out(self, run: OwnSqliteRun, _: Notes) -> None:
        event = self._chance.choice([Event.LEFT_OUT, Event.TAKEN_OVER, Event.EXCLUDED])
        run.leave_out([(row, self._chance.choice(SAID)) for row in self._some()], event, self._later())

    def take_up(self, run: OwnSqliteRun, _: Notes) -> None:
        run.take_up()

    def learn(self, run: OwnSqliteRun, _: Notes) -> None:
        run.learn([(ContactId(self._chance.choice(CONTACTS)), PhoneNumber(self._chance.choice(NUMBERS)))])

    def count_on(self, run: OwnSqliteRun, _: Notes) -> None:
        run.count_on([(row, self._chance.randrange(3)) for row in self._some()])

    def explain(self, run: OwnSqliteRun, _: Notes) -> None:
        run.explain([(row, "another file of it sent it") for row in self._some()])

    def start(self, run: OwnSqliteRun, _: Notes) -> None:
        run.note_start(self._later())

    def end(self, run: OwnSqliteRun, _: Notes) -> None:
        run.note_end(End(self._chance.choice(["finished", "budget"]), self._chance.choice(SAID), self._later()))

    def look_on(self, run: OwnSqliteRun, notes: Notes) -> None:
        notes.note_progress(self._chance.choice(TEXTS))
        run.note_results(f"/results/{self._chance.randrange(3)}.csv")

    def time(self, run: OwnSqliteRun, _: Notes) -> None:
        windows = Windows((Window(frozenset({0, 4}), 480, 1_200, "Asia/Manila"),) * self._chance.randrange(2))
        start = Moment(2_000.0, "tonight", "Asia/Manila") if self._maybe() else None
        run.times.keep(Schedule(start, windows, self._chance.choice(list(WindowEnd)), "UTC"))
        run.times.wait(self._chance.choice([None, 5_000.0]))

    def receive(self, run: OwnSqliteRun, _: Notes) -> None:
        awaited = run.receipts.awaited()
        awaited.note([self._receipt(each) for each in awaited.next("", 100) if self._maybe()])

    def kinds(self, run: OwnSqliteRun, _: Notes) -> None:
        notes = Notes(
            run._db, run.path, run._departures, epoch=run._epoch, by_parts=True,
            limit=self._chance.choice([None, 1]), keyed=self._maybe(),
        )  # fmt: skip
        run._notes.append(notes)
        begin(notes, [each.row for each in notes.claim(0, 2)], self._later())

    def close_rows(self, run: OwnSqliteRun, _: Notes) -> None:
        if self._chance.random() < 0.1:
            run.close_rows("closed by somebody", self._later())

    def forget(self, run: OwnSqliteRun, _: Notes) -> None:
        if self._chance.random() < 0.1:
            run.forget(self._later())

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
        charged = choice([None, *map(MicroUSD, (0, 20_000, 33_333, 39_999))])
        return Answer(f"SMS{row}", choice([None, 0, 1, 2, 300]), 20_000, "0.02", "", to, choice([None, 7]), charged)

    def _states(self) -> list[tuple[int, str]]:
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute("SELECT row, state FROM sends").fetchall()

    def _some(self) -> list[int]:
        return [row for row in range(1, self._rows + 1) if self._chance.random() < 0.15]

    def _maybe(self) -> bool:
        return self._chance.random() < 0.5

    def _later(self) -> float:
        self._now += self._chance.choice([0.0, 0.004, 0.21, 1.75, 3.0, 70.0, 900.0])
        return self._now


_STEPS: list[Callable[[Made, OwnSqliteRun, Notes], None]] = [
    *[Made.begin, Made.settle, Made.decide] * 4, *[Made.receive] * 2, Made.find, Made.leave_out, Made.take_up,
    Made.learn, Made.count_on, Made.explain, Made.start, Made.end, Made.look_on, Made.time, Made.kinds, Made.close_rows,
    Made.forget,
]  # fmt: skip
