"""After a kill: what had left is in doubt, what had not is as it was, and where nobody knows all is in doubt."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from planned import write_plan
from runfiles import CUT_OFF, crowd_of, killed_after, notes_of, own, pending, planned

from bulksend.model import Status
from bulksend.runs import clock
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.sqlite.whole import departures_of, left_to

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells one boot from another")

ROWS = 12
BEGUN, LEFT = range(1, 11), range(1, 5)
SENDS = """
run = own(path)
notes = notes_of(run)
notes.begin([7, 8, 9], 900.0)
settle(notes, outcome(7, Status.UNKNOWN, error="lost"), outcome(8, Status.FAILED, error="busy"),
       outcome(9, Status.UNKNOWN, error="lost"))
run.decide([9], resend=True)
run.close()
notes = notes_of(own(path))
attempts = notes.begin([1, 2, 3], 1_000.0) + notes.begin([4, 5, 6, 7, 8, 9, 10], 1_001.0)
for attempt in attempts[:4]:
    notes.leaves(attempt)
"""
"""Rows 7 to 9 were tried before; 1 to 10 are begun, of which 1 to 4 leave; 11 and 12 are not."""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    path = crowd_of(tmp_path / "campaign.run", ROWS)
    killed_after(SENDS, path)
    return path


def read(path: Path) -> tuple[dict[int, tuple[str, int, str | None]], list[int], int]:
    """As readers see it: state, attempts and error by row, the rows in doubt, and the rows in flight."""
    with SqliteRun.open(path) as run:
        rows = {row: (state, attempts, error) for row, state, _, _, error, _, attempts, *_ in run.results()}
        return rows, [each.row for each in run.in_doubt()], run.tally().in_flight


def in_doubt(path: Path) -> list[int]:
    """The rows in doubt, which readers and the next owner agree on; some of them somebody wants sent again."""
    _, told, in_flight = read(path)
    assert in_flight == 0
    with own(path, 2_000.0) as run:
        notes = notes_of(run)
        again = {item.row for item in notes.claim(0, ROWS)}
        assert [item.row for item in notes.undecided(0.0, 0)] == [row for row in told if row not in again]
    return told


def test_exactly_what_had_left_is_in_doubt_for_readers_and_for_the_next_owner(killed: Path) -> None:
    expected = {
        **dict.fromkeys(LEFT, ("unknown", 1, CUT_OFF)),
        5: ("pending", 0, ""),
        6: ("pending", 0, ""),
        7: ("unknown", 1, "lost"),
        8: ("pending", 1, "busy"),
        9: ("unknown", 1, "lost"),
        10: ("pending", 0, ""),
        11: ("pending", 0, ""),
        12: ("pending", 0, ""),
    }
    rows, doubted, in_flight = read(killed)
    assert {row: (state, attempts, error or "") for row, (state, attempts, error) in rows.items()} == expected
    assert doubted == [1, 2, 3, 4, 7, 9]
    assert in_flight == 0
    with own(killed, 2_000.0) as run:
        rows, doubted, in_flight = read(killed)
        assert {row: (state, attempts, error or "") for row, (state, attempts, error) in rows.items()} == expected
        assert doubted == [1, 2, 3, 4, 7, 9]
        notes = notes_of(run)
        assert [item.row for item in notes.undecided(0.0, 0)] == [1, 2, 3, 4, 7]
        assert [item.row for item in notes.claim(0, 100)] == [5, 6, 8, 9, 10, 11, 12]  # 9: on somebody's word
        numbers = {
            attempt.message.row: (attempt.number, attempt.in_doubt) for attempt in notes.begin([5, 8, 9], 2_001.0)
        }
        assert numbers == {5: (1, False), 8: (2, False), 9: (2, True)}


def test_what_counts_against_a_phones_cap_is_what_left_and_what_was_in_doubt_before(killed: Path) -> None:
    with SqliteRun.open(killed) as run:
        counted = [send.recipient for send in run.recent_sends(0.0, 2_000.0)]
    assert sorted(counted) == [f"63917{row:07}" for row in (1, 2, 3, 4, 7, 9)]


def test_a_mark_is_read_once_the_next_owners_is_another(killed: Path) -> None:
    killed_after("notes_of(own(path)).begin([5, 6], 2_000.0)", killed)
    assert in_doubt(killed) == [1, 2, 3, 4, 7, 9]
    killed_after("begin(notes_of(own(path)), [5], 3_000.0)", killed)
    assert in_doubt(killed) == [1, 2, 3, 4, 5, 7, 9]


def mark_of(path: Path) -> Path:
    with SqliteRun.open(path) as run:
        return departures_of(run._db)


def no_mark(path: Path) -> None:
    mark_of(path).unlink()


def damaged_mark(path: Path) -> None:
    mark_of(path).write_bytes(mark_of(path).read_bytes()[:40])


def a_mark_put_back(path: Path) -> None:
    """As from a backup of the state folder: what left since then is not in it."""
    mark = mark_of(path)
    content = mark.read_bytes()
    mark.rename(mark.with_name("kept"))  # or the new file might get its place on the disk
    mark.write_bytes(content)


def mark_of_another_run(path: Path) -> None:
    other = planned(path.with_name("other.run"), [pending(1)], "other")
    killed_after("own(path)", other)
    shutil.copy(mark_of(other), mark_of(path))


def a_mark_of_a_later_owner(path: Path) -> None:
    """As for a run file that was copied, or kept and put back, while the real one went on."""
    kept = path.with_name("kept.run")
    copied(path, kept)
    killed_after("notes_of(own(path)).begin([5], 2_000.0)", path)
    copied(kept, path)


def copied(source: Path, target: Path) -> None:
    for log in ("", "-wal"):
        shutil.copy(f"{source}{log}", f"{target}{log}")
    Path(f"{target}-shm").unlink(missing_ok=True)


@pytest.mark.parametrize(
    "what",
    [no_mark, damaged_mark, a_mark_put_back, mark_of_another_run, a_mark_of_a_later_owner],
    ids=lambda what: what.__name__,
)
def test_where_the_mark_is_not_the_owners_all_that_was_begun_is_in_doubt(
    killed: Path, what: Callable[[Path], None]
) -> None:
    what(killed)
    assert in_doubt(killed) == list(BEGUN)
    with SqliteRun.open(killed) as run:
        assert run.tally().statuses[Status.PENDING] == ROWS - len(BEGUN)


def test_after_another_boot_all_that_was_begun_is_in_doubt(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("00000000-0000-0000-0000-000000000000\n")
    monkeypatch.setattr(clock, "_BOOT_ID", boot)
    assert in_doubt(killed) == list(BEGUN)


def test_on_another_machine_all_that_was_begun_is_in_doubt(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / "another machine's"))
    assert in_doubt(killed) == list(BEGUN)


def test_of_a_copy_all_that_was_begun_is_in_doubt_once_the_run_or_another_copy_went_on(killed: Path) -> None:
    first, second = killed.with_name("first.run"), killed.with_name("second.run")
    copied(killed, first)
    copied(killed, second)
    assert in_doubt(first) == [1, 2, 3, 4, 7, 9]  # nobody went on yet: it is the same run still
    assert in_doubt(second) == list(BEGUN)
    assert in_doubt(killed) == list(BEGUN)


def test_of_a_copy_that_was_made_while_its_run_was_sent_nothing_that_left_since_is_taken_for_untried(
    tmp_path: Path,
) -> None:
    path = crowd_of(tmp_path / "campaign.run", ROWS)
    program = """
        from test_killed_owners import copied
        run = own(path)
        notes = notes_of(run)
        attempts = notes.begin([1, 2, 3, 4, 5, 6], 1_000.0)
        copied(path, path.with_name("copy.run"))
        for attempt in attempts[:4]:
            notes.leaves(attempt)
    """
    killed_after(program, path)
    assert in_doubt(path.with_name("copy.run")) == [1, 2, 3, 4]


def test_an_owner_that_ends_in_order_leaves_no_mark_unless_something_is_under_way(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2)
    with own(path) as run:
        mark = departures_of(run._db)
        assert mark.exists()
    assert not mark.exists()
    with own(path) as run:
        notes_of(run).begin([1], 1_000.0)
    assert mark.exists()
    assert in_doubt(path) == []
    assert not mark.exists()


def test_what_is_unknown_of_an_earlier_formats_owner_is_in_doubt(killed: Path) -> None:
    with SqliteRun.open(killed), closing(sqlite3.connect(killed)) as db, db:  # while it is read, its log stays
        db.execute("DELETE FROM facts WHERE name = 'token'")
    with SqliteRun.open(killed) as run:
        assert left_to(run._db) is None
    assert in_doubt(killed) == list(BEGUN)


def test_a_mark_lies_in_the_state_folder_whatever_a_run_file_from_elsewhere_says(tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.write_text("keep me")
    rows = [pending(1)]
    path = tmp_path / "campaign.run"
    write_plan(path, rows, plan_id=str(treasure)).release()
    with own(path) as run:
        notes_of(run).begin([1], 1_000.0)
    with own(path):
        pass
    assert treasure.read_text() == "keep me"
