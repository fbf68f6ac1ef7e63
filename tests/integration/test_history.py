"""History: who got which text when, by which command and row; and what a run leaves out for it."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from planned import PlannedRow
from runfiles import ANA, ANSWER, BEN, begin, killed_after, notes_of, number, own, pending, planned, settle

from bulksend.campaign.choices import Repeating
from bulksend.campaign.lookback import Holds, LookedBack, look_again, look_back
from bulksend.errors import UsageError
from bulksend.model import ContactId, Encoding, Event, MicroUSD, Outcome, Recipient, Status
from bulksend.runs.account import FileAccount, histories
from bulksend.runs.history import FileHistory
from bulksend.runs.sqlite.owned import OwnSqliteRun

URL = "https://x.test"
HOUR = 3_600.0
NOW = 1_000_000.0  # beside which the notes' own times, about 1,000 s, are long past
HI = "Hi"
BEGUN_TWO_AND_ONE_LEFT = """
from bulksend.runs.account import FileAccount, histories
run = own(path)
account = FileAccount("https://x.test", 1, str(path))
account.begin(run, since_s=900.0, wall_s=1_000.0, began_at=1_000_000.0)
notes = notes_of(run)
run._db.execute("BEGIN")
notes.leaves(notes.begin([1, 2], 1_000.0)[0])
run._db.execute("COMMIT")
"""


def message(row: int, who: Recipient = ANA, text: str = HI) -> PlannedRow:
    return PlannedRow(row, Status.PENDING, who, None, text, Encoding.GSM7, 1, MicroUSD(1), "", b"[]")


def campaign(folder: Path, name: str, *messages: tuple[Recipient, str]) -> Path:
    return planned(folder / f"{name}.run", [message(row, *each) for row, each in enumerate(messages, 1)], name)


def sent(
    path: Path, *, at: float = NOW, rows: Sequence[int] = (1,), event: Event = Event.ACCEPTED, how: str = "in order"
) -> None:
    """What a command sends that was given at a time."""
    with own(path) as run, FileAccount(URL, 1, str(path)) as account:
        account.begin(run, since_s=900.0, wall_s=1_000.0, began_at=at)
        noted(run, rows, event)
        if how == "in order":
            account.end(run, since_s=900.0, wall_s=1_002.0)


def noted(run: OwnSqliteRun, rows: Sequence[int], event: Event = Event.ACCEPTED) -> None:
    notes = notes_of(run)
    begin(notes, list(rows), 1_000.0)
    answer = ANSWER if event is Event.ACCEPTED else None
    settle(notes, *[Outcome(row, event, True, 1_001.0, answer=answer) for row in rows])


def looked(
    path: Path, *, repeat: bool = False, after: float = 20 * HOUR, within: float | None = None, at: float = NOW
) -> tuple[LookedBack, list[int]]:
    """What a run hears of history, and which of its rows are left to send."""
    with own(path) as run, FileAccount(URL, 1, str(path)) as account:
        how = Repeating(repeat, after, within, at)
        lost = account.history.catch_up(run, closes=True)
        seen = look_back(run, account.history, how, lost)
        return seen, [row for row, *_ in run.unsent(0, 100)]


def held(seen: LookedBack) -> dict[Holds, int]:
    return {each.what: each.rows for each in seen.held}


# ---- What is left out ----


def test_the_very_text_of_the_last_hours_is_left_out(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)), at=NOW - HOUR)
    seen, left = looked(campaign(tmp_path, "july", (ANA, HI), (BEN, HI)))
    assert held(seen) == {Holds.EQUAL: 1}
    assert seen.held[0].run == str((tmp_path / "june.run").resolve())
    assert seen.held[0].began_at == NOW - HOUR
    assert left == [2]


def test_how_long_ago_is_counted_from_command_to_command(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)), at=NOW - 20 * HOUR)
    assert looked(campaign(tmp_path, "a", (ANA, HI)))[1] == [1]
    assert looked(campaign(tmp_path, "b", (ANA, HI)), at=NOW - 1)[1] == []
    assert looked(campaign(tmp_path, "c", (ANA, HI)), after=HOUR)[1] == [1]


def test_what_is_older_is_told_and_sent(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)), at=NOW - 40 * HOUR)
    seen, left = looked(campaign(tmp_path, "july", (ANA, HI)))
    assert (held(seen), left) == ({Holds.OLDER: 1}, [1])


@pytest.mark.parametrize(
    ("earlier", "hours_ago", "often"), [(2, 1, 0), (3, 1, 1), (5, 1, 1), (3, 7 * 24 - 1, 1), (3, 7 * 24 + 1, 0)]
)
def test_who_got_several_texts_of_late_is_told_where_another_one_is_sent(
    tmp_path: Path, earlier: int, hours_ago: int, often: int
) -> None:
    for count in range(earlier):
        sent(campaign(tmp_path, f"run{count}", (ANA, f"text {count}")), at=NOW - hours_ago * HOUR)
    seen, _ = looked(campaign(tmp_path, "new", (ANA, HI), (BEN, HI)))
    assert seen.often == often


def test_the_same_text_of_long_ago_is_none_of_late(tmp_path: Path) -> None:
    for count in range(3):
        sent(campaign(tmp_path, f"run{count}", (ANA, HI)), at=NOW - 8 * 24 * HOUR)
    seen, _ = looked(campaign(tmp_path, "new", (ANA, HI)))
    assert (held(seen), seen.often) == ({Holds.OLDER: 1}, 0)


def test_what_is_left_out_is_no_text_too_many(tmp_path: Path) -> None:
    for count in range(3):
        sent(campaign(tmp_path, f"run{count}", (ANA, HI)), at=NOW - HOUR)
    seen, _ = looked(campaign(tmp_path, "new", (ANA, HI)))
    assert (held(seen), seen.often) == ({Holds.EQUAL: 1}, 0)


def test_another_text_is_told_and_sent_unless_that_is_said(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)), at=NOW - 24 * HOUR)
    seen, left = looked(campaign(tmp_path, "july", (ANA, "Other")))
    assert (held(seen), left) == ({Holds.ANOTHER: 1}, [1])
    seen, left = looked(campaign(tmp_path, "august", (ANA, "Other"), (BEN, "Other")), within=48 * HOUR)
    assert (held(seen), left) == ({Holds.LATELY: 1}, [2])
    assert looked(campaign(tmp_path, "september", (ANA, "Other")), at=NOW + 30 * 24 * HOUR)[0].held == ()


@pytest.mark.parametrize(("before", "wanted", "left"), [(1, 1, 0), (1, 2, 1), (2, 1, 0), (2, 3, 1), (3, 3, 0)])
def test_as_many_are_left_out_as_history_holds(tmp_path: Path, before: int, wanted: int, left: int) -> None:
    sent(campaign(tmp_path, "june", *[(ANA, HI)] * before), rows=range(1, before + 1))
    path = campaign(tmp_path, "july", *[(ANA, HI)] * wanted)
    for _ in range(2):  # nor more by whoever looks twice
        assert len(looked(path)[1]) == left
    with own(path) as run:
        noted(run, [row for row, *_ in run.unsent(0, 10)][:1])
    assert len(looked(path)[1]) == max(0, left - 1)


def test_what_is_in_doubt_is_left_out_and_told_apart(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)), event=Event.DOUBTED)
    seen, left = looked(campaign(tmp_path, "july", (ANA, HI)))
    assert (held(seen), left) == ({Holds.DOUBTED: 1}, [])


@pytest.mark.parametrize("event", [Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.CALLED_OFF])
def test_who_surely_did_not_get_it_gets_it(tmp_path: Path, event: Event) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)), event=event)
    seen, left = looked(campaign(tmp_path, "july", (ANA, HI)))
    assert (held(seen), left) == ({}, [1])


def test_it_is_sent_again_where_that_is_said(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)))
    path = campaign(tmp_path, "july", (ANA, HI), (BEN, HI))
    assert looked(path)[1] == [2]
    with own(path) as run:
        noted(run, [2])
    assert looked(path)[1] == []
    seen, left = looked(path, repeat=True)
    assert (held(seen), left) == ({Holds.OLDER: 1}, [1])


def test_why_a_row_is_left_out_stands_in_its_results(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)))
    path = campaign(tmp_path, "july", (ANA, HI))
    looked(path)
    with own(path) as run:
        ((row, status, *_, error, _, attempts, _, _, _),) = run.results()
        assert (row, status, attempts) == (1, "skipped", 0)
        assert error is not None
        assert error.startswith("got this very text from june.run on ")
        assert run.tally().statuses[Status.SKIPPED] == run.tally().left_out == 1
        assert not run.has_begun
        assert run.overview().rows == 0


# ---- Whose it is ----


def test_a_contact_counts_by_its_number_once_that_is_known(tmp_path: Path) -> None:
    path = campaign(tmp_path, "june", (ContactId(7), HI))
    with own(path) as run, FileAccount(URL, 1, str(path)) as account:
        account.begin(run, since_s=900.0, wall_s=1_000.0, began_at=NOW)
        notes = notes_of(run)
        begin(notes, [1], 1_000.0)
        settle(notes, Outcome(1, Event.ACCEPTED, True, 1_001.0, answer=ANSWER, learned=(ContactId(7), ANA)))
        account.end(run, since_s=900.0, wall_s=1_002.0)
    assert looked(campaign(tmp_path, "july", (ANA, HI)))[1] == []


def test_a_contact_whose_number_was_not_known_then_is_known_again(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ContactId(7), HI)), event=Event.DOUBTED)
    path = campaign(tmp_path, "july", (ContactId(7), HI))
    with own(path) as run:
        run.learn([(ContactId(7), BEN)])
    assert looked(path)[1] == []


def test_a_number_and_a_contact_of_the_same_digits_are_two(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)))
    assert looked(campaign(tmp_path, "july", (ContactId(int(ANA)), HI)))[1] == [1]


# ---- Rows of the same run ----


def test_a_copy_of_a_run_takes_over_what_the_other_file_sent(tmp_path: Path) -> None:
    path = campaign(tmp_path, "june", (ANA, HI), (BEN, HI))
    copy = tmp_path / "copy.run"
    copy.write_bytes(path.read_bytes())
    sent(path, at=NOW - 400 * HOUR)
    seen, left = looked(copy, repeat=True)
    assert (held(seen), left) == ({Holds.OWN: 1}, [2])
    with own(copy) as run:
        assert run.tally().left_out == 0
        assert "this very run sent it" in (next(iter(run.results()))[4] or "")


def test_what_a_run_itself_has_sent_holds_back_no_other_row_of_it(tmp_path: Path) -> None:
    path = campaign(tmp_path, "june", (ANA, HI), (ANA, HI))
    sent(path)
    assert looked(path)[1] == [2]


# ---- Killed runs ----


def test_what_a_killed_run_sent_is_read_out_of_its_file(tmp_path: Path) -> None:
    first = campaign(tmp_path, "june", (ANA, HI), (BEN, HI))
    sent(first, how="killed")
    assert looked(campaign(tmp_path, "july", (ANA, HI), (BEN, HI)))[1] == [2]


def test_what_a_killed_run_sent_is_found_under_another_name(tmp_path: Path) -> None:
    first = campaign(tmp_path, "june", (ANA, HI))
    sent(first, how="killed")
    first.rename(tmp_path / "renamed.run")
    assert looked(campaign(tmp_path, "july", (ANA, HI)))[1] == []


def test_a_killed_run_whose_file_is_gone_is_told(tmp_path: Path) -> None:
    first = campaign(tmp_path, "june", (ANA, HI))
    sent(first, how="killed", at=NOW - HOUR)
    first.unlink()
    second = campaign(tmp_path, "july", (ANA, HI))
    seen, left = looked(second)
    assert [each.run for each in seen.lost] == [str(first.resolve())]
    assert left == [1]
    assert not looked(second, after=HOUR)[0].lost  # so long ago it does not matter


def test_what_a_killed_process_had_under_way_is_in_doubt(tmp_path: Path) -> None:
    first = campaign(tmp_path, "june", (ANA, HI), (BEN, HI))
    killed_after(BEGUN_TWO_AND_ONE_LEFT, first)
    seen, left = looked(campaign(tmp_path, "july", (ANA, HI), (BEN, HI)))
    assert (held(seen), left) == ({Holds.DOUBTED: 1}, [2])  # the other had never left


def test_a_copy_knows_by_itself_what_of_a_killed_run_had_never_left(tmp_path: Path) -> None:
    first = campaign(tmp_path, "june", (ANA, HI), (BEN, HI))
    killed_after(BEGUN_TWO_AND_ONE_LEFT, first)
    for file in list(tmp_path.glob("june.run*")):
        shutil.copy(file, file.with_name(file.name.replace("june", "copy")))
    assert looked(tmp_path / "copy.run")[1] == [2]
    with own(tmp_path / "copy.run") as run:
        assert run.tally().statuses[Status.UNKNOWN] == 1


def test_a_live_runs_messages_under_way_are_not_taken_for_doubtful(tmp_path: Path) -> None:
    first = campaign(tmp_path, "june", (ANA, HI), (BEN, HI))
    with own(first) as run, FileAccount(URL, 1, str(first)) as account:
        account.begin(run, since_s=900.0, wall_s=1_000.0, began_at=NOW)
        notes = notes_of(run)
        begin(notes, [1, 2], 1_000.0)
        settle(notes, Outcome(1, Event.ACCEPTED, True, 1_001.0, answer=ANSWER))
        with own(campaign(tmp_path, "july", (ANA, HI), (BEN, HI))) as other:
            assert account.history.catch_up(other, closes=False) == []
            seen = look_back(other, account.history, Repeating(began_at=NOW))
        settle(notes, Outcome(2, Event.REJECTED, True, 1_001.0))
        account.end(run, since_s=900.0, wall_s=1_002.0)
    assert held(seen) == {Holds.EQUAL: 1}
    assert looked(tmp_path / "july.run")[1] == [2]


# ---- Under the lock ----


def test_it_is_looked_at_again_only_if_history_holds_more(tmp_path: Path) -> None:
    second = campaign(tmp_path, "july", (ANA, HI), (BEN, HI))
    how = Repeating(began_at=NOW)
    with own(second) as run:
        with FileAccount(URL, 1, str(second)) as account:
            assert look_back(run, account.history, how).held == ()
            assert look_again(run, account.history, how).held == ()
        sent(campaign(tmp_path, "june", (ANA, HI)))
        with FileAccount(URL, 1, str(second)) as account:
            assert held(look_again(run, account.history, how)) == {Holds.EQUAL: 1}
            assert look_again(run, account.history, how).held == ()


# ---- The store ----


def test_a_row_that_is_repeated_stands_there_once(tmp_path: Path) -> None:
    path = campaign(tmp_path, "june", (ANA, HI))
    sent(path, event=Event.DOUBTED, at=NOW - HOUR)
    with own(path) as run, FileAccount(URL, 1, str(path)) as account:
        run.decide([1], resend=True)
        account.begin(run, since_s=900.0, wall_s=2_000.0, began_at=NOW)
        notes = notes_of(run)
        begin(notes, [1], 2_000.0)
        settle(notes, Outcome(1, Event.ACCEPTED, True, 2_001.0, answer=ANSWER))
        account.end(run, since_s=900.0, wall_s=2_002.0)
        text = account.history.hashes.of_texts([HI])[0]
        assert account.history.got_by([BEN, ANA]) == [(1, text, 2, 1, 0)]


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI), (BEN, HI)), rows=[1, 2], at=NOW - 2 * HOUR)
    path = campaign(tmp_path, "july", (ANA, "Other"))
    sent(path, at=NOW)
    with FileAccount(URL, 1, str(path)) as account:
        assert account.history.purge(NOW - HOUR) == 2
        assert [each.run for each in account.history.commands().values()] == [str(path.resolve())]
        assert account.history.purge(NOW - HOUR) == 0


def test_a_command_forgets_what_is_old_once_a_week(tmp_path: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)), at=NOW)
    path = campaign(tmp_path, "july", (ANA, "Other"))
    with FileAccount(URL, 1, str(path)) as account:
        account.history.prune(NOW + 6 * 24 * HOUR)
        assert not account.history.is_empty
        account.history.prune(NOW + 8 * 24 * HOUR)
        assert account.history.is_empty


def test_neither_number_nor_text_can_be_read_there(tmp_path: Path, state_folder: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, "A secret text")))
    for file in state_folder.rglob("*history*"):
        content = file.read_bytes()
        assert ANA.encode() not in content
        assert b"secret" not in content
    (key,) = state_folder.glob("*.history.key")
    assert len(key.read_bytes()) == 32


def test_without_its_key_history_is_refused(tmp_path: Path, state_folder: Path) -> None:
    sent(campaign(tmp_path, "june", (ANA, HI)))
    (key,) = state_folder.glob("*.history.key")
    key.unlink()
    with pytest.raises(UsageError, match="the key of the history is gone"):
        sent(campaign(tmp_path, "july", (ANA, HI)))


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.history.sqlite"
    FileHistory(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(UsageError, match="another version"):
        FileHistory(path)


def test_a_message_takes_about_forty_bytes(tmp_path: Path) -> None:
    rows = 20_000
    people = [number(row) for row in range(1, rows + 1)]
    random.Random(1).shuffle(people)
    path = planned(tmp_path / "june.run", [pending(row, who) for row, who in enumerate(people, 1)])
    half = rows // 2
    for some in (range(1, half + 1), range(half + 1, rows + 1)):
        sent(path, rows=some)
    (file,) = histories()
    assert file.stat().st_size < 50 * rows
