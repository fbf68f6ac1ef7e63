"""The run file on a real disk: planned, taken over, written in groups, read meanwhile."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planned import FACTS, PlannedRow, write_plan

from bulksend.errors import OwnedError, RunFileError, UsageError
from bulksend.model import (
    Answer,
    ContactId,
    Encoding,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Queued,
    Recipient,
    Status,
)
from bulksend.planning import planning as plans
from bulksend.planning.overview import Crowd, Findings, Preview
from bulksend.planning.planner import PlanOptions
from bulksend.planning.planning import Address
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.file import IN_FLIGHT, SCHEMA_VERSION, PlanFacts, PlanWriter, is_run_file
from bulksend.runs.sqlite.journal import SqliteJournal
from bulksend.runs.sqlite.reader import RunReport
from bulksend.runs.sqlite.store import INTERRUPTED, RunStore

ANA = PhoneNumber("639171234567")
BEN = PhoneNumber("639181234567")


def facts(campaign_id: str = "c", columns: Sequence[str] = ("to", "message")) -> PlanFacts:
    return replace(
        FACTS,
        columns=tuple(columns),
        sender="ACME",
        template="Hi {Name}",
        mapping=(("to", "Mobile"),),
        reading=("cp1252", ";", None),
        country="PH",
        campaign=campaign_id,
        plan_id=f"plan of {campaign_id}",
    )


def pending(row: int, recipient: Recipient = ANA, parts: int = 1, price: int | None = 20_000) -> PlannedRow:
    cost = None if price is None else MicroUSD(price * parts)
    return PlannedRow(
        row, Status.PENDING, recipient, "ACME", f"text {row}", Encoding.GSM7, parts, cost, "", b'["a","b"]'
    )  # fmt: skip


def bad(row: int, fault: str = "no recipient", status: Status = Status.INVALID) -> PlannedRow:
    return PlannedRow(row, status, None, None, "", None, 0, None, fault, b"[]")


def number(row: int) -> PhoneNumber:
    return PhoneNumber(f"63917{row:07}")


def planned(path: Path, rows: Sequence[PlannedRow], campaign_id: str = "c") -> Path:
    write_plan(path, rows, facts(campaign_id)).release()
    return path


def crowd_of(path: Path, rows: int) -> Path:
    return planned(path, [pending(row, number(row)) for row in range(1, rows + 1)])


@contextmanager
def opened(path: Path, *, by_parts: bool = True, limit: int | None = None, now: float = 1_000.0) -> Iterator[RunStore]:
    store = RunStore(path, by_parts=by_parts, limit=limit, now=now)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def journal_of(path: Path, *, now: float = 1_000.0) -> Iterator[tuple[RunStore, SqliteJournal]]:
    store = RunStore(path, by_parts=True, limit=None, now=now)
    journal = SqliteJournal(store)
    try:
        yield store, journal
    finally:
        journal.close()


ANSWER = Answer(
    message_id="SMS1",
    estimate_parts=2,
    estimate_micro=40_000,
    estimate="0.04",
    delivery_deadline="2026-01-01T00:00:00Z",
    to=ANA,
    contact_id=7,
    charged=MicroUSD(40_000),
)


def outcome(row: int, status: Status, *, ended_at: float = 1_001.0, tried: bool = True, error: str = "") -> Outcome:
    answer = ANSWER if status == Status.SENT else None
    return Outcome(row=row, status=status, final=True, ended_at=ended_at, tried=tried, answer=answer, error=error)


def settle(store: RunStore, *outcomes: Outcome) -> None:
    store.settle(outcomes, dedup_proven=False)


def states(path: Path) -> dict[int, tuple[str, int]]:
    with closing(sqlite3.connect(path)) as db:
        return {row: (state, attempts) for row, state, attempts in db.execute("SELECT row, state, attempts FROM sends")}


def killed_after(program: str, path: Path) -> int:
    """Let another process do something to a run and be killed; its id."""
    names = "from test_runfile import *\n"
    last_words = "\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    code = (
        f"import sys\nfrom pathlib import Path\npath = Path(sys.argv[1])\n{names}{textwrap.dedent(program)}{last_words}"
    )
    folders = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    arguments = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(arguments, env=os.environ | {"PYTHONPATH": folders}, stderr=subprocess.PIPE) as process:
        _, complaint = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL, complaint.decode()
    return process.pid


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---- planning ----


def test_a_plan_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    writer = PlanWriter(path)
    writer.add([pending(1), bad(2)])
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run.planning"]
    writer.finish(facts(), Findings(), {Status.PENDING: 1, Status.INVALID: 1}).release()
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run"]
    with RunReport(path) as run:
        assert run.facts == facts()
        assert run.tally().rows == 2
        assert not run.is_begun
        assert run.owner is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to tell which file is synced")
def test_a_plan_is_closed_and_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "campaign.run"
    order: list[str] = []
    real_fsync, real_rename = os.fsync, Path.rename

    def fsync(fd: int) -> None:
        order.append("fsync " + Path(f"/proc/self/fd/{fd}").readlink().name)
        real_fsync(fd)

    def rename(self: Path, target: Path) -> Path:
        order.append(f"rename to {target.name}")
        with closing(sqlite3.connect(f"{self.as_uri()}?mode=ro", uri=True)) as db:
            assert db.execute("SELECT count(*) FROM facts").fetchone() == (3,)
            assert db.execute("SELECT count(*) FROM messages").fetchone() == (3,)
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    planned(path, [pending(1), pending(2), bad(3)])
    assert order == ["fsync campaign.run.planning", "rename to campaign.run", f"fsync {tmp_path.name}"]


def test_a_discarded_plan_leaves_nothing_and_its_name_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    writer = PlanWriter(path)
    writer.add([pending(1)])
    writer.discard()
    assert list(tmp_path.iterdir()) == []
    crowd_of(path, 1)


def test_what_a_killed_planner_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    killed_after(
        """
        writer = PlanWriter(path)
        writer.add([pending(row, number(row)) for row in range(1, 50_001)])
        """,
        path,
    )
    assert not path.exists()
    assert (tmp_path / "campaign.run.planning").stat().st_size > 0
    crowd_of(path, 2)
    with RunReport(path) as run:
        assert run.tally().rows == 2
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run"]


def test_an_unfinished_plan_is_no_run_to_be_sent(tmp_path: Path) -> None:
    writer = PlanWriter(tmp_path / "campaign.run")
    writer.add([pending(1)])
    draft = tmp_path / "campaign.run.planning"
    with pytest.raises((UsageError, RunFileError)), RunReport(draft) as run:
        _ = run.facts
    writer.discard()


def test_two_planners_of_one_run_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    first = PlanWriter(path)
    with pytest.raises(OwnedError, match="another bulksend process is at work"):
        PlanWriter(path)
    first.discard()


def test_a_plan_never_replaces_a_run_that_somebody_is_sending(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    writer = PlanWriter(path)
    writer.add([pending(1, BEN)])
    with FileLock(path), opened(path) as store:
        store.begin([1], 1_000.0)
        with pytest.raises(OwnedError):
            writer.finish(facts("other"), Findings(), {})
        settle(store, outcome(1, Status.SENT))
    writer.discard()
    with RunReport(path) as run:
        assert run.tally().statuses[Status.SENT] == 1


def test_a_plan_never_replaces_a_run_that_began_while_it_was_made(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    writer = PlanWriter(path)
    writer.add([pending(1, BEN)])
    with FileLock(path), opened(path) as store:
        store.begin([1], 1_000.0)
        settle(store, outcome(1, Status.SENT))
    with pytest.raises((OwnedError, RunFileError, UsageError)):
        writer.finish(facts("other"), Findings(), {})
    writer.discard()
    with RunReport(path) as run:
        assert run.tally().statuses[Status.SENT] == 1


def test_what_a_killed_sender_left_beside_a_run_does_not_leak_into_the_next_plan(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(row, number(row)) for row in range(1, 500)], "old")
    killed_after("store = RunStore(path, by_parts=True, limit=None, now=1_000.0)", path)
    assert (tmp_path / "campaign.run-wal").stat().st_size > 0
    with RunReport(path) as run:
        assert not run.is_begun  # so it may be planned anew
    planned(path, [pending(1, ANA), pending(2, BEN)], "new")
    with RunReport(path) as run:
        assert run.facts.campaign == "new"
        assert run.owner is None
        assert run.tally().rows == 2
    with opened(path) as store:
        assert store.facts.campaign == "new"
        assert [item.recipient for item in store.claim(0, 10)] == [ANA, BEN]
        assert store.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_run_files_and_their_logs_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    before = os.umask(0)
    try:
        writer = PlanWriter(path)
        writer.add([pending(1)])
        assert mode(tmp_path / "campaign.run.planning") == 0o600
        writer.finish(facts(), Findings(), {}).release()
        assert mode(path) == 0o600
        with opened(path) as store:
            store.begin([1], 1_000.0)
            names = {file.name: mode(file) for file in tmp_path.iterdir()}
            assert names == {"campaign.run": 0o600, "campaign.run-wal": 0o600, "campaign.run-shm": 0o600}
    finally:
        os.umask(before)


@pytest.mark.parametrize("name", ["nowhere/campaign.run", "file/campaign.run"])
def test_a_run_file_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFileError, match=r"cannot be opened for writing: (No such file|Not a dir)"):
        PlanWriter(tmp_path / name)


# ---- other people's files ----


def test_a_text_file_is_no_run_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.run"
    path.write_text("to,message\n639171234567,hello\n" * 100)
    assert not is_run_file(path)
    with pytest.raises(UsageError, match="this is not a run file"):
        RunReport(path)
    with pytest.raises(UsageError, match="this is not a run file"):
        RunStore(path, by_parts=True, limit=None, now=1.0)
    assert path.read_text().startswith("to,message\n639171234567,hello\n")


def test_an_empty_file_and_a_folder_are_no_run_files(tmp_path: Path) -> None:
    (tmp_path / "empty.run").touch()
    with pytest.raises(UsageError, match="this is not a run file"):
        RunReport(tmp_path / "empty.run")
    with pytest.raises(UsageError, match="there is no such run file"):
        RunReport(tmp_path)
    with pytest.raises(UsageError, match="there is no such run file"):
        RunReport(tmp_path / "none.run")
    assert not is_run_file(tmp_path)
    assert not is_run_file(tmp_path / "none.run")


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE messages (row)")
    content = path.read_bytes()
    assert not is_run_file(path)
    with pytest.raises(UsageError, match="this is not a run file"):
        RunReport(path)
    with pytest.raises(UsageError, match="this is not a run file"):
        RunStore(path, by_parts=True, limit=None, now=1.0)
    assert path.read_bytes() == content


def test_a_run_file_of_another_version_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    assert is_run_file(path)
    says = rf"format {SCHEMA_VERSION + 1}, this one reads {SCHEMA_VERSION}"
    with pytest.raises(UsageError, match=says):
        RunReport(path)
    with pytest.raises(UsageError, match=says):
        RunStore(path, by_parts=True, limit=None, now=1.0)


def test_a_damaged_run_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2_000)
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xa5" * (path.stat().st_size - 4_096))
    with pytest.raises((RunFileError, UsageError)), RunReport(path) as run:
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


def test_the_sentence_names_the_owner(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with FileLock(path), opened(path), pytest.raises(OwnedError, match=rf"process {os.getpid()} on .+, since "):
        plans.own(path)


def test_a_lock_follows_its_file_to_a_new_name(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    writer = PlanWriter(path)
    writer.add([pending(1)])
    lock = writer.finish(facts(), Findings(), {})
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
        await first.begin([1], 1_000.0)
        with opened(path, now=2_000.0):
            with pytest.raises(OwnedError, match="taken this run over"):
                await first.begin([2], 1_001.0)
            with pytest.raises(OwnedError):
                await first.settle([outcome(1, Status.SENT)], dedup_proven=False)
    assert states(path) == {1: ("unknown", 1)}


def test_a_take_over_leaves_the_end_of_what_was_in_flight_unknown(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    pid = killed_after(
        """
        store = RunStore(path, by_parts=True, limit=None, now=1_000.0)
        store.begin([1, 2], 1_000.0)
        settle(store, outcome(1, Status.SENT))
        """,
        path,
    )
    with RunReport(path) as run:
        assert run.owner is not None
        assert run.owner.pid == pid
        assert run.tally().in_flight == 1
    with opened(path, now=2_000.0) as store:
        assert [item.row for item in store.unresolved(0.0)] == [2]
        assert [item.row for item in store.claim(0, 10)] == [3]
        with RunReport(path) as run:
            assert run.errors(Status.UNKNOWN, 5) == [(INTERRUPTED, 1, 2)]
            assert run.tally().in_flight == 0
    assert states(path) == {1: ("sent", 1), 2: ("unknown", 1)}


# ---- begin and settle ----


@pytest.mark.parametrize("status", [Status.SENT, Status.REJECTED])
def test_a_row_that_is_done_with_cannot_begin_again(tmp_path: Path, status: Status) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 2)) as store:
        store.begin([1], 1_000.0)
        settle(store, outcome(1, status))
        with pytest.raises(RunFileError, match="1 rows were to be sent that are sent or on their way"):
            store.begin([1], 1_002.0)


def test_a_row_in_flight_cannot_begin_again_not_even_twice_at_once(tmp_path: Path) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 2)) as store:
        store.begin([1], 1_000.0)
        with pytest.raises(RunFileError):
            store.begin([1], 1_001.0)
        with pytest.raises(RunFileError):
            store.begin([2, 2], 1_001.0)


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED, Status.UNKNOWN])
def test_a_row_that_was_not_accepted_for_sure_can_begin_again_and_its_attempts_count(
    tmp_path: Path, status: Status
) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 1)) as store:
        for attempt_number in (1, 2, 3):
            (attempt,) = store.begin([1], 1_000.0)
            assert attempt.number == attempt_number
            assert attempt.message.text == "text 1"
            settle(store, outcome(1, status))
    assert states(tmp_path / "campaign.run") == {1: (status, 3)}


def test_a_begun_row_is_its_message_as_planned(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(1, ContactId(5), parts=3, price=None), bad(2), pending(3)])
    with opened(path) as store:
        first, second = (attempt.message for attempt in store.begin([1, 3], 1_000.0))
    assert (first.row, first.recipient, first.sender, first.text, first.parts, first.price) == (
        1, 5, "ACME", "text 1", 3, None,
    )  # fmt: skip
    assert isinstance(first.recipient, int)
    assert (second.row, second.recipient, second.price) == (3, ANA, 20_000)


def test_an_outcome_of_a_row_that_is_not_in_flight_changes_nothing(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    with opened(path) as store:
        store.begin([1, 2], 1_000.0)
        settle(store, outcome(1, Status.SENT), outcome(2, Status.UNKNOWN, error="lost"))
        settle(store, outcome(1, Status.FAILED), outcome(2, Status.SENT), outcome(3, Status.SENT))
    assert states(path) == {1: ("sent", 1), 2: ("unknown", 1)}


def test_an_attempt_that_was_called_off_does_not_count(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with opened(path) as store:
        store.begin([1], 1_000.0)
        settle(store, outcome(1, Status.PENDING, tried=False))
        with RunReport(path) as run:
            assert run.tally().attempts == 0
            assert run.tally().statuses[Status.PENDING] == 1
        assert store.recent_sends(0.0, 5_000.0) == []
        (attempt,) = store.begin([1], 1_002.0)
        assert attempt.number == 1


# ---- claim, crowded, unresolved, recent ----


def test_claims_go_on_behind_a_row_in_input_order_and_pass_over_what_is_not_to_be_sent(tmp_path: Path) -> None:
    rows = [pending(row, number(row), parts=row % 3 + 1) for row in range(1, 11)]
    rows[3], rows[4] = bad(4), bad(5, "opted out", Status.SKIPPED)
    with opened(planned(tmp_path / "campaign.run", rows)) as store:
        store.begin([1, 2, 6, 7, 8], 1_000.0)
        settle(
            store,
            outcome(1, Status.SENT),
            outcome(2, Status.REJECTED),
            outcome(6, Status.FAILED),
            outcome(7, Status.UNKNOWN),
        )
        assert store.claim(0, 2) == [Queued(3, number(3), 1), Queued(6, number(6), 1)]
        assert [item.row for item in store.claim(6, 10)] == [9, 10]
        assert store.claim(10, 10) == []


def test_messages_count_one_slot_each_where_parts_do_not_count(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(row, ANA, parts=3) for row in range(1, 4)])
    with opened(path, by_parts=False) as store:
        assert [item.slots for item in store.claim(0, 10)] == [1, 1, 1]
        store.begin([1], 1_000.0)
        settle(store, outcome(1, Status.UNKNOWN))
        assert store.recent_sends(0.0, 5_000.0) == [(ANA, 1, 1_001.0)]
        assert store.unresolved(0.0) == [Queued(1, ANA, 1)]
        seen: dict[Recipient, int] = {}
        assert [item.slots for item in store.crowded(lambda who, slots: seen.setdefault(who, slots) > 2)] == [1, 1]
        assert seen == {ANA: 3}


def test_a_limit_is_of_the_first_pending_rows_whatever_is_done_already(tmp_path: Path) -> None:
    rows = [pending(row, ANA if row > 5 else number(row)) for row in range(1, 11)]
    rows[1] = bad(2)
    path = planned(tmp_path / "campaign.run", rows)
    with opened(path) as store:
        store.begin([1], 1_000.0)
        settle(store, outcome(1, Status.SENT))
    with opened(path, limit=5, now=2_000.0) as store:
        assert [item.row for item in store.claim(0, 100)] == [3, 4, 5, 6, 7]
        assert [item.row for item in store.crowded(lambda _, slots: slots > 3)] == [6, 7]
        assert [item.row for item in store.claim(0, 100)] == [3, 4, 5]
    with opened(path, limit=100, now=3_000.0) as store:
        assert [item.row for item in store.claim(0, 100)] == [3, 4, 5, 6, 7, 8, 9, 10]


def test_crowded_recipients_are_asked_for_once_and_never_claimed(tmp_path: Path) -> None:
    rows = [pending(1, ANA, 2), pending(2, BEN), pending(3, ANA, 3), pending(4, BEN), pending(5, number(5)), bad(6)]
    with opened(planned(tmp_path / "campaign.run", rows)) as store:
        asked: list[tuple[Recipient, int]] = []

        def is_crowded(recipient: Recipient, slots: int) -> bool:
            asked.append((recipient, slots))
            return slots > 4

        assert store.crowded(is_crowded) == [Queued(1, ANA, 2), Queued(3, ANA, 3)]
        assert sorted(asked) == [(ANA, 5), (BEN, 2)]
        assert [item.row for item in store.claim(0, 10)] == [2, 4, 5]


def test_a_number_and_a_contact_of_the_same_digits_are_two_recipients(tmp_path: Path) -> None:
    contact = ContactId(int(ANA))
    rows = [pending(1, ANA), pending(2, contact), pending(3, ANA), pending(4, contact), pending(5, ContactId(7))]
    path = planned(tmp_path / "campaign.run", rows)
    with opened(path) as store:
        assert [item.row for item in store.crowded(lambda who, _: isinstance(who, str))] == [1, 3]
        claimed = store.claim(0, 10)
        assert claimed == [Queued(2, contact, 1), Queued(4, contact, 1), Queued(5, ContactId(7), 1)]
        assert all(isinstance(item.recipient, int) for item in claimed)
        store.begin([2], 1_000.0)
        learned = Outcome(
            row=2, status=Status.SENT, final=True, ended_at=1_001.0, answer=ANSWER, learned=(contact, BEN)
        )
        settle(store, learned)
        assert store.claim(0, 10) == [Queued(4, BEN, 1), Queued(5, ContactId(7), 1)]
        assert store.recent_sends(0.0, 5_000.0) == [(BEN, 1, 1_001.0)]
        first, second = (attempt.message.recipient for attempt in store.begin([1, 4], 1_002.0))
        assert (first, second) == (ANA, contact)  # what is asked for stays what was planned
    with RunReport(path) as run:
        assert {(crowd.recipient, crowd.rows) for crowd in run.overview().crowds} == set()


def test_a_number_learned_of_a_contact_is_not_taken_for_that_of_a_phone_with_the_same_digits(tmp_path: Path) -> None:
    contact = ContactId(int(ANA))
    path = planned(tmp_path / "campaign.run", [pending(1, contact), pending(2, ANA), pending(3, ANA)])
    with opened(path) as store:
        store.begin([1, 3], 1_000.0)
        settle(store, Outcome(row=1, status=Status.SENT, final=True, ended_at=1_001.0, learned=(contact, BEN)))
        settle(store, outcome(3, Status.UNKNOWN))
        assert store.claim(0, 10) == [Queued(2, ANA, 1)]
        assert store.unresolved(0.0) == [Queued(3, ANA, 1)]
        assert store.recent_sends(0.0, 5_000.0) == [(BEN, 1, 1_001.0), (ANA, 1, 1_001.0)]
        assert store.crowded(lambda who, _: who == ANA) == [Queued(2, ANA, 1)]


def test_a_number_learned_is_known_to_the_next_process_too(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(1, ContactId(7)), pending(2, ContactId(7)), pending(3, ANA)])
    with opened(path) as store:
        store.begin([1], 1_000.0)
        settle(store, Outcome(row=1, status=Status.UNKNOWN, final=True, ended_at=1_001.0, learned=(ContactId(7), BEN)))
    with opened(path, now=2_000.0) as store:
        assert store.unresolved(0.0) == [Queued(1, BEN, 1)]
        assert store.recent_sends(0.0, 5_000.0) == [(BEN, 1, 1_001.0)]
        assert store.claim(0, 10) == [Queued(2, BEN, 1), Queued(3, ANA, 1)]
        assert store.crowded(lambda _, __: True) == [Queued(2, BEN, 1)]


def test_unresolved_are_the_unknown_that_began_lately(tmp_path: Path) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 4)) as store:
        for row, started_at in ((1, 100.0), (2, 200.0), (3, 300.0), (4, 300.0)):
            store.begin([row], started_at)
        settle(store, *(outcome(row, Status.UNKNOWN) for row in (1, 2, 3)))
        assert [item.row for item in store.unresolved(200.0)] == [2, 3]


def test_recent_sends_count_each_attempt_and_those_without_an_end_until_now(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(row, number(row), parts=row) for row in range(1, 5)])
    with opened(path) as store:
        store.begin([1, 2, 3], 1_000.0)
        settle(store, outcome(1, Status.UNKNOWN, ended_at=1_010.0), outcome(2, Status.SENT, ended_at=1_020.0))
        store.begin([1], 1_015.0)
        settle(store, outcome(1, Status.SENT, ended_at=1_016.0))
    with opened(path, now=2_000.0) as store:
        assert store.recent_sends(0.0, 2_001.0) == [
            (number(1), 2, 1_016.0),
            (number(2), 2, 1_020.0),
            (number(3), 3, 2_000.0),  # when the next owner found it
        ]
        assert store.recent_sends(1_020.0, 2_001.0) == [(number(2), 2, 1_020.0), (number(3), 3, 2_000.0)]
        assert store.recent_sends(2_000.5, 2_001.0) == []


def test_an_attempt_whose_end_nobody_saw_is_not_given_the_end_of_the_one_before(tmp_path: Path) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 1)) as store:
        store.begin([1], 1_000.0)
        settle(store, outcome(1, Status.UNKNOWN, ended_at=1_010.0))
        store.begin([1], 1_100.0)
        assert store.recent_sends(1_050.0, 1_130.0) == [(number(1), 2, 1_130.0)]


# ---- the journal ----


async def test_all_that_waits_is_committed_as_one_group(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1_000)
    statements: list[str] = []
    with journal_of(path) as (store, journal):
        store.db.set_trace_callback(statements.append)
        attempts = await asyncio.gather(*(journal.begin([row], 1_000.0) for row in range(1, 1_001)))
        await asyncio.gather(
            *(journal.settle([outcome(row, Status.SENT)], dedup_proven=False) for row in range(1, 1_001))
        )
        store.db.set_trace_callback(None)
        with RunReport(path) as run:
            assert run.tally().statuses[Status.SENT] == 1_000
    assert [attempt.message.row for (attempt,) in attempts] == list(range(1, 1_001))
    assert 2 <= statements.count("COMMIT") <= 100


@contextmanager
def held_up(path: Path) -> Iterator[None]:
    """Meanwhile nobody else can write: what is asked of the journal waits, and goes as one group then."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_one_commit_serves_all_that_came_while_the_last_one_was_under_way(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 101)
    statements: list[str] = []
    with journal_of(path) as (store, journal):
        store.db.set_trace_callback(statements.append)
        with held_up(path):
            calls = [asyncio.ensure_future(journal.begin([1], 1_000.0))]
            await asyncio.sleep(0.05)
            calls += [asyncio.ensure_future(journal.begin([row], 1_000.0)) for row in range(2, 102)]
            await asyncio.sleep(0.01)
        await asyncio.gather(*calls)
        store.db.set_trace_callback(None)
    assert statements.count("COMMIT") == 2
    assert len(states(path)) == 101


async def test_what_a_group_that_failed_was_to_note_can_be_noted_by_the_next(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    with journal_of(path) as (store, journal):
        await journal.begin([1], 1_000.0)
        with held_up(path):
            held = asyncio.ensure_future(journal.begin([2], 1_000.0))
            await asyncio.sleep(0.05)
            proof = asyncio.ensure_future(journal.settle([outcome(1, Status.SENT)], dedup_proven=True))
            refused = asyncio.ensure_future(journal.begin([2], 1_001.0))
            await asyncio.sleep(0.01)
        ends = await asyncio.gather(held, proof, refused, return_exceptions=True)
        assert [type(end) for end in ends] == [list, RunFileError, RunFileError]
        with RunReport(path) as run:
            assert run.tally().in_flight == 2
        await journal.settle([outcome(1, Status.SENT)], dedup_proven=True)
    with opened(path, now=2_000.0) as store:
        assert store.dedup_proven
        assert store.claim(0, 10) == [Queued(3, number(3), 1)]


async def test_a_commit_is_durable_before_its_caller_hears_of_it(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with journal_of(path) as (store, journal):
        assert store.db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        await journal.begin([1], 1_000.0)
        assert states(path) == {1: (IN_FLIGHT, 1)}


async def test_a_full_disk_fails_every_caller_of_the_group_and_none_of_it_is_noted(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 20_000)
    with journal_of(path) as (store, journal):
        (pages,) = store.db.execute("PRAGMA page_count").fetchone()
        store.db.execute(f"PRAGMA max_page_count = {pages + 2}")  # the disk is as good as full
        blocks = [list(range(first, first + 1_000)) for first in range(1, 20_000, 1_000)]
        begun = await asyncio.gather(
            *(journal.begin(rows, 1_000.0) for rows in blocks), journal.claim(0, 5), return_exceptions=True
        )
        failed = [each for each in begun if isinstance(each, BaseException)]
        assert failed
        assert {type(error) for error in failed} == {RunFileError}
        assert "the run file could not be written" in str(failed[0])
        noted = {row for rows, each in zip(blocks, begun, strict=False) if isinstance(each, list) for row in rows}
        with RunReport(path) as run:
            assert run.tally().in_flight == len(noted)
        store.db.execute("PRAGMA max_page_count = 1000000")
        left = next(rows for rows, each in zip(blocks, begun, strict=False) if isinstance(each, RunFileError))
        assert len(await journal.begin(left, 1_001.0)) == 1_000  # it goes on when there is room again


async def test_a_refused_row_fails_its_whole_group(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    with journal_of(path) as (_, journal):
        await journal.begin([1], 1_000.0)
        both = await asyncio.gather(
            journal.begin([2], 1_001.0), journal.begin([1], 1_001.0), return_exceptions=True
        )  # fmt: skip
        assert isinstance(both[1], RunFileError)
        expected = {1} if isinstance(both[0], BaseException) else {1, 2}
        assert set(states(path)) == expected


async def test_a_caller_that_gave_up_does_not_disturb_the_others(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    with journal_of(path) as (_, journal):
        calls = [asyncio.ensure_future(journal.begin([row], 1_000.0)) for row in (1, 2, 3)]
        await asyncio.sleep(0)
        calls[1].cancel()
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(each) for each in done] == [list, asyncio.CancelledError, list]
    assert set(states(path)) == {1, 2, 3}  # its intent was on its way: a take-over will say unknown


async def test_a_failure_whose_caller_gave_up_meanwhile_is_no_complaint_of_the_loops(tmp_path: Path) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    path = crowd_of(tmp_path / "campaign.run", 1)
    with journal_of(path) as (_, journal):
        await journal.begin([1], 1_000.0)
        with held_up(path):
            caller = asyncio.shield(journal.begin([1], 1_000.0))
            await asyncio.sleep(0)
            caller.cancel()
            await asyncio.sleep(0.01)
        with pytest.raises(RunFileError):
            await journal.begin([1], 1_000.0)
    gc.collect()
    assert complaints == []


async def test_closing_commits_what_still_waits(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 200)
    with journal_of(path) as (_, journal):
        calls = [asyncio.ensure_future(journal.begin([row], 1_000.0)) for row in range(1, 201)]
        await asyncio.sleep(0)
    assert len(states(path)) == 200
    assert len(await asyncio.gather(*calls)) == 200


async def test_proof_of_the_dedup_key_is_noted_once_and_kept(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2)
    with journal_of(path) as (store, journal):
        assert not store.dedup_proven
        await journal.begin([1, 2], 1_000.0)
        await journal.settle([outcome(1, Status.SENT)], dedup_proven=True)
        await journal.settle([outcome(2, Status.SENT)], dedup_proven=False)
    with opened(path, now=2_000.0) as store:
        assert store.dedup_proven


def test_after_an_orderly_end_one_plain_file_remains(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with opened(path) as store:
        store.begin([1], 1_000.0)
        settle(store, outcome(1, Status.SENT))
        assert (tmp_path / "campaign.run-wal").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run"]
    assert path.read_bytes()[18:20] == b"\x01\x01"  # no WAL is asked for, so that whoever may only read can open it
    with RunReport(path) as run:
        assert run.owner is None
        assert run.tally().statuses[Status.SENT] == 1


# ---- reading ----


async def test_a_run_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 400)
    seen: list[int] = []
    with journal_of(path) as (_, journal), RunReport(path) as kept_open:
        for row in range(1, 401, 20):
            rows = list(range(row, row + 20))
            await journal.begin(rows, 1_000.0)
            with RunReport(path) as run:
                assert run.tally().in_flight == 20
                assert run.owner is not None
                assert run.owner.pid == os.getpid()
            await journal.settle([outcome(each, Status.SENT) for each in rows], dedup_proven=False)
            seen.append(kept_open.tally().statuses[Status.SENT])
    assert seen == list(range(20, 401, 20))


async def test_a_long_reader_neither_blocks_the_writer_nor_sees_its_later_rows(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3_000)
    with journal_of(path) as (_, journal):
        with RunReport(path) as run:
            reading = run.results()
            assert next(reading)[1] == "pending"
            await asyncio.wait_for(journal.begin(list(range(1, 3_001)), 1_000.0), 5)
            assert Counter(record[1] for record in reading) == {"pending": 2_999}
        with RunReport(path) as run:
            assert Counter(record[1] for record in run.results()) == {IN_FLIGHT: 3_000}


def test_a_report_changes_nothing(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2)
    content = path.read_bytes()
    with RunReport(path) as run:
        run.tally(), run.overview(), run.errors(Status.INVALID, 3), list(run.results()), run.previews(3)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            run._db.execute("DELETE FROM messages")
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run"]


def test_previews_are_the_first_pending(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [bad(1), pending(2, ContactId(5)), pending(3), pending(4)])
    with RunReport(path) as run:
        assert run.previews(2) == (Preview(2, "contact 5", "ACME", "text 2"), Preview(3, ANA, "ACME", "text 3"))


RECIPIENTS: list[Recipient] = [ANA, BEN, number(1), ContactId(int(ANA)), ContactId(7)]
ENDS = [None, IN_FLIGHT, "called off", *(s for s in Status if s not in {Status.INVALID, Status.SKIPPED})]
PLANS = st.lists(
    st.tuples(
        st.sampled_from([Status.PENDING, Status.PENDING, Status.PENDING, Status.INVALID, Status.SKIPPED]),
        st.sampled_from(RECIPIENTS),
        st.integers(1, 7),
        st.sampled_from([None, 0, 20_000]),
        st.sampled_from(list(Encoding)),
        st.sampled_from(ENDS),
        st.integers(1, 3),  # attempts
        st.sampled_from(["", "x", "y"]),
        st.sampled_from([None, 0, 12_345]),  # charged
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS)
def test_the_report_says_what_counting_row_by_row_says(
    tmp_path_factory: pytest.TempPathFactory,
    plan: list[tuple[Status, Recipient, int, int | None, Encoding, str | None, int, str, int | None]],
) -> None:
    path = tmp_path_factory.mktemp("report") / "campaign.run"
    rows = [
        pending(row, recipient, parts, price)._replace(encoding=encoding)
        if status == Status.PENDING
        else bad(row, error, status)
        for row, (status, recipient, parts, price, encoding, _, _, error, _) in enumerate(plan, 1)
    ]
    planned(path, rows)
    final = {row.row: str(row.status) for row in rows}
    said = {row.row: row.error for row in rows}
    attempts = charged = 0
    with opened(path) as store:
        for planned_row, (_, _, _, _, _, end, tries, error, cost) in zip(rows, plan, strict=True):
            row = planned_row.row
            if planned_row.status != Status.PENDING or end is None:
                continue
            for _ in range(tries - 1):
                store.begin([row], 1_000.0)
                settle(store, outcome(row, Status.UNKNOWN, error="earlier"))
            store.begin([row], 1_000.0)
            attempts += tries
            if end == IN_FLIGHT:
                final[row] = "unknown"
                said[row] = "earlier" if tries > 1 else "its outcome was not noted yet"
                continue
            off = end == "called off"
            final[row] = Status.PENDING if off else end
            attempts -= off
            said[row] = error
            answer = Answer("S", 1, 1, "", "", "", None, None if cost is None else MicroUSD(cost))
            charged += cost or 0
            settle(
                store,
                Outcome(
                    row=row,
                    status=Status(final[row]),
                    final=True,
                    ended_at=1.0,
                    tried=not off,
                    answer=answer,
                    error=error,
                ),
            )
        with RunReport(path) as run:
            tally, overview = run.tally(), run.overview()
            errors = {status: run.errors(status, 100) for status in Status}
            records = list(run.results())
    assert {str(status): count for status, count in tally.statuses.items() if count} == Counter(final.values())
    assert tally.rows == len(rows)
    assert tally.attempts == attempts
    assert tally.charged == charged
    to_send = [row for row in rows if final[row.row] in {"pending", "failed"}]
    assert overview.rows == len(to_send)
    assert overview.parts == sum(row.parts for row in to_send)
    assert overview.by_parts == Counter(row.parts for row in to_send)
    assert overview.by_encoding == Counter(row.encoding for row in to_send)
    assert overview.price == sum(row.price or 0 for row in to_send)
    assert overview.unpriced == sum(row.price is None for row in to_send)
    crowds = Counter((type(row.recipient), row.recipient) for row in to_send)
    assert {(type(crowd.recipient), crowd.recipient): crowd.rows for crowd in overview.crowds} == {
        who: count for who, count in crowds.items() if count > 1
    }
    assert all(isinstance(crowd, Crowd) for crowd in overview.crowds)
    assert [crowd.parts for crowd in overview.crowds] == sorted(
        (crowd.parts for crowd in overview.crowds), reverse=True
    )  # fmt: skip
    for status in (Status.INVALID, Status.REJECTED, Status.FAILED, Status.UNKNOWN):
        expected = Counter(said[row] or "its outcome was not noted yet" for row in final if final[row] == status)
        assert {sentence: count for sentence, count, _ in errors[status]} == expected
    assert [record[0] for record in records] == [row.row for row in rows]


# ---- a run of the same command again ----


ADDRESS = Address(123, "https://api.engagespark.com")


def test_a_run_that_has_begun_goes_on_only_with_the_same_input_and_options(tmp_path: Path) -> None:
    sheet, path = tmp_path / "campaign.csv", tmp_path / "campaign.run"
    sheet.write_text("to,message\n639171234567,hello\n")
    options = PlanOptions()
    assert plans.reopen(path, str(sheet), options, ADDRESS, None) is None
    plans.plan(str(sheet), path, options, ADDRESS).release()
    assert plans.reopen(path, str(sheet), options, ADDRESS, None) is None  # nothing begun: it may be planned anew
    with opened(path) as store:
        store.begin([1], 1_000.0)
    lock = plans.reopen(path, str(sheet), options, ADDRESS, None)
    assert lock is not None
    lock.release()
    with pytest.raises(UsageError, match="another --org-id"):
        plans.reopen(path, str(sheet), options, Address(124, ADDRESS.base_url), None)
    with pytest.raises(UsageError, match="another message"):
        plans.reopen(path, str(sheet), PlanOptions(message="x"), ADDRESS, None)
    sheet.write_text("to,message\n639171234567,hello!\n")
    with pytest.raises(UsageError, match="another content of the input"):
        plans.reopen(path, str(sheet), options, ADDRESS, None)
    FileLock(path).release()  # none of them keeps the lock


def test_the_plan_of_a_bad_input_leaves_no_file(tmp_path: Path) -> None:
    sheet = tmp_path / "campaign.csv"
    for content in ("to,message\n", "message\nhello\n", "to,message\n639171234567,\x00\x01\x02\x03\n"):
        sheet.write_bytes(content.encode("latin-1"))
        with pytest.raises(UsageError):
            plans.plan(str(sheet), tmp_path / "campaign.run", PlanOptions(), ADDRESS)
        assert [file.name for file in tmp_path.iterdir()] == ["campaign.csv"]


def test_a_plan_keeps_its_columns_and_digest(tmp_path: Path) -> None:
    sheet, path = tmp_path / "c.jsonl", tmp_path / "c.run"
    sheet.write_bytes(orjson.dumps({"to": "639171234567", "message": "a", "New": 1}) + b"\n")
    plans.plan(str(sheet), path, PlanOptions(), ADDRESS, "mine").release()
    with RunReport(path) as run:
        assert run.facts.columns == ("to", "message", "New")
        assert run.facts.campaign == "mine"
        assert len(run.facts.input_digest) == 64
