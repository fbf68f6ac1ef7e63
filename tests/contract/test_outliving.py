"""What outlives runs answers the same wherever it is kept: the files' store is the measure of the database's.

Both hear of the same runs, commands, receipts and opt-outs, in any order, and are asked the same.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from conftest import examples
from databases import Server
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from planned import PlannedRow, write_plan
from runfiles import ANSWER, begin, facts, notes_of, own, settle

from bulksend.campaign.choices import Repeating
from bulksend.campaign.lookback import look_back
from bulksend.model import (
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
from bulksend.runs import (
    Account,
    Address,
    Earlier,
    History,
    OptedOut,
    OptOuts,
    Where,
    account_of,
    histories,
    history_of,
    is_remembered,
    keep_pace,
    last_pace,
    lend_numbers,
    opted_out_of,
    optouts_of,
)  # fmt: skip
from bulksend.runs.postgres import install
from bulksend.sending import LastPace

T = TypeVar("T")
URL = "https://x.test"
ANA, BEN, LONG, SHORT = map(PhoneNumber, ("639171234567", "639181234567", "5491123456789", "541123456789"))
OF_ANA, OF_BEN, NOBODY = ContactId(7), ContactId(8), ContactId(9)
WHO: tuple[Recipient, ...] = (ANA, BEN, SHORT, LONG, OF_ANA, OF_BEN, NOBODY)
NUMBERS = {OF_ANA: ANA, OF_BEN: BEN}
TEXTS = ("Hi", "Ho", "naïve \U0001f600")
HOUR, NOW = 3_600.0, 1_000_000.0
SINCE, WALL = 900.0, 1_000.0
ENDS = (Event.ACCEPTED, Event.ACCEPTED, Event.DOUBTED, Event.FAILED, None)
RECIPIENTS = st.sampled_from(WHO)
AGES = st.sampled_from((0.0, 0.5, 5.0, 30.0, 400.0)).map(lambda hours: NOW - hours * HOUR)
_ORGANIZATIONS = itertools.count(1)


class Home:
    """Where an account lives."""

    def __init__(self, where: Where, address: Address) -> None:
        self.where = where
        self.address = address

    def account(self, path: Path) -> Account:
        return account_of(self.where or path, self.address)

    def history(self) -> History:
        return history_of(self.where, self.address)

    def optouts(self) -> OptOuts:
        return optouts_of(self.where, self.address)

    def opted_out(self) -> OptedOut:
        return opted_out_of(self.where, self.address)


class Homes(RuleBasedStateMachine):
    """One account that lives in both stores."""

    database = ""

    @initialize()
    def begins(self) -> None:
        address = Address(next(_ORGANIZATIONS), URL)
        self.homes = [Home(None, address), Home(self.database, address)]
        self.folder = Path(tempfile.mkdtemp())
        self.runs: list[Path] = []
        self.messages: list[list[tuple[Recipient, str]]] = []
        for home in self.homes:
            assert not is_remembered(home.where, home.address)
            home.account(self.folder / "0.run").close()
        self.lookers = [home.opted_out() for home in self.homes]

    def teardown(self) -> None:
        self.tells()
        for looker in self.lookers:
            looker.close()
        shutil.rmtree(self.folder)

    def same(self, ask: Callable[[Home], T]) -> T:
        """What both answer."""
        first, second = map(ask, self.homes)
        assert second == first
        return first

    @rule(messages=st.lists(st.tuples(RECIPIENTS, st.sampled_from(TEXTS)), min_size=1, max_size=6))
    def plans(self, messages: list[tuple[Recipient, str]]) -> None:
        rows = [
            PlannedRow(row, Status.PENDING, who, None, text, Encoding.GSM7, 1, MicroUSD(1), "", b"[]")
            for row, (who, text) in enumerate(messages, 1)
        ]
        path = self.folder / f"{len(self.runs)}.run"
        write_plan(path, rows, facts(f"{len(self.runs)}")).release()
        self.runs.append(path)
        self.messages.append(messages)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0), at=AGES, ends=st.lists(st.sampled_from(ENDS), max_size=6), in_order=st.booleans(),
          is_remembered=st.booleans())  # fmt: skip
    def sends(
        self, which: int, at: float, ends: list[Event | None], *, in_order: bool, is_remembered: bool
    ) -> None:  # fmt: skip
        """A command sends what is left of a run, or some of it, and ends in order or is cut off."""
        path = self.runs[which % len(self.runs)]
        if not path.exists():
            return
        with own(path) as run, ExitStack() as stack:
            accounts = [stack.enter_context(home.account(path)) for home in self.homes]
            heard = [
                account.begin(run, since_s=SINCE, wall_s=WALL, began_at=at, is_remembered=is_remembered)
                for account in accounts
            ]
            assert _told(heard[1]) == _told(heard[0])
            notes = notes_of(run)
            tried = dict(zip((each.row for each in notes.claim(0, 100)), ends, strict=False))
            begin(notes, list(tried), WALL)
            to = dict(enumerate((who for who, _ in self.messages[which % len(self.runs)]), 1))
            settle(notes, *(_outcome(row, event, to[row]) for row, event in tried.items() if event))
            if in_order:
                for account in accounts:
                    account.end(run, since_s=SINCE, wall_s=WALL + 2)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0))
    def repeats(self, which: int) -> None:
        """What is in doubt of a run is to be sent again."""
        path = self.runs[which % len(self.runs)]
        if path.exists():
            with own(path) as run:
                run.decide([each.row for each in run.in_doubt()], resend=True)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0))
    def loses(self, which: int) -> None:
        """A run file is removed."""
        for file in self.folder.glob(f"{which % len(self.runs)}.run*"):
            file.unlink()

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0), at=AGES, after=st.sampled_from((0.25, 20.0, 500.0)), repeat=st.booleans())
    def compares(self, which: int, at: float, after: float, *, repeat: bool) -> None:
        """A run is compared with history; of each a copy, for what is left out stands in it then."""
        path = self.runs[which % len(self.runs)]
        if not path.exists():
            return
        with own(path):
            pass  # what was cut off in it is in doubt, as its next owner finds it

        def looked(home: Home) -> object:
            copy = path.with_name("compared.run")
            shutil.copy(path, copy)
            try:
                with own(copy) as run, home.history() as history:
                    how = Repeating(repeat, after * HOUR, 2 * HOUR, at, exclude_dead=True)
                    lost = history.catch_up(run, closes=True)
                    seen = look_back(run, history, how, lost)
                    return sorted(seen.held, key=str), seen.lost, seen.dead, seen.by_id, seen.often, run.unsent(0, 100)
            finally:
                for file in path.parent.glob("compared.run*"):
                    file.unlink()

        self.same(looked)

    @rule(before=AGES)
    def purges(self, before: float) -> None:
        def purged(home: Home) -> int:
            with home.history() as history:
                return history.purge(before)

        self.same(purged)

    @rule(before=AGES)
    def prunes(self, before: float) -> None:
        for home in self.homes:
            with home.history() as history:
                history.prune(before)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0), verdicts=st.lists(st.sampled_from((Reached.FAILED, Reached.CONFIRMED)), max_size=6))
    def fetches_receipts(self, which: int, verdicts: list[Reached]) -> None:
        path = self.runs[which % len(self.runs)]
        if not path.exists():
            return
        with own(path) as run:
            told = [Receipt(f"S{row}", True, each, "", MicroUSD(1)) for row, each in enumerate(verdicts, 1)]
            run.receipts.awaited().note(told)
            for home in self.homes:
                with home.history() as history:
                    history.reach.take_in(run)

    @rule(who=st.lists(RECIPIENTS, max_size=4), at=st.floats(0, 1e9))
    def opts_out(self, who: list[Recipient], at: float) -> None:
        def added(home: Home) -> int:
            with home.optouts() as optouts:
                return optouts.add(who, f"since {at}", at)

        self.same(added)

    @rule(who=st.lists(RECIPIENTS, max_size=4))
    def opts_in(self, who: list[Recipient]) -> None:
        def removed(home: Home) -> int:
            with home.optouts() as optouts:
                return optouts.remove(who)

        self.same(removed)

    @rule(
        requests=st.integers(0, 500),
        rate=st.just(0.0) | st.floats(0.05, 10_000),
        at=st.floats(0, 2e6),
        later_s=st.floats(0, 2e6),
    )
    def holds(self, requests: int, rate: float, at: float, later_s: float) -> None:
        for home in self.homes:
            keep_pace(home.where, home.address, LastPace(requests, rate), at)
        self.same(lambda home: last_pace(home.where, home.address, at + later_s))

    @rule()
    def looks(self) -> None:
        seen = []
        for looker in self.lookers:
            looker.look()
            seen.append((len(looker), bool(looker.stand), [looker.why(who) for who in WHO], looker.among([*WHO, None])))
        assert seen[1] == seen[0]
        assert self.lookers[1].unknown(WHO) == self.lookers[0].unknown(WHO)

    @rule()
    def tells(self) -> None:
        self.same(_of_history)
        self.same(_of_optouts)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0))
    def lends(self, which: int) -> None:
        path = self.runs[which % len(self.runs)]
        if not path.exists():
            return

        def lent(home: Home) -> object:
            copy = path.with_name("lent.run")
            shutil.copy(path, copy)
            try:
                with own(copy) as run:
                    lend_numbers(home.where, home.address, run)
                    return sorted(run.numbers())
            finally:
                for file in path.parent.glob("lent.run*"):
                    file.unlink()

        self.same(lent)


def _told(earlier: Earlier) -> object:
    return sorted(earlier.sends, key=str), earlier.blind


def _outcome(row: int, event: Event, who: Recipient) -> Outcome:
    if event is not Event.ACCEPTED:
        return Outcome(row, event, True, WALL + 1)
    number = NUMBERS.get(who) if isinstance(who, int) else None
    answer = ANSWER._replace(message_id=f"S{row}", to=number or "", contact_id=0)
    learned = (ContactId(who), number) if isinstance(who, int) and number else None
    return Outcome(row, event, True, WALL + 1, 200, answer, learned=learned)


def _of_history(home: Home) -> object:
    with home.history() as history:
        commands = history.commands()
        given = [(each.run, each.plan_id, each.key, each.began_at, bool(each.is_open)) for each in commands.values()]
        wanted = [(who, text) for who in WHO for text in TEXTS]
        hashes = history.hashes.of_texts([text for _, text in wanted])
        got = [
            (place, text == hashes[place], commands[by].run, commands[by].began_at, row, bool(in_doubt))
            for place, text, by, row, in_doubt in history.got_by(*map(list, zip(*wanted, strict=True)))
            if by in commands
        ]
        of_all = [kept for kept in histories(home.where) if kept.is_of(home.address)]
        assert len(of_all) == 1
        return (
            sorted(given),
            sorted(got),
            history.is_empty,
            history.is_open,
            history.reach.dead(WHO),
            [sorted(map(str, history.all_names([who]))) for who in WHO],
        )


def _of_optouts(home: Home) -> object:
    with home.optouts() as optouts:
        return list(optouts.all())


@pytest.fixture(scope="session")
def shared_database(database_server: Server) -> Iterator[str]:
    address = database_server.database()
    install(address)
    yield address
    database_server.drop(address)


@pytest.mark.parametrize("percent", [30, pytest.param(300, marks=pytest.mark.long)])
def test_a_database_answers_what_files_answer(shared_database: str, percent: int) -> None:
    Homes.database = shared_database
    quietly = settings(
        max_examples=examples(percent), stateful_step_count=25, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    run_state_machine_as_test(Homes, settings=quietly)


@pytest.fixture
def both(shared_database: str) -> Iterator[Homes]:
    """The account, for a test that says what happens; all is asked once more at its end."""
    Homes.database = shared_database
    both = Homes()
    both.begins()
    yield both
    both.teardown()


def test_what_is_sent_again_by_a_later_command_stands_under_that(both: Homes) -> None:
    both.plans([(ANA, "Hi"), (BEN, "Hi"), (OF_ANA, "Ho")])
    for hours, ends in ((30.0, [Event.DOUBTED, Event.ACCEPTED, Event.DOUBTED]), (5.0, [Event.ACCEPTED])):
        both.sends(0, NOW - hours * HOUR, ends, in_order=True, is_remembered=True)
        both.tells()
        both.repeats(0)
    both.plans([(ANA, "Hi"), (BEN, "Hi"), (OF_ANA, "Ho"), (ANA, "Ho")])
    both.compares(1, NOW, 20.0, repeat=False)


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_was_cut_off_is_taken_in_or_told_to_be_lost(both: Homes, *, is_lost: bool) -> None:
    both.plans([(ANA, "Hi"), (BEN, "Hi"), (OF_ANA, "Ho")])
    both.plans([(ANA, "Hi"), (OF_ANA, "Ho"), (ANA, "Ho")])
    both.sends(0, NOW - HOUR, [Event.ACCEPTED, None], in_order=False, is_remembered=True)
    both.sends(0, NOW, [Event.DOUBTED], in_order=False, is_remembered=True)
    if is_lost:
        both.loses(0)
    both.compares(1, NOW, 20.0, repeat=False)
    both.sends(1, NOW, [Event.ACCEPTED], in_order=True, is_remembered=False)
    both.sends(1, NOW, [Event.FAILED, Event.ACCEPTED], in_order=True, is_remembered=True)
    both.tells()
    both.purges(NOW - 0.5 * HOUR)


def test_the_last_runs_tell_which_phones_are_dead(both: Homes) -> None:
    for verdicts in ([Reached.CONFIRMED, Reached.FAILED], [Reached.FAILED, Reached.FAILED], [Reached.FAILED] * 3):
        both.plans([(ANA, "Hi"), (BEN, "Hi"), (OF_ANA, "Ho")])
        number = len(both.runs) - 1
        both.sends(number, NOW, [Event.ACCEPTED] * 3, in_order=True, is_remembered=True)
        both.fetches_receipts(number, verdicts)
        both.tells()
    both.compares(0, NOW, 20.0, repeat=True)


def test_the_list_of_opt_outs_is_the_same_under_all_names_of_a_phone(both: Homes) -> None:
    for who in ([ANA, LONG, ANA], [SHORT, OF_ANA], [BEN]):
        both.opts_out(who, 1.0)
        both.looks()
    for who in ([SHORT, NOBODY], [ANA, LONG, OF_ANA]):
        both.opts_in(who)
        both.looks()
    both.opts_out([SHORT, ANA], 2.0)
    both.looks()
