"""A whole account beside a model of its phones: several runs of it, under every order of sends, crashes and moves."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from conftest import examples
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from planned import PlannedRow, write_plan
from runfiles import facts, notes_of

from bulksend.errors import OwnedError
from bulksend.model import (
    Answer,
    Attempt,
    ContactId,
    Encoding,
    Event,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Queued,
    Recipient,
    Status,
)
from bulksend.runs.account import FileAccount
from bulksend.runs.clock import Clock
from bulksend.runs.opening import own_run
from bulksend.runs.sqlite.notes import Notes
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.sending import Cap, Caps, Past
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.feed import Feed

URL = "https://x.test"
CAP, WINDOW_S = 5, 60.0
RUNS, ROWS = 3, 24
ANA, BEN = PhoneNumber("639171234567"), PhoneNumber("639181234567")
OF_ANA, OF_BEN = ContactId(7), ContactId(8)
NUMBERS = {OF_ANA: ANA, OF_BEN: BEN}
WHO: Sequence[Recipient] = (ANA, ANA, OF_ANA, ANA, ANA, BEN, OF_BEN)
STARTED_AT = 1_700_000_000.0
ENDS = [Event.ACCEPTED] * 3 + [Event.DOUBTED] * 2 + [Event.FAILED, None]
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 -- only mkdtemp makes something in it


@dataclass
class Server:
    """What came to the phones.

    Attributes:
        accepted: by run and row, how often.
        arrivals: by phone, when.
        by_contact: by contact, when: also where nobody could know yet whose phone it is.
    """

    accepted: Counter[tuple[int, int]] = field(default_factory=Counter)
    arrivals: dict[Recipient, list[float]] = field(default_factory=lambda: defaultdict(list))
    by_contact: dict[Recipient, list[float]] = field(default_factory=lambda: defaultdict(list))

    def post(self, run: int, attempt: Attempt, at_s: float, *, is_known: bool) -> None:
        """Accept a message."""
        who = attempt.message.recipient
        self.accepted[run, attempt.message.row] += 1
        if isinstance(who, int):
            self.by_contact[who].append(at_s)
        if is_known:
            self.arrivals[NUMBERS[who] if isinstance(who, int) else who].append(at_s)


@dataclass
class OnItsWay:
    """A POST that has left."""

    item: Queued
    attempt: Attempt
    has_arrived: bool = False


class Now:
    """A run's notes as the feed asks for them, answered at once."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def __getattr__(self, name: str) -> Callable[..., Coroutine[None, None, Any]]:
        async def answer(*arguments: Any) -> Any:
            return getattr(self._notes, name)(*arguments)

        return answer


def at_once(work: Coroutine[Any, Any, None]) -> None:
    """Carry out what waits for nothing."""
    with pytest.raises(StopIteration):
        work.send(None)


class Process:
    """One command, as `bulksend.campaign.sends` and the engine go about it, step by step."""

    def __init__(self, run: int, path: Path, mono_s: float, wall_s: float, limit: int | None) -> None:
        self.run_number = run
        self.under_way: list[OnItsWay] = []
        self.told: set[int] = set()  # contacts whose numbers answers have told
        self.account = FileAccount(URL, 1, str(path))
        run_file = own_run(path, wall_s)
        assert isinstance(run_file, OwnSqliteRun)
        self.run = run_file
        earlier = self.account.begin(self.run, since_s=wall_s - WINDOW_S, wall_s=wall_s, clock=Clock.now(wall_s))
        self.account.lend_numbers(self.run)
        self.quiet_until = mono_s + (WINDOW_S if earlier.blind else 0.0)
        self.notes = notes_of(self.run, limit=limit)
        self.dispatcher = Dispatcher(Caps([Cap("63", CAP, WINDOW_S)]))
        self.feed = Feed(Now(self.notes), self.dispatcher)  # type: ignore[arg-type]
        sends = [(who, parts, at) for who, parts, _, at in earlier.sends]
        at_once(self.feed.recall(Past(sends), mono_s, wall_s))
        at_once(self.feed.fill(mono_s, wall_s))

    def start(self, mono_s: float, wall_s: float, most: int) -> list[OnItsWay]:
        """Let messages leave that may, their intents first."""
        items = self.dispatcher.take(mono_s, most) if mono_s >= self.quiet_until else []
        by_row = {item.row: item for item in items}
        begun: list[Attempt] = []
        if items:
            self._commit(lambda: begun.extend(self.notes.begin(list(by_row), wall_s)))
        left = [OnItsWay(by_row[attempt.message.row], attempt) for attempt in begun]
        for each in left:
            self.notes.leaves(each.attempt)
        self.under_way += left
        return left

    def settle(self, each: OnItsWay, event: Event, mono_s: float, wall_s: float) -> None:
        """An attempt came to its end, which is noted."""
        self.under_way.remove(each)
        who, learned = each.attempt.message.recipient, None
        answer = None
        if event is Event.ACCEPTED:
            number = NUMBERS[who] if isinstance(who, int) else who
            answer = Answer(f"SMS{self.run_number}-{each.item.row}", 1, 1, "0.00", "", number, 0, MicroUSD(1))
            if isinstance(who, int):
                learned = who, number
                self.dispatcher.learn(who, number, mono_s)
                self.told.add(who)
        if event is Event.FAILED:
            self.dispatcher.unsent(each.item, mono_s)
        else:
            self.dispatcher.answered(each.item, mono_s)
        outcome = Outcome(each.item.row, event, final=True, ended_at=wall_s, answer=answer, learned=learned)
        self._commit(lambda: self.notes.settle([outcome], turn=0))

    def end(self, wall_s: float) -> None:
        """End in order."""
        self.account.end(self.run, since_s=wall_s - WINDOW_S, wall_s=wall_s, clock=Clock.now(wall_s))
        self.run.close()
        self.account.close()

    def die(self) -> None:
        """Nothing more is done, by this or anybody else."""
        self.run._db.close()
        self.run._lock.release()
        self.account.close()

    def _commit(self, change: Callable[[], None]) -> None:
        self.run._db.execute("BEGIN IMMEDIATE")
        change()
        self.run._db.execute("COMMIT")
        self.notes.committed()


class WholeAccount(RuleBasedStateMachine):
    """Commands of an account, one after the other, on a machine whose clock may be set."""

    @initialize()
    def plan(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.names = itertools.count()
        self.server = Server()
        self.process: Process | None = None
        self.known: set[int] = set()  # contacts whose numbers every later command must know
        self.true_s, self.step_s = 1_000.0, 0.0
        self.machine = ExitStack()
        self.machine.enter_context(mock.patch.dict(os.environ, {"BULKSEND_STATE_DIR": f"{self.folder.name}/state"}))
        self.machine.enter_context(mock.patch("bulksend.runs.clock.time.clock_gettime", self.since_start_s))
        self.paths = [self.place() for _ in range(RUNS)]
        for run, path in enumerate(self.paths):
            rows = [
                PlannedRow(
                    row, Status.PENDING, WHO[row % len(WHO)], None, f"{row}", Encoding.GSM7, 1, MicroUSD(1), "", b"[]"
                )
                for row in range(1, ROWS + 1)
            ]
            write_plan(path, rows, facts(f"campaign {run}")).release()

    def teardown(self) -> None:
        if not hasattr(self, "folder"):
            return
        if self.process:
            self.process.die()
        self.machine.close()
        self.folder.cleanup()

    # -- What happens

    @rule(
        run=st.integers(0, RUNS - 1),
        limit=st.sampled_from([None, None, None, 6]),
        end=st.sampled_from(["in order", "killed"]),
        arrive=st.booleans(),
        moved=st.one_of(st.none(), st.none(), st.integers(0, RUNS - 1)),
        is_copied=st.booleans(),
        pause_s=st.sampled_from([0.5, 0.5, 5.0, 29.0, 61.0]),
        step_s=st.sampled_from([0.0] * 4 + [-86_400.0, -45.0, 45.0, 86_400.0]),
    )
    def another_command(
        self,
        run: int,
        limit: int | None,
        end: str,
        arrive: bool,
        moved: int | None,
        is_copied: bool,
        pause_s: float,
        step_s: float,
    ) -> None:
        """The one at work ends; whatever becomes of clock and files, the next begins."""
        if self.process is not None:
            with pytest.raises(OwnedError, match="one at a time"):
                FileAccount(URL, 1, str(self.paths[run]))
            self.end(self.process, end, arrive=arrive)
        self.true_s += pause_s
        self.step_s += step_s
        if moved is not None:
            self.move(moved, is_copied=is_copied)
        self.process = Process(run, self.paths[run], self.true_s, self.wall_s, limit)

    @precondition(lambda self: self.process is not None)
    @rule(
        most=st.integers(2, 8),
        ends=st.lists(
            st.sampled_from([Event.ACCEPTED] * 4 + [Event.DOUBTED, Event.FAILED, None]), min_size=8, max_size=8
        ),
        arrive=st.booleans(),
        takes_s=st.sampled_from([0.0, 0.0, 2.0, 20.0, 61.0]),
    )
    def messages_leave(self, most: int, ends: list[Event | None], arrive: bool, takes_s: float) -> None:
        """Some are answered after a while, some are lost, some are still under way."""
        assert self.process is not None
        left = self.process.start(self.true_s, self.wall_s, most)
        for each in left:
            who = each.attempt.message.recipient
            if isinstance(who, int) and who in self.known | self.process.told:
                assert each.item.recipient != who, "a contact's number is forgotten"
            if arrive:
                self.arrive(each)
        self.true_s += takes_s
        for each, event in zip(left, ends, strict=False):
            self.settle(each, event)

    @precondition(lambda self: self.process is not None and self.process.under_way)
    @rule(event=st.sampled_from([Event.ACCEPTED, Event.DOUBTED, Event.FAILED]))
    def the_oldest_ends(self, event: Event) -> None:
        assert self.process is not None
        self.settle(self.process.under_way[0], event)

    # -- What must hold

    @invariant()
    def no_phone_gets_more_than_it_may(self) -> None:
        if not hasattr(self, "server"):
            return
        for phone, times in [*self.server.arrivals.items(), *self.server.by_contact.items()]:
            for first, sixth in zip(times, times[CAP:], strict=False):
                assert sixth - first >= WINDOW_S, f"{CAP + 1} to {phone} within {sixth - first:g} s"

    @invariant()
    def nothing_is_accepted_twice(self) -> None:
        if hasattr(self, "server"):
            assert max(self.server.accepted.values(), default=1) == 1

    # -- Helpers

    def settle(self, each: OnItsWay, event: Event | None) -> None:
        """An attempt comes to an end, if to any."""
        assert self.process is not None
        if event is Event.ACCEPTED:
            self.arrive(each)
        elif event is Event.FAILED and each.has_arrived:
            event = Event.DOUBTED  # nobody says of what arrived that it did not
        if event is not None:
            self.process.settle(each, event, self.true_s, self.wall_s)

    def end(self, process: Process, how: str, *, arrive: bool) -> None:
        """End in order, or not: then whatever was on its way may arrive, now that nobody listens any more."""
        for each in list(process.under_way):
            if arrive:
                self.arrive(each)
            if how == "in order":
                process.settle(each, Event.DOUBTED, self.true_s, self.wall_s)
        if how == "in order":
            process.end(self.wall_s)
            self.known |= process.told
        else:
            process.die()

    def move(self, run: int, *, is_copied: bool) -> None:
        """A run goes on elsewhere, with all its files; of a copy's original nobody hears again."""
        path = self.place()
        for file in self.paths[run].parent.iterdir():
            (shutil.copy2 if is_copied else shutil.move)(file, path.parent / file.name)
        self.paths[run] = path

    @property
    def wall_s(self) -> float:
        return STARTED_AT + self.true_s + self.step_s

    def since_start_s(self, _clock: int) -> float:
        """What the machine says of the time since its start, which nobody sets."""
        return self.true_s

    def place(self) -> Path:
        """A run file's place in a folder of its own."""
        folder = Path(self.folder.name) / str(next(self.names))
        folder.mkdir()
        return folder / "campaign.run"

    def arrive(self, each: OnItsWay) -> None:
        assert self.process is not None
        if not each.has_arrived:
            each.has_arrived = True
            is_known = not isinstance(each.item.recipient, int)
            self.server.post(self.process.run_number, each.attempt, self.true_s, is_known=is_known)


WholeAccount.TestCase.settings = settings(
    max_examples=examples(40), stateful_step_count=25, suppress_health_check=list(HealthCheck)
)
TestWholeAccount = WholeAccount.TestCase
