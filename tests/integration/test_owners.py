"""Whose a run file is: other programs' files, locks, and what a take-over makes of a killed owner's rows."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from planned import Rows
from runfiles import (
    ANA,
    BEN,
    CUT_OFF,
    begin,
    crowd_of,
    facts,
    journal_of,
    killed_after,
    notes_of,
    opened,
    outcome,
    own,
    own_where_locks_do_not_hold,
    pending,
    planned,
    settle,
    states,
)

from bulksend.errors import OwnedError, RunFileError, UsageError
from bulksend.files import replacing
from bulksend.model import ContactId, Status
from bulksend.planning.overview import Findings
from bulksend.runs.facts import Address
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.plan import PlanWriter
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.sqlite.schema import is_run_file
from bulksend.runs.sqlite.wholeness import departures_of


def test_a_text_file_is_no_run_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.run"
    path.write_text("to,message\n639171234567,hello\n" * 100)
    assert not is_run_file(path)
    with pytest.raises(UsageError, match="this is not a run file"):
        SqliteRun.open(path)
    with pytest.raises(UsageError, match="this is not a run file"):
        own(path, 1.0)
    assert path.read_text().startswith("to,message\n639171234567,hello\n")


def test_an_empty_file_and_a_folder_are_no_run_files(tmp_path: Path) -> None:
    (tmp_path / "empty.run").touch()
    with pytest.raises(UsageError, match="this is not a run file"):
        SqliteRun.open(tmp_path / "empty.run")
    with pytest.raises(UsageError, match="there is no such run file"):
        SqliteRun.open(tmp_path)
    with pytest.raises(UsageError, match="there is no such run file"):
        SqliteRun.open(tmp_path / "none.run")
    assert not is_run_file(tmp_path)
    assert not is_run_file(tmp_path / "none.run")


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE messages (row)")
    content = path.read_bytes()
    assert not is_run_file(path)
    with pytest.raises(UsageError, match="this is not a run file"):
        SqliteRun.open(path)
    with pytest.raises(UsageError, match="this is not a run file"):
        own(path, 1.0)
    assert path.read_bytes() == content


@pytest.mark.parametrize("version", [1, 4])
def test_a_run_file_of_another_version_is_refused_with_all_numbers(tmp_path: Path, version: int) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    content = path.read_bytes()
    assert is_run_file(path)
    says = rf"format {version}, this one reads 2 to 3\); use that version"
    with pytest.raises(UsageError, match=says):
        SqliteRun.open(path)
    with pytest.raises(UsageError, match=says):
        own(path, 1.0)
    assert path.read_bytes() == content


def test_a_damaged_run_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2_000)
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xa5" * (path.stat().st_size - 4_096))
    with pytest.raises((RunFileError, UsageError)), SqliteRun.open(path) as run:
        run.tally()


# ---- owners ----


def test_a_second_owner_is_turned_away_also_another_process(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with FileLock(path):
        with pytest.raises(OwnedError):
            FileLock(path)
        program = (
            "import sys; from pathlib import Path; from bulksend.runs.lock import FileLock; FileLock(Path(sys.argv[1]))"
        )
        other = subprocess.run([sys.executable, "-c", program, str(path)], check=False, capture_output=True, text=True)
        assert "OwnedError" in other.stderr
    FileLock(path).release()


def test_looking_at_a_run_does_not_loosen_the_hold_that_the_same_process_has_on_it(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with opened(path) as notes:
        begin(notes, [1], 1_000.0)
        assert is_run_file(path)
        with pytest.raises(OwnedError):
            own(path)
        with SqliteRun.open(path) as run:
            assert run.tally().in_flight == 1
        # Whoever else opens the file brings its log in and removes it, if nothing tells that it is open here.
        program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM sends').fetchall()"
        subprocess.run([sys.executable, "-c", program, str(path)], check=True)
        assert path.with_name("campaign.run-wal").exists()


def test_two_threads_write_files_in_one_folder(tmp_path: Path) -> None:
    both_write, both_wrote = Barrier(2, timeout=30), Barrier(2, timeout=30)

    def write(name: str) -> None:
        with replacing(tmp_path / name) as file:
            both_write.wait()
            file.write(name * 1_000)
            both_wrote.wait()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, ["june", "july"]))
    assert [(tmp_path / name).read_text() for name in ("june", "july")] == ["june" * 1_000, "july" * 1_000]


def test_the_sentence_names_the_owner(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with opened(path), pytest.raises(OwnedError, match=rf"process {os.getpid()} on .+, since "):
        own(path)


def test_a_lock_follows_its_file_to_a_new_name(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    writer = PlanWriter(path)
    writer.add(Rows([pending(1)]))
    lock = writer.finish(facts(), Findings())
    assert lock.path == path
    with pytest.raises(OwnedError):
        FileLock(path)
    PlanWriter(path).discard()  # the draft's name is free again
    lock.release()
    FileLock(path).release()


def test_a_lock_ends_with_its_owners_death(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    program = """
        import sys, time
        from pathlib import Path
        from bulksend.runs.lock import FileLock
        lock = FileLock(Path(sys.argv[1]))
        print("locked", flush=True)
        time.sleep(30)
    """
    arguments = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        with pytest.raises(OwnedError):
            FileLock(path)
        owner.kill()
    FileLock(path).release()


def test_a_file_that_is_renamed_between_opening_and_locking_is_not_the_one_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "campaign.run.planning"
    real = fcntl.flock

    def renamed_meanwhile(fd: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        path.rename(tmp_path / "campaign.run")
        real(fd, operation)

    monkeypatch.setattr(fcntl, "flock", renamed_meanwhile)
    with FileLock(path):
        FileLock(tmp_path / "campaign.run").release()
        with pytest.raises(OwnedError):
            FileLock(path)


def test_a_lock_can_be_given_up_twice(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    lock.release()
    lock.release()


async def test_whoever_takes_a_run_over_makes_the_former_owners_commits_fail(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2)
    with journal_of(path) as (_, first):
        for attempt in await first.begin([1], 1_000.0):
            first.leaves(attempt)
        with own_where_locks_do_not_hold(path, 2_000.0):
            with pytest.raises(OwnedError, match="taken this run over"):
                await first.begin([2], 1_001.0)
            with pytest.raises(OwnedError):
                await first.settle([outcome(1, Status.SENT)], turn=0)
    assert states(path) == {1: ("unknown", 1)}


def test_whoever_was_taken_over_writes_nothing_any_more_and_leaves_the_new_owner_alone(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(1, ContactId(7)), pending(2, BEN)])
    with own_where_locks_do_not_hold(path, 1_000.0) as former:
        begin(notes_of(former), [1], 1_000.0)
        with own(path, 2_000.0) as run:
            begin(notes_of(run), [2], 2_000.0)
            content = list(run._db.iterdump())
            writes: list[Callable[[], None]] = [
                lambda: former.readdress(Address(5, "https://elsewhere.test")),
                lambda: former.learn([(ContactId(7), ANA)]),
                lambda: former.decide([1], resend=True),
            ]
            for write in writes:
                with pytest.raises(OwnedError, match="taken this run over"):
                    write()
            former.close()
            assert list(run._db.iterdump()) == content
            assert run.owner is not None
            notes_of(run)  # it goes on
            mark = departures_of(run._db)
            assert mark.exists()
            settle(notes_of(run), outcome(2, Status.SENT))
    assert states(path) == {1: ("unknown", 1), 2: ("sent", 1)}


def test_a_write_that_fails_leaves_no_transaction_open_and_nothing_of_it(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with own(path) as run:
        with pytest.raises(RunFileError):
            run.learn([(ContactId(7), ANA), (ContactId(8), [])])  # type: ignore[list-item]
        assert list(run.numbers()) == []
        run.learn([(ContactId(7), ANA)])
        assert list(run.numbers()) == [(7, ANA)]


def test_a_take_over_leaves_the_end_of_what_was_in_flight_unknown(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    pid = killed_after(
        """
        notes = notes_of(own(path))
        begin(notes, [1, 2], 1_000.0)
        settle(notes, outcome(1, Status.SENT))
        """,
        path,
    )
    with SqliteRun.open(path) as run:
        assert run.owner is not None
        assert run.owner.pid == pid
        assert run.tally().in_flight == 0  # its owner is gone: nobody will note an outcome any more
        assert run.tally().statuses[Status.UNKNOWN] == 1
        assert run.complaints(Status.UNKNOWN, 5) == [(CUT_OFF, 1, 2)]
    with opened(path, now=2_000.0) as notes:
        assert [item.row for item in notes.undecided(0.0, 0)] == [2]
        assert [item.row for item in notes.claim(0, 10)] == [3]
        with SqliteRun.open(path) as run:
            assert run.complaints(Status.UNKNOWN, 5) == [(CUT_OFF, 1, 2)]
            assert run.tally().in_flight == 0
    assert states(path) == {1: ("sent", 1), 2: ("unknown", 1)}
