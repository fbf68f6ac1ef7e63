"""The run file beside a model of the server, under every order of intents, answers, losses and crashes."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from conftest import examples
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from planned import PlannedRow, write_plan

from bulksend.errors import RunFileError
from bulksend.model import Answer, Encoding, MicroUSD, Outcome, PhoneNumber, Status
from bulksend.reports.results import write_results
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.reader import RunReport
from bulksend.runs.sqlite.store import RunStore

ROWS = 8
PHONES = [PhoneNumber("639171234567"), PhoneNumber("639181234567")]
FAR = 1e9  # seconds: later than all that happens here
DAY_S = 24 * 3600.0
CHOICES = st.integers(0, 2**16)
# What dies here are processes, not machines, so no disk need be waited for; None: the usual folder.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 -- only mkdtemp makes something in it


@dataclass
class Server:
    """What the server knows, whether or not anybody heard of it.

    Attributes:
        accepted: row and id of each message accepted.
        arrivals: row and time of each message accepted.
    """

    knows_keys: bool
    accepted: list[tuple[int, str]] = field(default_factory=list)
    arrivals: list[tuple[int, float]] = field(default_factory=list)

    def post(self, row: int, now: float) -> str:
        """Accept a row, or know it again; its id."""
        known = dict(self.accepted)
        if self.knows_keys and row in known:
            return known[row]
        self.accepted.append((row, f"SMS{len(self.accepted)}"))
        self.arrivals.append((row, now))
        return self.accepted[-1][1]


@dataclass
class Attempt:
    """An attempt of the living process.

    Attributes:
        in_doubt: as the run file said when it began.
        outcome: what the process has seen of it and not yet noted.
    """

    in_doubt: bool
    outcome: Outcome | None = None


class RunFile(RuleBasedStateMachine):
    """A process that keeps the house rules, and dies at any moment."""

    @initialize(knows_keys=st.booleans())
    def plan(self, knows_keys: bool) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.path = Path(self.folder.name) / "campaign.run"
        self.server = Server(knows_keys)
        self.proven = False  # as far as the living process knows
        self.clock = itertools.count(1_000, 1)
        self.attempts: dict[int, Attempt] = {}
        self.noted_ids: dict[int, str] = {}  # told to be sent, and committed
        rows = [
            PlannedRow(row, Status.PENDING, PHONES[row % 2], None, f"{row}", Encoding.GSM7, 1, MicroUSD(1), "", b"[]")
            for row in range(1, ROWS + 1)
        ]
        self.lock: FileLock = write_plan(self.path, rows)
        self.open()

    def open(self) -> None:
        self.store = RunStore(self.path, by_parts=True, limit=None, now=self.now)
        self.proven = self.store.dedup_proven

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.lock.release()
            self.folder.cleanup()

    @property
    def now(self) -> float:
        return float(next(self.clock))

    # -- What a process does

    @rule(choice=CHOICES, count=st.integers(1, 3), dies=st.booleans())
    def begin_rows_that_are_due(self, choice: int, count: int, dies: bool) -> None:
        """Only what the run file offers: rows never accepted, and rows in doubt where the server has shown keys."""
        due = [item.row for item in self.store.claim(0, ROWS)]
        if self.proven:
            due += [item.row for item in self.store.unresolved(0.0)]
        due = [row for row in due if row not in self.attempts]
        rows = [due[(choice + step) % len(due)] for step in range(min(count, len(due)))]
        if not rows:
            return
        self.store.db.execute("BEGIN IMMEDIATE")
        begun = self.store.begin(rows, self.now)
        if dies:
            self.die()
            return
        self.store.db.execute("COMMIT")
        for attempt in begun:
            self.attempts[attempt.message.row] = Attempt(attempt.in_doubt)

    @precondition(lambda self: self.on_their_way())
    @rule(choice=CHOICES)
    def an_answer_comes(self, choice: int) -> None:
        row = self.one_of(self.on_their_way(), choice)
        message_id = self.server.post(row, self.now)
        self.proven = self.proven or self.server.knows_keys
        answer = Answer(message_id, 1, 1, "0.00", "", "", 0, MicroUSD(1))
        self.see(row, Status.SENT, answer)

    @precondition(lambda self: self.on_their_way())
    @rule(choice=CHOICES, arrives=st.booleans())
    def an_answer_is_lost(self, choice: int, arrives: bool) -> None:
        row = self.one_of(self.on_their_way(), choice)
        if arrives:
            self.server.post(row, self.now)
        self.see(row, Status.UNKNOWN)

    @precondition(lambda self: self.on_their_way())
    @rule(choice=CHOICES, status=st.sampled_from([Status.PENDING, Status.FAILED, Status.REJECTED]))
    def the_api_says_that_it_was_not_accepted(self, choice: int, status: Status) -> None:
        row = self.one_of(self.on_their_way(), choice)
        self.see(row, Status.UNKNOWN if self.attempts[row].in_doubt else status)

    @rule(choice=CHOICES, dies=st.booleans())
    def note_outcomes(self, choice: int, dies: bool) -> None:
        seen = [attempt.outcome for attempt in self.attempts.values() if attempt.outcome]
        some = seen[: choice % (len(seen) + 1)]
        self.store.db.execute("BEGIN IMMEDIATE")
        self.store.settle(some, dedup_proven=self.proven)
        if dies:
            self.die()
            return
        self.store.db.execute("COMMIT")
        for outcome in some:
            del self.attempts[outcome.row]
            if outcome.answer:
                self.noted_ids[outcome.row] = outcome.answer.message_id

    @rule(arrive=st.lists(st.booleans(), max_size=ROWS))
    def die_and_start_again(self, arrive: Sequence[bool] = ()) -> None:
        """Whatever was on its way may arrive, now that nobody listens any more."""
        for row, arrives in zip(self.on_their_way(), arrive, strict=False):
            if arrives:
                self.server.post(row, self.now)
        self.die()

    @rule()
    def end_in_order_and_start_again(self) -> None:
        """With requests under way that were cut off."""
        self.attempts.clear()
        self.store.close()
        self.open()

    @precondition(lambda self: self.attempts)
    @rule(choice=CHOICES)
    def a_row_under_way_cannot_begin_again(self, choice: int) -> None:
        self.refused(self.one_of(list(self.attempts), choice))

    @precondition(lambda self: self.noted_ids)
    @rule(choice=CHOICES)
    def a_sent_row_cannot_begin_again(self, choice: int) -> None:
        self.refused(self.one_of(list(self.noted_ids), choice))

    # -- What must hold

    @invariant()
    def nothing_is_accepted_twice(self) -> None:
        if hasattr(self, "server"):
            assert all(times == 1 for times in Counter(row for row, _ in self.server.accepted).values())

    @invariant()
    def what_is_told_is_true_and_what_was_accepted_is_told(self) -> None:
        if not hasattr(self, "store"):
            return
        ids = dict(self.server.accepted)
        with RunReport(self.path) as run:
            told = {
                row: (state, orjson.loads(answer)[0] if answer else None) for row, state, _, answer, *_ in run.results()
            }
            assert run.tally().rows == ROWS
        assert sorted(told) == list(range(1, ROWS + 1))
        for row, (state, message_id) in told.items():
            if state == Status.SENT:
                assert message_id == ids[row]
            elif row in ids:
                assert state in {Status.UNKNOWN, "in flight"}, "an accepted row is lost"
        for row, message_id in self.noted_ids.items():
            assert told[row] == (Status.SENT, message_id), "what was told was taken back"

    @invariant()
    def only_rows_that_were_not_accepted_are_offered_freely(self) -> None:
        if hasattr(self, "store"):
            assert {item.row for item in self.store.claim(0, ROWS)}.isdisjoint(dict(self.server.accepted))

    @invariant()
    def an_arrival_counts_against_the_cap_until_after_it_came(self) -> None:
        if not hasattr(self, "store"):
            return
        for phone in PHONES:
            arrivals = sorted(at for row, at in self.server.arrivals if PHONES[row % 2] == phone)
            counted: list[float] = []
            for recipient, slots, ended_at in self.store.recent_sends(0.0, FAR):
                if recipient == phone:
                    counted += [ended_at] * slots
            for arrival, ended_at in zip(reversed(arrivals), sorted(counted, reverse=True), strict=False):
                assert ended_at >= arrival
            assert len(counted) >= len(arrivals)

    @invariant()
    def results_are_one_record_per_row(self) -> None:
        if hasattr(self, "store") and not self.attempts:
            results = self.path.with_name("results.jsonl")
            with RunReport(self.path) as run:
                write_results(run, results)
            assert len(results.read_text().splitlines()) == ROWS

    # -- Helpers

    def on_their_way(self) -> list[int]:
        return [row for row, attempt in self.attempts.items() if attempt.outcome is None]

    def see(self, row: int, status: Status, answer: Answer | None = None) -> None:
        self.attempts[row].outcome = Outcome(row=row, status=status, final=True, ended_at=self.now, answer=answer)

    def die(self) -> None:
        """The process is gone, and all that it had not committed."""
        self.store.db.close()
        self.attempts.clear()
        self.open()

    def refused(self, row: int) -> None:
        self.store.db.execute("BEGIN IMMEDIATE")
        with suppress(RunFileError):
            self.store.begin([row], self.now)
            raise AssertionError(f"row {row} began again")
        self.store.db.execute("ROLLBACK")

    @staticmethod
    def one_of(rows: Sequence[int], choice: int) -> int:
        return rows[choice % len(rows)]


RunFile.TestCase.settings = settings(
    max_examples=examples(60), stateful_step_count=30, suppress_health_check=list(HealthCheck)
)
TestRunFile = RunFile.TestCase
