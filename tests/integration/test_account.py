"""What outlives a run: what it sent lately, the numbers it learned, and that one run of an account sends at a time."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from runfiles import ANA, ANSWER, BEN, begin, killed_after, notes_of, number, outcome, own, pending, planned, settle

from bulksend.campaign import HistoryGone, SendOptions, sends
from bulksend.campaign.engines import past_of
from bulksend.engagespark import Target
from bulksend.engagespark.sandbox import Sandbox, SandboxOptions
from bulksend.errors import OwnedError, UsageError
from bulksend.model import ContactId, Endpoint, Event, Outcome, PhoneNumber, Status
from bulksend.runs.account import FileAccount
from bulksend.runs.accounts import account_name
from bulksend.runs.clock import Clock
from bulksend.runs.opening import open_run
from bulksend.runs.outliving import Earlier
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.runs.telling import RecentSend
from bulksend.sending import Cap, Caps, Pace, Stopping

URL = "https://x.test"
GOLDEN = Path(__file__).parents[1] / "golden" / "runs" / "format-2.run.gz"
SINCE, NOW = 900.0, 1_100.0


def campaign(folder: Path, name: str, *recipients: PhoneNumber | ContactId) -> Path:
    return planned(folder / f"{name}.run", [pending(row, who, row) for row, who in enumerate(recipients, 1)], name)


def account_of(path: Path) -> FileAccount:
    return FileAccount(URL, 1, str(path))


def begun(path: Path, *, since_s: float = SINCE, wall_s: float = NOW) -> Earlier:
    """What a run hears when it begins, and ends without a message."""
    with own(path, wall_s) as run, account_of(path) as account:
        earlier = account.begin(run, since_s=since_s, wall_s=wall_s)
        account.end(run, since_s=since_s, wall_s=wall_s)
    return earlier


def sent(run: OwnSqliteRun, *outcomes: Outcome) -> None:
    notes = notes_of(run)
    begin(notes, [each.row for each in outcomes], 1_000.0)
    settle(notes, *outcomes)


def in_order(path: Path) -> None:
    """Send two messages and end in order: to the first recipient at 1001, to the second in doubt at 1002."""
    with own(path) as run, account_of(path) as account:
        account.begin(run, since_s=SINCE, wall_s=1_000.0)
        sent(run, outcome(1, Status.SENT, ended_at=1_001.0), outcome(2, Status.UNKNOWN, ended_at=1_002.0))
        account.end(run, since_s=SINCE, wall_s=1_003.0)


def cut_off(path: Path) -> None:
    """The same, killed at once, while a third is under way and a fourth was about to be."""
    killed_after(
        """
        from test_account import account_of, sent, SINCE
        run = own(path)
        account = account_of(path)
        account.begin(run, since_s=SINCE, wall_s=1_000.0)
        sent(run, outcome(1, Status.SENT, ended_at=1_001.0), outcome(2, Status.UNKNOWN, ended_at=1_002.0))
        notes = notes_of(run)
        notes.leaves(notes.begin([3, 4], 1_000.0)[0])
        """,
        path,
    )


FOUR = [ANA, BEN, number(3), number(4)]


def test_the_first_run_of_an_account_hears_of_nothing(tmp_path: Path) -> None:
    assert begun(campaign(tmp_path, "first", ANA)) == Earlier([], blind=False)


def test_the_next_run_hears_what_the_last_one_sent_lately(tmp_path: Path) -> None:
    in_order(campaign(tmp_path, "first", *FOUR))
    second = campaign(tmp_path, "second", ANA)
    both = [RecentSend(ANA, 1, 1, 1_001.0), RecentSend(BEN, 2, 1, 1_002.0)]
    assert begun(second) == Earlier(both, blind=False)
    assert begun(second, since_s=1_001.5) == Earlier(both[1:], blind=False)
    assert begun(second, since_s=1_002.5) == Earlier([], blind=False)


def test_a_run_that_goes_on_knows_its_own_sends_and_is_not_told_them_twice(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    in_order(first)
    assert begun(first) == Earlier([], blind=False)
    other = campaign(tmp_path, "killed", *FOUR)
    cut_off(other)
    assert begun(other) == Earlier([RecentSend(ANA, 1, 1, 1_001.0), RecentSend(BEN, 2, 1, 1_002.0)], blind=False)


def test_what_a_killed_run_sent_is_read_in_its_file_and_what_was_under_way_ends_now(tmp_path: Path) -> None:
    cut_off(campaign(tmp_path, "first", *FOUR))
    second = campaign(tmp_path, "second", ANA)
    expected = [
        RecentSend(ANA, 1, 1, 1_001.0),
        RecentSend(BEN, 2, 1, 1_002.0),
        RecentSend(number(3), 3, 1, NOW),  # the fourth never left
    ]
    assert begun(second) == Earlier(expected, blind=False)
    assert begun(second, wall_s=NOW + 10) == Earlier(expected, blind=False)  # it is known from now on


def test_a_killed_run_that_had_not_sent_lately_is_no_matter(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    cut_off(first)
    with own(first, 1_010.0):
        pass  # what was under way ended then, as far as anybody knows
    assert begun(campaign(tmp_path, "second", ANA), since_s=1_011.0) == Earlier([], blind=False)


def test_a_killed_run_of_format_2_is_read_too(tmp_path: Path) -> None:
    first = tmp_path / "first.run"
    first.write_bytes(gzip.decompress(GOLDEN.read_bytes()))
    with open_run(first) as run, account_of(first) as account:
        account.begin(run, since_s=SINCE, wall_s=NOW)
    day_1 = 1_760_000_000.0
    content = first.read_bytes()
    earlier = begun(campaign(tmp_path, "second", ANA), since_s=day_1 + 20, wall_s=2e9)
    assert not earlier.blind
    assert {str(send.recipient): (send.messages, send.ended_at) for send in earlier.sends} == {
        "639171000010": (1, day_1 + 20),
        "639171000011": (2, day_1 + 21),
        "639171000012": (1, day_1 + 22),
        "639171000017": (2, day_1 + 27),
        "8": (1, day_1 + 28),
        "639171000004": (1, day_1 + 200),
        "639171000001": (1, 2e9),
        "639171000002": (2, 2e9),
    }
    assert first.read_bytes() == content
    third = campaign(tmp_path, "third", ContactId(7), ContactId(9))
    with own(third) as run, account_of(third) as account:
        account.lend_numbers(run)
        assert list(run.numbers()) == [(7, "639171000003")]


def gone(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def replaced_by_another_plan(path: Path) -> None:
    gone(path)
    planned(path, [pending(1)], "another")


def replaced_by_another_file(path: Path) -> None:
    gone(path)
    path.write_text("dear diary")


def damaged(path: Path) -> None:
    size = path.stat().st_size
    gone(path)
    path.write_bytes(b"SQLite format 3\0".ljust(size, b"\xa5"))


def of_a_newer_format(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    "what", [gone, replaced_by_another_plan, replaced_by_another_file, damaged, of_a_newer_format],
    ids=lambda what: what.__name__,
)  # fmt: skip
def test_the_next_run_is_told_once_that_a_killed_ones_sends_are_not_known(
    tmp_path: Path, what: Callable[[Path], None]
) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    cut_off(first)
    what(first)
    second = campaign(tmp_path, "second", ANA)
    assert begun(second) == Earlier([], blind=True)
    assert begun(second, since_s=NOW, wall_s=NOW + 200) == Earlier([], blind=False)  # by then it does not matter


def test_a_run_that_ended_in_order_may_go_as_it_likes(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    in_order(first)
    gone(first)
    earlier = begun(campaign(tmp_path, "second", ANA))
    assert [send.recipient for send in earlier.sends] == [ANA, BEN]
    assert not earlier.blind


def test_a_run_whose_end_cannot_be_noted_counts_as_cut_off(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    with own(first) as run, account_of(first) as account:
        account.begin(run, since_s=SINCE, wall_s=1_000.0)
        sent(run, outcome(1, Status.SENT, ended_at=1_001.0))
        run.close()
        account.end(run, since_s=SINCE, wall_s=1_003.0)  # it cannot be read any more
    second = campaign(tmp_path, "second", ANA)
    assert begun(second) == Earlier([RecentSend(ANA, 1, 1, 1_001.0)], blind=False)


def learned(run: OwnSqliteRun, row: int, contact: int, its_number: PhoneNumber) -> None:
    known = (ContactId(contact), its_number)
    sent(run, Outcome(row, Event.ACCEPTED, True, 1_001.0, learned=known))


def test_numbers_that_a_run_learned_are_lent_to_the_next_as_far_as_they_are_its_contacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulksend.runs.contacts._AT_ONCE", 2)  # at a time
    contacts = [ContactId(each) for each in range(1, 8)]
    first = campaign(tmp_path, "first", *contacts)
    with own(first) as run, account_of(first) as account:
        account.begin(run, since_s=SINCE, wall_s=1_000.0)
        for row, contact in enumerate(contacts, 1):
            if contact != 4:
                learned(run, row, contact, number(contact))
        account.end(run, since_s=SINCE, wall_s=1_003.0)
    second = campaign(tmp_path, "second", *contacts[2:], ContactId(99), PhoneNumber("2"))
    with own(second) as run, account_of(second) as account:
        run.learn([(ContactId(3), BEN)])  # what it knows better
        account.lend_numbers(run)
        assert sorted(run.numbers()) == [(3, BEN), *((each, number(each)) for each in (5, 6, 7))]
        account.lend_numbers(run)
        assert len(list(run.numbers())) == 4


def test_a_number_that_is_learned_anew_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for name, its_number in (("first", ANA), ("second", BEN)):
        path = campaign(tmp_path, name, ContactId(7))
        with own(path) as run, account_of(path) as account:
            account.begin(run, since_s=SINCE, wall_s=1_000.0)
            learned(run, 1, 7, its_number)
            account.end(run, since_s=SINCE, wall_s=1_003.0)
    third = campaign(tmp_path, "third", ContactId(7))
    with own(third) as run, account_of(third) as account:
        account.lend_numbers(run)
        assert list(run.numbers()) == [(7, BEN)]


def test_a_phones_sends_count_by_the_number_that_an_answer_told_of_a_contact(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", ContactId(7))
    with own(first) as run, account_of(first) as account:
        account.begin(run, since_s=SINCE, wall_s=1_000.0)
        learned(run, 1, 7, ANA)
        account.end(run, since_s=SINCE, wall_s=1_003.0)
    assert begun(campaign(tmp_path, "second", BEN)).sends == [RecentSend(ANA, 1, 1, 1_001.0)]


def test_one_run_of_an_account_sends_at_a_time_and_the_sentence_names_it(tmp_path: Path) -> None:
    first, second = campaign(tmp_path, "first", ANA), campaign(tmp_path, "second", ANA)
    with account_of(first):
        says = rf"organization 1 at {URL} \(process {os.getpid()} on .+, since .+, run {first}\): one at a time"
        with pytest.raises(OwnedError, match=says):
            account_of(second)
        FileAccount(URL, 2, str(second)).close()
        FileAccount("https://y.test", 1, str(second)).close()
    account_of(second).close()


def test_a_killed_runs_account_is_free(tmp_path: Path) -> None:
    cut_off(campaign(tmp_path, "first", *FOUR))
    account_of(campaign(tmp_path, "second", ANA)).close()


def test_what_is_kept_is_for_its_user_only(tmp_path: Path, state_folder: Path) -> None:
    before = os.umask(0)
    try:
        in_order(campaign(tmp_path, "first", *FOUR))
    finally:
        os.umask(before)
    kept = [file for file in state_folder.rglob("*") if file.is_file()]
    assert {file.name for file in kept} == {
        "x.test-1.lock",
        "x.test-1.sqlite",
        "x.test-1.history.key",
        "x.test-1.history.sqlite",
    }
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}


def test_what_another_version_keeps_is_refused_and_the_account_is_free_again(
    tmp_path: Path, state_folder: Path
) -> None:
    path = campaign(tmp_path, "first", ANA)
    account_of(path).close()
    with closing(sqlite3.connect(state_folder / "x.test-1.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="written by another version of bulksend"):
        account_of(path)
    (state_folder / "x.test-1.sqlite").unlink()
    account_of(path).close()


def test_a_state_folder_that_cannot_be_made_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "a file" / "state"))
    with pytest.raises(UsageError, match="the state folder cannot be made"):
        account_of(tmp_path / "campaign.run")


# ---- Holes between two runs ----


@pytest.mark.parametrize(
    "url",
    ["https://X.test", "https://x.test.", "https://x.test:443", "https://x.test/", "HTTPS://x.test:443/"],
)
def test_an_address_is_one_account_however_it_is_written(url: str) -> None:
    assert account_name(url, 1) == account_name("https://x.test", 1) == "x.test-1"


def test_this_machine_is_one_account_and_others_are_not() -> None:
    names = {account_name(f"http://{host}:8080", 1) for host in ("localhost", "127.0.0.1", "LOCALHOST.", "[::1]")}
    assert names == {"127.0.0.1_8080-1"}
    urls = ("http://127.0.0.1:8080", "http://127.0.0.1:8081", "http://127.0.0.1", "https://x.test", "https://x.test/v2")
    assert len({account_name(url, org) for url in urls for org in (1, 2)}) == 10
    assert account_name("https://bücher.test", 1) == account_name("https://BÜCHER.test", 1)
    assert account_name("http://[2001:db8:0::1]", 1) == account_name("http://[2001:DB8::1]", 1)


def test_what_was_sent_is_remembered_for_a_longer_window_than_the_last_run_counted_by(tmp_path: Path) -> None:
    in_order(campaign(tmp_path, "first", *FOUR))
    begun(campaign(tmp_path, "second", ANA), since_s=1_099.0)
    third = campaign(tmp_path, "third", ANA)
    assert [send.ended_at for send in begun(third).sends] == [1_001.0, 1_002.0]
    assert begun(third, since_s=4_601.0, wall_s=4_601.5).sends == []
    assert [send.ended_at for send in begun(third, since_s=0.0, wall_s=4_601.5).sends] == [1_002.0]


def test_also_by_the_run_that_ends_with_a_shorter_window(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", ANA)
    with own(first) as run, account_of(first) as account:
        account.begin(run, since_s=999.0, wall_s=1_000.0)
        sent(run, outcome(1, Status.SENT, ended_at=1_001.0))
        account.end(run, since_s=1_002.0, wall_s=1_003.0)
    assert begun(campaign(tmp_path, "second", ANA)).sends == [RecentSend(ANA, 1, 1, 1_001.0)]


AT = Clock("this start", 0.0)


def stepped(path: Path, *, wall_s: float, clock: Clock | None) -> list[float]:
    with own(path, wall_s) as run, account_of(path) as account:
        earlier = account.begin(run, since_s=wall_s - 60, wall_s=wall_s, clock=clock)
        account.end(run, since_s=wall_s - 60, wall_s=wall_s, clock=clock)
    return [send.ended_at - wall_s for send in earlier.sends]


@pytest.mark.parametrize(
    ("seconds", "step", "ages"),
    [
        (10, 0.0, [-9.0, -8.0]),
        (10, 86_400.0, [-9.0, -8.0]),
        (10, -86_400.0, [0.0, 0.0]),
        (100, 0.0, []),
        (100, 86_400.0, []),
    ],
)
def test_a_step_of_the_clock_between_two_runs_forgets_nothing(
    tmp_path: Path, seconds: float, step: float, ages: list[float]
) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    with own(first) as run, account_of(first) as account:
        account.begin(run, since_s=SINCE, wall_s=1_000.0, clock=AT)
        sent(run, outcome(1, Status.SENT, ended_at=1_001.0), outcome(2, Status.UNKNOWN, ended_at=1_002.0))
        account.end(run, since_s=SINCE, wall_s=1_003.0, clock=AT)
    second = campaign(tmp_path, "second", ANA)
    wall_s = 1_000.0 + seconds + step
    assert stepped(second, wall_s=wall_s, clock=Clock("this start", step)) == ages


def test_after_another_start_of_the_machine_what_ended_in_the_future_ends_now(tmp_path: Path) -> None:
    in_order(campaign(tmp_path, "first", *FOUR))
    second = campaign(tmp_path, "second", ANA)
    assert stepped(second, wall_s=500.0, clock=Clock("another start", 300.0)) == [0.0, 0.0]
    third = campaign(tmp_path, "third", ANA)
    assert stepped(third, wall_s=530.0, clock=Clock("another start", 300.0)) == [-30.0, -30.0]
    assert stepped(third, wall_s=561.0, clock=None) == []


def test_where_the_machine_tells_no_start_what_ended_in_the_future_ends_now(tmp_path: Path) -> None:
    in_order(campaign(tmp_path, "first", *FOUR))
    assert stepped(campaign(tmp_path, "second", ANA), wall_s=500.0, clock=None) == [0.0, 0.0]


@pytest.mark.parametrize("step", [0.0, 86_400.0, -86_400.0])
def test_a_step_of_the_clock_neither_ends_a_wait_nor_makes_it_longer(tmp_path: Path, step: float) -> None:
    first, second = campaign(tmp_path, "first", *FOUR), campaign(tmp_path, "second", ANA)
    cut_off(first)
    gone(first)

    def waits(wall_s: float, started_at: float) -> bool:
        with own(second, wall_s) as run, account_of(second) as account:
            clock = Clock("this start", started_at)
            return account.begin(run, since_s=wall_s - 60, wall_s=wall_s, clock=clock).blind

    assert waits(1_100.0, 0.0)
    assert waits(1_110.0 + step, step)
    assert not waits(1_180.0 + step, step)


@pytest.mark.parametrize("step", [3_600.0, -3_600.0])
def test_a_step_of_the_clock_between_two_commands_of_a_run_forgets_nothing(tmp_path: Path, step: float) -> None:
    path, wall_s = campaign(tmp_path, "first", ANA), time.time()
    with OwnSqliteRun.own(path, wall_s, Clock.now(wall_s)) as run:
        sent(run, outcome(1, Status.SENT, ended_at=wall_s))
    later_s = wall_s + step
    with OwnSqliteRun.own(path, later_s, Clock.now(later_s)) as run:
        assert [send.recipient for send in run.recent_sends(later_s - 60, later_s)] == [ANA]
        assert [who for who, _, _ in notes_of(run).recent_sends(later_s - 60, later_s)] == [ANA]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one boot from another")
@pytest.mark.parametrize(("step", "age"), [(1_800.0, 30.0), (-1_800.0, 0.0)])
def test_a_step_of_the_clock_while_a_run_is_sent_is_read_once(tmp_path: Path, step: float, age: float) -> None:
    first, second = campaign(tmp_path, "first", ANA), campaign(tmp_path, "second", ANA)
    wall_s = time.time()
    with OwnSqliteRun.own(first, wall_s, Clock.now(wall_s)) as run, account_of(first) as account:
        account.begin(run, since_s=wall_s - 60, wall_s=wall_s, clock=Clock.now(wall_s))
        sent(run, outcome(1, Status.SENT, ended_at=wall_s - 30))
        later_s = time.time() + step
        account.end(run, since_s=later_s - 60, wall_s=later_s, clock=Clock.now(later_s))
    later_s = time.time() + step
    (seen,) = stepped(second, wall_s=later_s, clock=Clock.now(later_s))
    assert age <= -seen <= age + 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one boot from another")
def test_the_time_since_the_machines_start_goes_on_while_it_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: 400.0, time.CLOCK_MONOTONIC: 100.0}.__getitem__)
    now = Clock.now(1_000.0)
    assert now is not None
    assert now.started_at == 600.0


def test_a_copy_of_a_run_is_told_what_the_original_sent(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    copy = Path(shutil.copy(first, tmp_path / "copy.run"))
    in_order(first)
    assert [send.recipient for send in begun(copy).sends] == [ANA, BEN]
    cut_off(campaign(tmp_path, "third", number(8), number(9), number(3), number(4)))
    assert begun(copy) == begun(copy)


def test_a_copy_that_goes_on_in_a_killed_ones_place_waits(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    copy = Path(shutil.copy(first, tmp_path / "copy.run"))
    cut_off(first)
    assert not begun(copy).blind  # the original tells
    other = campaign(tmp_path, "other", *FOUR)
    other_copy = Path(shutil.copy(other, tmp_path / "copy-2.run"))
    cut_off(other)
    gone(other)
    assert begun(other_copy).blind


def test_a_killed_run_that_was_renamed_is_found_and_one_that_goes_on_elsewhere_knows_itself(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", *FOUR)
    cut_off(first)
    for log in ("", "-wal", "-shm"):
        first.with_name(f"first.run{log}").rename(tmp_path / f"renamed.run{log}")
    assert begun(tmp_path / "renamed.run") == Earlier([], blind=False)
    other = campaign(tmp_path, "other", number(5), number(6), number(7), number(8))
    cut_off(other)
    for log in ("", "-wal", "-shm"):
        other.with_name(f"other.run{log}").rename(tmp_path / f"renamed-2.run{log}")
    earlier = begun(campaign(tmp_path, "last", ANA))
    assert not earlier.blind
    assert {number(5), number(6), number(7)} <= {send.recipient for send in earlier.sends}


def test_a_run_that_was_cut_off_while_it_waited_waits_again(tmp_path: Path) -> None:
    first, second = campaign(tmp_path, "first", *FOUR), campaign(tmp_path, "second", *FOUR)
    cut_off(first)
    gone(first)
    killed_after(
        """
        from test_account import account_of
        account_of(path).begin(own(path), since_s=1_040.0, wall_s=1_100.0)
        """,
        second,
    )
    third = campaign(tmp_path, "third", ANA)
    assert begun(second, since_s=1_060.0, wall_s=1_120.0).blind
    assert begun(third, since_s=1_070.0, wall_s=1_130.0).blind
    assert not begun(third, since_s=1_101.0, wall_s=1_161.0).blind


def test_parts_count_as_the_api_counted_them_if_these_are_more(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", ANA, BEN)
    with own(first) as run, account_of(first) as account:
        account.begin(run, since_s=SINCE, wall_s=1_000.0)
        for row, parts in ((1, 3), (2, 2**60)):
            answer = ANSWER._replace(estimate_parts=parts)
            sent(run, outcome(row, Status.SENT)._replace(answer=answer))
        account.end(run, since_s=SINCE, wall_s=1_003.0)
    assert [send.parts for send in begun(campaign(tmp_path, "second", ANA)).sends] == [3, 255]


def test_a_contacts_message_counts_for_the_phone_that_got_it_though_its_number_changed_since(tmp_path: Path) -> None:
    first = campaign(tmp_path, "first", ContactId(7), ContactId(7))
    with own(first) as run, account_of(first) as account:
        account.begin(run, since_s=SINCE, wall_s=1_000.0)
        for row, phone in ((1, ANA), (2, BEN)):
            answer = ANSWER._replace(to=f"+{phone}" if row == 1 else phone)
            sent(run, Outcome(row, Event.ACCEPTED, True, 1_001.0, answer=answer, learned=(ContactId(7), phone)))
        assert [who for who, _, _ in notes_of(run).recent_sends(SINCE, 1_003.0)] == [ANA, BEN]
        account.end(run, since_s=SINCE, wall_s=1_003.0)
    assert [send.recipient for send in begun(campaign(tmp_path, "second", ANA)).sends] == [ANA, BEN]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the file alone is the lock")
def test_a_state_folder_that_is_removed_lets_no_second_run_begin_and_forgets_nothing(
    tmp_path: Path, state_folder: Path
) -> None:
    first, second = campaign(tmp_path, "first", *FOUR), campaign(tmp_path, "second", ANA)
    with own(first) as run, account_of(first) as account:
        account.begin(run, since_s=SINCE, wall_s=1_000.0)
        sent(run, outcome(1, Status.SENT, ended_at=1_001.0))
        shutil.rmtree(state_folder)
        with pytest.raises(OwnedError, match="another run is sending for organization 1"):
            account_of(second)
        shutil.rmtree(state_folder)
        account.end(run, since_s=SINCE, wall_s=1_003.0)
    assert begun(second) == Earlier([RecentSend(ANA, 1, 1, 1_001.0)], blind=False)


def test_a_contact_whose_answer_never_came_counts_by_the_number_that_another_run_learned(tmp_path: Path) -> None:
    first, second = campaign(tmp_path, "first", ContactId(7)), campaign(tmp_path, "second", ContactId(7))
    for path, result in (
        (first, outcome(1, Status.UNKNOWN, ended_at=1_001.0)),
        (second, Outcome(1, Event.ACCEPTED, True, 1_002.0, learned=(ContactId(7), ANA))),
    ):
        with own(path) as run, account_of(path) as account:
            account.begin(run, since_s=SINCE, wall_s=1_000.0)
            sent(run, result)
            account.end(run, since_s=SINCE, wall_s=1_003.0)
    assert [send.recipient for send in begun(campaign(tmp_path, "third", ANA)).sends] == [ANA, ANA]


# ---- What a send asks of it ----

OPTIONS = SendOptions(Pace(), Caps())


def sent_ago(path: Path, seconds: float) -> None:
    with own(path) as run, account_of(path) as account:
        now = time.time()
        account.begin(run, since_s=now - 60, wall_s=now)
        sent(run, outcome(1, Status.SENT, ended_at=now - seconds))
        account.end(run, since_s=now - 60, wall_s=now)


@pytest.mark.parametrize(("caps", "heard"), [([], [ANA]), ([Cap("63", 5, 40)], []), ([Cap("44", 1, 90)], [ANA])])
def test_a_send_hears_of_others_sends_as_far_back_as_its_longest_window(
    tmp_path: Path, caps: list[Cap], heard: list[PhoneNumber]
) -> None:
    sent_ago(campaign(tmp_path, "first", ANA), 50)
    second = campaign(tmp_path, "second", ANA)
    with own(second) as run, account_of(second) as account:
        earlier = sends.begin(run, account, replace(OPTIONS, caps=Caps(caps)), lambda _: None)
    assert [send.recipient for send in earlier.sends] == heard


def test_a_send_waits_for_a_whole_window_where_nobody_knows_what_was_sent(tmp_path: Path) -> None:
    first, second = campaign(tmp_path, "first", *FOUR), campaign(tmp_path, "second", ANA)
    cut_off(first)
    gone(first)
    told: list[object] = []
    with own(second) as run, account_of(second) as account:
        earlier = sends.begin(run, account, OPTIONS, told.append)
        assert past_of(run, OPTIONS, earlier, 0).quiet_s == 60.0
    assert told == [HistoryGone(60.0)]


async def test_what_a_run_sent_in_its_longest_window_is_kept_when_it_ends(tmp_path: Path) -> None:
    """Also if that is longer than what is kept anyway."""
    two_hours = replace(OPTIONS, caps=Caps([Cap("63", 5, 7_200)]))
    first, second = campaign(tmp_path, "first", ANA, BEN), campaign(tmp_path, "second", ANA)
    async with Sandbox(SandboxOptions(org_id=1)) as sandbox:
        target = Target(sandbox.base_url, 1, Endpoint.CONTACT, SandboxOptions().token)
        with own(first, time.time()) as run, FileAccount(target.base_url, 1, str(first)) as account:
            sent(run, outcome(1, Status.SENT, ended_at=time.time() - 5_000))
            await sends.send(run, account, target, two_hours, Stopping(), lambda _: None)
        with own(second) as run, FileAccount(target.base_url, 1, str(second)) as account:
            earlier = sends.begin(run, account, two_hours, lambda _: None)
    assert [send.recipient for send in earlier.sends] == [ANA, BEN]
