"""Never twice, as people mean it: whatever is done to sheets, runs and processes, seen on the server's own log."""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import SandboxServer, Start, examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bulksend import campaign
from bulksend.campaign import Begun, Changed, Limited, PlanRequest, Repeating, SendOptions, Unbegun
from bulksend.campaign.events import unheard
from bulksend.engagespark import Target
from bulksend.errors import BulksendError
from bulksend.model import Endpoint
from bulksend.planning import PlanOptions
from bulksend.runs import Address, OwnRun, Terms, open_run
from bulksend.runs.sqlite.notes import Notes
from bulksend.sending import Caps, Pace, Stopping

HOUR = 3_600.0
REPEAT_AFTER = 20 * HOUR
PHONES = [f"63917123456{digit}" for digit in range(3)]
TEXTS = ["Hi", "Other"]

RUN = st.integers(0, 3)
MESSAGE = st.tuples(st.sampled_from(PHONES), st.sampled_from(TEXTS))
ACTION = st.one_of(
    st.tuples(st.just("send"), RUN),
    st.tuples(st.just("send"), RUN),
    st.tuples(st.just("again"), RUN, st.sampled_from([None, 1, 2])),
    st.tuples(st.just("kill"), RUN, st.integers(1, 3)),
    st.tuples(st.just("overtake"), RUN, RUN),
    st.tuples(st.just("insert"), MESSAGE),
    st.tuples(st.just("edit"), MESSAGE),
    st.tuples(st.just("sort")),
    st.tuples(st.just("rename"), RUN),
    st.tuples(st.just("copy"), RUN, RUN),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 8.0, 19.0, 21.0])),
)
Key = tuple[str, str]


@dataclass
class Office:
    """Somebody's folder, sheet and days, and the server that they send to."""

    folder: Path
    server: SandboxServer
    sheet: list[Key]
    now: float = field(default_factory=lambda: time.time() - 30 * 24 * HOUR)
    seen: int = 0
    written: int = 0
    campaign: str | None = None
    at: int = 0
    accepted: list[tuple[Key, float, str]] = field(default_factory=list)  # what, when its command began, whose plan
    most: Counter[Key] = field(default_factory=Counter)  # of any plan

    def do(self, action: str, *what: object) -> None:
        """One thing that happens; time passes."""
        self.now += HOUR / 10
        getattr(self, action)(*what)

    def send(self, which: int) -> None:
        """Send the sheet as a run, or go on with that as it was planned."""
        with suppress(BulksendError), self._run(which) as run:
            self._send(run)
        self._hear(self._place(which))

    def again(self, which: int, limit: int | None) -> None:
        """The same command, whatever became of the sheet: it goes on, plans a test anew, or begins another run."""
        place = self._place(which)
        with suppress(BulksendError), self._meant(place) as run:
            place = Path(run.place)
            self._send(run, limit=limit)
        self._hear(place)

    def overtake(self, which: int, other: int) -> None:
        """Somebody has planned and looked, and waits for the account, for which another run sends first."""
        with suppress(BulksendError), self._run(which) as run:
            self._send(run, lambda: self.send(other) if other != which else None)
        self._hear(self._place(which))

    def kill(self, which: int, departures: int) -> None:
        """The same, in a process that is killed when so many messages are leaving."""
        if child := os.fork():
            os.waitpid(child, 0)
            self._hear(self._place(which))
            return
        left, leaves = 0, Notes.leaves

        def leaving(notes: Notes, attempt: object) -> None:
            nonlocal left
            left += 1
            leaves(notes, attempt)  # type: ignore[arg-type]
            if left == departures:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            Notes.leaves = leaving  # type: ignore[assignment, method-assign]
            with self._run(which) as run:
                self._send(run)
        finally:
            os._exit(0)

    def insert(self, message: Key) -> None:
        """A row on top."""
        self.sheet.insert(0, message)

    def edit(self, message: Key) -> None:
        """The last row becomes another."""
        self.sheet[-1:] = [message]

    def sort(self) -> None:
        """By whatever."""
        self.sheet.sort()

    def rename(self, which: int) -> None:
        """Another name for a run, under which nobody looks; its log goes along."""
        for file in self.folder.glob(f"{self.at}{which}.run*"):
            file.rename(file.with_name(f"renamed-{self.now}{file.name[2:]}"))

    def copy(self, which: int, to: int) -> None:
        """A copy of a run in place of another that was never begun."""
        if which != to and not self._place(to).exists():
            for file in self.folder.glob(f"{self.at}{which}.run*"):
                shutil.copy(file, file.with_name(f"{self.at}{to}{file.name[2:]}"))

    def wait(self, hours: float) -> None:
        """Nothing happens for so long."""
        self.now += hours * HOUR

    def machine(self, which: int) -> None:
        """From now on somebody else does it, who has the same sheet, and nothing of what was noted here."""
        os.environ["BULKSEND_STATE_DIR"] = f"{self.folder}/state {which}"
        self.at = which

    def _place(self, which: int) -> Path:
        return self.folder / f"{self.at}{which}.run"

    def _run(self, which: int) -> OwnRun:
        place = self._place(which)
        with suppress(BulksendError):
            if place.exists() and (run := campaign.own_as_planned(place, Terms())).has_begun:
                return run
            if place.exists():
                run.close()
        request = self._request()
        return campaign.reopen(request, place) or campaign.plan(request, place)

    def _meant(self, place: Path) -> OwnRun:
        match campaign.meant(self._request(), place):
            case Unbegun() as found:
                return found.planned()
            case Begun(run, another, is_finished):
                if not is_finished:
                    another.discard()
                    return run
                run.close()
                return another.planned()
            case Limited() as found:
                return found.replanned()
            case Changed(_, draft):
                return draft.keep()

    def _request(self) -> PlanRequest:
        sheet = self.folder / "sheet.csv"
        with sheet.open("w", newline="") as file:
            csv.writer(file).writerows([("to", "message"), *map(self._spelled, self.sheet)])
        return PlanRequest(str(sheet), PlanOptions(), Address(1, self.server.base_url), self.campaign)

    def _spelled(self, message: Key) -> Key:
        """Numbers are written in another way each time."""
        number, text = message
        self.written += 1
        return (f"+{number[:2]} {number[2:5]}-{number[5:]}" if self.written % 2 else number), text

    def _send(
        self, run: OwnRun, meanwhile: Callable[[], None] = lambda: None, *, limit: int | None = None
    ) -> None:  # fmt: skip
        options = SendOptions(
            Pace(concurrency=2, retries=0), Caps(), repeating=Repeating(began_at=self.now), limit=limit
        )
        target = Target(self.server.base_url, 1, Endpoint.CONTACT, "sandbox")
        campaign.look_at_history(run, options.repeating)
        meanwhile()
        with campaign.held_account(target, run, unheard, wait=False) as account:
            asyncio.run(campaign.send(run, account, target, options, Stopping(), unheard))

    def _hear(self, place: Path) -> None:
        """What has reached the server since."""
        log = self.server.log()
        plan = ""
        with suppress(BulksendError), open_run(place) as run:
            plan = run.facts.plan_id
            self.most |= Counter(key for key, _ in self._rows(run))
        for record in log[self.seen :]:
            if record["accepted"]:
                self.accepted.append(((record["to"], record["message"]), self.now, plan))
        self.seen = len(log)

    def check(self) -> None:
        """Nobody got more than a sheet wanted, and who was left out had got it."""
        for key, at, _ in self.accepted:
            lately = [then for other, then, _ in self.accepted if other == key and at - REPEAT_AFTER < then <= at]
            assert len(lately) <= self.most[key], (key, lately, self.most[key])
        for place in self.folder.glob("*.run"):
            with suppress(BulksendError), open_run(place) as run:
                plan = run.facts.plan_id
                texts = {row: key for key, row in self._rows(run)}
                told = [(row[0], row[4] or "") for row in run.results() if row[1] == "skipped"]
            left_out = Counter(texts[row] for row, says in told if says.startswith("got this"))
            for key, rows in left_out.items():
                assert rows <= sum(what == key and whose != plan for what, _, whose in self.accepted)

    def _rows(self, run: object) -> list[tuple[Key, int]]:
        found = run._db.execute("SELECT recipient, text, row FROM messages")  # type: ignore[attr-defined]
        return [((who, text), row) for who, text, row in found]


@pytest.fixture
def server(sandbox: Start) -> SandboxServer:
    return sandbox("--legacy", "--lose-answers", "0.15", "--seed", "1", "--cap", "63=1000/1")


@pytest.fixture
def keyed_server(sandbox: Start) -> SandboxServer:
    """Which knows clientDedup."""
    return sandbox("--lose-answers", "0.15", "--seed", "1", "--cap", "63=1000/1")


@given(
    sheet=st.lists(MESSAGE, min_size=1, max_size=4),
    actions=st.lists(ACTION, min_size=2, max_size=9).map(lambda them: [("send", 0), *them, ("send", 1), ("send", 0)]),
)
@example([(PHONES[0], "Hi")], [("send", 0), ("send", 1)])
@example([(PHONES[0], "Hi")], [("overtake", 0, 1)])
@example(
    [(PHONES[0], "Hi"), (PHONES[1], "Hi")],
    [("again", 0, 1), ("sort",), ("insert", (PHONES[2], "Hi")), ("again", 0, None)],
)
@example([(PHONES[0], "Hi"), (PHONES[0], "Hi")], [("kill", 0, 1), ("send", 1), ("send", 0)])
@example([(PHONES[0], "Hi"), (PHONES[1], "Hi")], [("kill", 0, 1), ("copy", 0, 1), ("send", 0), ("send", 1)])
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_phone_gets_a_text_twice_and_nobody_is_left_out_who_did_not_get_it(
    server: SandboxServer, sheet: list[Key], actions: list[tuple[object, ...]]
) -> None:
    try_out(server, sheet, actions)


MACHINE = st.tuples(st.just("machine"), st.integers(0, 2))


@given(
    sheet=st.lists(MESSAGE, min_size=1, max_size=4),
    actions=st.lists(ACTION | MACHINE | MACHINE, min_size=2, max_size=9).map(
        lambda them: [("send", 0), *them, ("machine", 2), ("send", 1)]
    ),
)
@example([(PHONES[0], "Hi"), (PHONES[0], "Hi")], [("kill", 0, 1), ("machine", 1), ("sort",), ("send", 0)])
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_under_one_campaign_no_machine_sends_again_what_another_has_sent(
    keyed_server: SandboxServer, sheet: list[Key], actions: list[tuple[object, ...]]
) -> None:
    try_out(keyed_server, sheet, actions, is_shared=True)


def try_out(
    server: SandboxServer, sheet: list[Key], actions: list[tuple[object, ...]], *, is_shared: bool = False
) -> None:  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ["BULKSEND_STATE_DIR"]
        os.environ["BULKSEND_STATE_DIR"] = f"{folder}/state 0"
        try:
            shared = Path(folder).name if is_shared else None
            office = Office(Path(folder), server, list(sheet), seen=len(server.log()), campaign=shared)
            for action, *what in actions:
                office.do(str(action), *what)
            office.check()
        finally:
            os.environ["BULKSEND_STATE_DIR"] = before
