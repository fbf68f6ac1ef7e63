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
from planned import EVENT_OF, PlannedRow, write_plan
from runfiles import notes_of

from bulksend.errors import RunFileError
from bulksend.model import Answer, Encoding, Event, MicroUSD, Outcome, PhoneNumber, Status
from bulksend.model import Attempt as Begun
from bulksend.reports.results import write_results
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.sending import ACCEPTED, Proof, Verdict

ROWS = 8
PHONES = [PhoneNumber("639171234567"), PhoneNumber("639181234567")]
FAR = 1e9  # seconds: later than all that happens here
DAY_S = 24 * 3600.0
CHOICES = st.integers(0, 2**16)
# What dies here are processes, not machines, so no disk need be waited for; None: the usual folder.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 -- only mkdtemp makes something in it
SELDOM = st.sampled_from([False] * 7 + [True])
MOSTLY = st.sampled_from([True] * 3 + [False])


@dataclass
class Server:
    """What the server knows, whether or not anybody heard of it.

    Attributes:
        knows_keys: whether it remembers them, and echoes them.
        accepted: row and id of each message accepted.
        remembered: of those that were accepted while it knew keys, by row.
        arrivals: row and time of each message accepted.
    """

    knows_keys: bool
    accepted: list[tuple[int, str]] = field(default_factory=list)
    arrivals: list[tuple[int, float]] = field(default_factory=list)
    remembered: dict[int, str] = field(default_factory=dict)

    def post(self, row: int, now: float) -> str:
        """Accept a row, or know it again; its id."""
        if self.knows_keys and row in self.remembered:
            return self.remembered[row]
        self.accepted.append((row, f"SMS{len(self.accepted)}"))
        self.arrivals.append((row, now))
        if self.knows_keys:
            self.remembered[row] = self.accepted[-1][1]
        return self.accepted[-1][1]


@dataclass
class Attempt:
    """An attempt of the living process.

    Attributes:
        begun: as the run file gave it.
        left: whether its POST has left.
        outcome: what the process has seen of it and not yet noted.
    """

    begun: Begun
    left: bool = False
    outcome: Outcome | None = None


def answer_with(message_id: str) -> Answer:
    return Answer(message_id, 1, 1, "0.00", "", "", 0, MicroUSD(1))


class RunFile(RuleBasedStateMachine):
    """A process that sends as the engine does, and dies at any moment."""

    @initialize(knows_keys=st.booleans())
    def plan(self, knows_keys: bool) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.path = Path(self.folder.name) / "campaign.run"
        self.server = Server(knows_keys)
        self.clock = itertools.count(1_000, 1)
        self.attempts: dict[int, Attempt] = {}
        self.noted_ids: dict[int, str] = {}  # told to be sent, and committed
        rows = [
            PlannedRow(row, Status.PENDING, PHONES[row % 2], None, f"{row}", Encoding.GSM7, 1, MicroUSD(1), "", b"[]")
            for row in range(1, ROWS + 1)
        ]
        self.never_left: dict[int, bool] = {}  # by row, whether it was in doubt before
        write_plan(self.path, rows).release()
        self.open()

    def open(self) -> None:
        self.run = OwnSqliteRun.own(self.path, self.now)
        self.notes = notes_of(self.run)
        self.proof = Proof(self.run.turn, keyed=True)
        self.last_left = 0

    def teardown(self) -> None:
        if hasattr(self, "run"):
            self.run.close()
            self.folder.cleanup()

    @property
    def now(self) -> float:
        return float(next(self.clock))

    # -- What a process does

    @rule(choice=CHOICES, count=st.integers(1, 3), leave=st.booleans(), dies=SELDOM)
    def begin_rows_that_are_due(self, choice: int, count: int, leave: bool, dies: bool) -> None:
        """Only what the run file offers: rows never accepted, and rows in doubt whose keys the server surely knows."""
        due = [item.row for item in self.notes.claim(0, ROWS)]
        if self.proof.number:
            due += [item.row for item in self.notes.undecided(0.0, self.proof.number)]
        due = [row for row in due if row not in self.attempts]
        rows = [due[(choice + step) % len(due)] for step in range(min(count, len(due)))]
        if not rows:
            return
        self.run._db.execute("BEGIN IMMEDIATE")
        self.notes.settle([], turn=self.proof.turn)  # the outcomes that show it go into the same commit, or before
        begun = self.notes.begin(rows, self.now, self.proof.number)
        if dies:
            self.die()
            return
        self.run._db.execute("COMMIT")
        for attempt in begun:
            self.attempts[attempt.message.row] = Attempt(attempt)
            self.never_left.pop(attempt.message.row, None)
        if leave:
            self.posts_leave(len(self.waiting()))

    @precondition(lambda self: self.waiting())
    @rule(count=st.integers(1, 3))
    def some_posts_leave(self, count: int) -> None:
        self.posts_leave(count)

    @precondition(lambda self: self.waiting())
    @rule()
    def the_last_is_called_off(self) -> None:
        row = self.waiting()[-1].begun.message.row
        self.attempts[row].outcome = Outcome(row=row, event=Event.CALLED_OFF, final=True, ended_at=self.now)

    @precondition(lambda self: self.on_their_way())
    @rule(choice=CHOICES)
    def an_answer_comes(self, choice: int) -> None:
        row = self.one_of(self.on_their_way(), choice)
        message_id = self.server.post(row, self.now)
        self.proof.see(self.attempts[row].begun, Verdict(ACCEPTED, 200, echoed=self.server.knows_keys))
        self.see(row, Status.SENT, answer_with(message_id))

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
        self.see(self.one_of(self.on_their_way(), choice), status)

    @rule(dies=SELDOM)
    def look_up_what_is_in_doubt(self, dies: bool) -> None:
        ids = dict(self.server.accepted)
        found = {row: ids[row] for row in self.undecided() if row in ids}
        self.run._db.execute("BEGIN IMMEDIATE")
        self.notes.found({row: answer_with(message_id) for row, message_id in found.items()}, self.now)
        if dies:
            self.die()
            return
        self.run._db.execute("COMMIT")
        self.noted_ids |= found

    @rule(choice=CHOICES)
    def somebody_leaves_a_row_in_doubt_at_that(self, choice: int) -> None:
        in_doubt = [each.row for each in self.run.in_doubt()]
        some = in_doubt[: choice % (len(in_doubt) + 1)]
        self.run.decide(some, resend=False)
        assert self.undecided() == set(in_doubt) - set(some)

    @rule(choice=CHOICES, dies=SELDOM)
    def note_outcomes(self, choice: int, dies: bool) -> None:
        seen = [attempt.outcome for attempt in self.attempts.values() if attempt.outcome]
        some = seen[: choice % (len(seen) + 1)]
        self.run._db.execute("BEGIN IMMEDIATE")
        self.notes.settle(some, turn=self.proof.turn)
        if dies:
            self.die()
            return
        self.run._db.execute("COMMIT")
        for outcome in some:
            del self.attempts[outcome.row]
            if outcome.answer:
                self.noted_ids[outcome.row] = outcome.answer.message_id

    @rule(arrive=st.lists(st.booleans(), max_size=ROWS), knows_keys=MOSTLY)
    def die_and_start_again(self, arrive: Sequence[bool] = (), knows_keys: bool = True) -> None:
        """Whatever was on its way may arrive, now that nobody listens any more; the next server may be another."""
        for row, arrives in zip(self.on_their_way(), arrive, strict=False):
            if arrives:
                self.server.post(row, self.now)
        self.server.knows_keys = knows_keys
        self.die()

    @rule(knows_keys=MOSTLY)
    def end_in_order_and_start_again(self, knows_keys: bool) -> None:
        """With requests under way that were cut off."""
        self.cut_off()
        self.run.close()
        self.server.knows_keys = knows_keys
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
        if not hasattr(self, "run"):
            return
        ids = dict(self.server.accepted)
        with SqliteRun.open(self.path) as run:
            told = {
                row: (state, orjson.loads(answer)["messageId"] if answer else None)
                for row, state, _, answer, *_ in run.results()
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
    def what_never_left_is_in_no_doubt_by_it(self) -> None:
        if not hasattr(self, "run"):
            return
        with SqliteRun.open(self.path) as run:
            told = {row: state for row, state, *_ in run.results()}
        for row, was_in_doubt in self.never_left.items():
            assert told[row] == (Status.UNKNOWN if was_in_doubt else Status.PENDING)

    @invariant()
    def only_rows_that_were_not_accepted_are_offered_freely(self) -> None:
        if hasattr(self, "run"):
            assert {item.row for item in self.notes.claim(0, ROWS)}.isdisjoint(dict(self.server.accepted))

    @invariant()
    def an_arrival_counts_against_the_cap_until_after_it_came(self) -> None:
        if not hasattr(self, "run"):
            return
        for phone in PHONES:
            arrivals = sorted(at for row, at in self.server.arrivals if PHONES[row % 2] == phone)
            counted: list[float] = []
            for recipient, slots, ended_at in self.notes.recent_sends(0.0, FAR):
                if recipient == phone:
                    counted += [ended_at] * slots
            for arrival, ended_at in zip(reversed(arrivals), sorted(counted, reverse=True), strict=False):
                assert ended_at >= arrival
            assert len(counted) >= len(arrivals)

    @invariant()
    def results_are_one_record_per_row(self) -> None:
        if hasattr(self, "run") and not self.attempts:
            results = self.path.with_name("results.jsonl")
            with SqliteRun.open(self.path) as run:
                write_results(run, results)
            assert len(results.read_text().splitlines()) == ROWS

    # -- Helpers

    def undecided(self) -> set[int]:
        """Rows in doubt that nobody has decided on, under whatever proof."""
        return {item.row for proof in range(self.proof.turn + 1) for item in self.notes.undecided(0.0, proof)}

    def posts_leave(self, count: int) -> None:
        for attempt in self.waiting()[:count]:
            if not self.proof.allows(attempt.begun, self.now):
                attempt.outcome = Outcome(
                    row=attempt.begun.message.row, event=Event.CALLED_OFF, final=True, ended_at=self.now
                )
                continue
            self.notes.leaves(attempt.begun)
            attempt.left, self.last_left = True, attempt.begun.ticket

    def on_their_way(self) -> list[int]:
        return [row for row, attempt in self.attempts.items() if attempt.left and attempt.outcome is None]

    def waiting(self) -> list[Attempt]:
        """Those that have not left, in the order in which they will."""
        found = [attempt for attempt in self.attempts.values() if not attempt.left and attempt.outcome is None]
        return sorted(found, key=lambda attempt: attempt.begun.ticket)

    def see(self, row: int, status: Status, answer: Answer | None = None) -> None:
        self.attempts[row].outcome = Outcome(
            row=row, event=EVENT_OF[status], final=True, ended_at=self.now, answer=answer
        )

    def die(self) -> None:
        """The process is gone, and all that it had not committed."""
        self.cut_off()
        self.run._db.close()
        self.run._lock.release()
        self.open()

    def cut_off(self) -> None:
        """Attempts behind the last that left never did."""
        for row, attempt in self.attempts.items():
            if attempt.begun.ticket > self.last_left:
                self.never_left[row] = attempt.begun.in_doubt
        self.attempts.clear()

    def refused(self, row: int) -> None:
        self.run._db.execute("BEGIN IMMEDIATE")
        with suppress(RunFileError):
            self.notes.begin([row], self.now)
            raise AssertionError(f"row {row} began again")
        self.run._db.execute("ROLLBACK")

    @staticmethod
    def one_of(rows: Sequence[int], choice: int) -> int:
        return rows[choice % len(rows)]


RunFile.TestCase.settings = settings(
    max_examples=examples(60), stateful_step_count=30, suppress_health_check=list(HealthCheck)
)
TestRunFile = RunFile.TestCase
