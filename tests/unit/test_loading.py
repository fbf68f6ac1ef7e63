"""Rows are loaded into a plan, by whoever plans or by a process beside: what is read is what was given."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bulksend.model import ContactId, MicroUSD, PhoneNumber
from bulksend.planning import PlannedColumns, PlannedRecord
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.inserting import insert
from bulksend.runs.sqlite.loading import Loader
from bulksend.runs.sqlite.schema import SCHEMA

ROWS = 13_337
BATCH = 500
HERE, BESIDE = ROWS, BATCH
"""Up to how many rows no process is started."""


class Draft:
    """What is loaded into."""

    def __init__(self, path: Path, few: int) -> None:
        self.lock = FileLock(path)
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(f"PRAGMA journal_mode = OFF; {SCHEMA} BEGIN;")
        self.loader = Loader(self.db, path, self.lock, few)

    def load(self, rows: list[PlannedRecord]) -> None:
        for start in range(0, len(rows), BATCH):
            self.loader.add(PlannedColumns.of(rows[start : start + BATCH]))

    def close(self) -> None:
        self.loader.stop()
        self.db.close()
        self.lock.release()


@pytest.fixture
def draft(tmp_path: Path) -> Iterator[Callable[[int], Draft]]:
    made: list[Draft] = []

    def make(few: int) -> Draft:
        made.append(Draft(tmp_path / f"plan {len(made)}", few))
        return made[-1]

    yield make
    for each in made:
        each.close()


def record(row: int) -> PlannedRecord:
    """Rows that have much in common with those around them, and now and then nothing."""
    recipient = ContactId(row) if row % 997 == 0 else None if row % 1009 == 0 else PhoneNumber(f"63917{row:07}")
    status, error = ("invalid", f"odd {row}") if row % 1013 == 0 else ("pending", "")
    encoding, parts = ("ucs2", 1 + row % 3) if 11_000 < row < 12_000 else ("gsm7", 1)
    sender = None if row < 10_800 else "Shop"
    price = None if row % 4_001 == 0 else MicroUSD(16_000 * parts)
    return (row, status, recipient, sender, f"Hi {row % 7} ñ", encoding, parts, price, error, b'["Las Pi\xc3\xb1as"]')


def records(first: int, last: int) -> list[PlannedRecord]:
    return [record(row) for row in range(first, last + 1)]


def process_of(loader: Loader) -> int:
    """The id of the process that writes."""
    process = loader._process
    assert process
    return process.pid


@pytest.mark.parametrize("few", [HERE, BESIDE], ids=["here", "beside"])
def test_what_is_loaded_is_what_was_given(draft: Callable[[int], Draft], few: int) -> None:
    here, rows = draft(few), records(1, ROWS)
    here.load(rows)
    here.loader.settle()
    assert here.db.in_transaction
    assert here.db.execute("SELECT * FROM messages ORDER BY row").fetchall() == rows


def test_a_draft_is_the_same_whoever_writes_it(draft: Callable[[int], Draft]) -> None:
    dumps = []
    for few in (HERE, BESIDE):
        into = draft(few)
        into.load(records(1, ROWS))
        into.loader.settle()
        dumps.append(list(into.db.iterdump()))
        assert into.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(dumps[0]) > ROWS
    assert dumps[0] == dumps[1]


def test_rows_may_come_after_others_were_settled(draft: Callable[[int], Draft]) -> None:
    beside, rows = draft(BESIDE), records(1, ROWS)
    for part in (rows[:3_000], rows[3_000:6_000], rows[6_000:]):
        beside.load(part)
        beside.loader.settle()
    assert beside.db.execute("SELECT * FROM messages ORDER BY row").fetchall() == rows


@pytest.mark.parametrize("few", [HERE, BESIDE], ids=["here", "beside"])
def test_a_row_that_cannot_be_written_is_told_at_the_latest_when_all_are_to_be_in(
    draft: Callable[[int], Draft], few: int
) -> None:
    into = draft(few)
    with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE constraint failed: messages\.row"):
        load_and_settle(into, [*records(1, ROWS - BATCH), record(1_000)])


def test_what_cannot_be_written_is_told_though_more_comes_than_a_pipe_holds(draft: Callable[[int], Draft]) -> None:
    beside = draft(BESIDE)
    with pytest.raises(sqlite3.IntegrityError):
        beside.load([*records(1, 1_000), record(1_000), *records(1_001, ROWS)])


@pytest.mark.parametrize("rows_before", [BATCH + 1, 3_000, ROWS])
def test_where_the_writing_process_is_killed_that_is_told_and_nothing_hangs(
    draft: Callable[[int], Draft], rows_before: int
) -> None:
    beside, rows = draft(BESIDE), records(1, 2 * ROWS)
    beside.load(rows[:rows_before])
    os.kill(process_of(beside.loader), signal.SIGKILL)
    with pytest.raises(ChildProcessError, match=r"^the process that writes it was killed \(signal 9\)$"):
        load_and_settle(beside, rows[rows_before:])


def test_a_loader_that_is_stopped_leaves_no_process_and_the_draft_to_its_lock(
    draft: Callable[[int], Draft], tmp_path: Path
) -> None:
    beside = draft(BESIDE)
    beside.load(records(1, ROWS))
    process = process_of(beside.loader)
    beside.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    FileLock(tmp_path / "plan 0").release()


def test_few_rows_start_no_process(draft: Callable[[int], Draft]) -> None:
    here = draft(HERE)
    here.load(records(1, ROWS))
    assert here.loader._process is None


def load_and_settle(into: Draft, rows: list[PlannedRecord]) -> None:
    into.load(rows)
    into.loader.settle()


def test_rows_that_were_not_kept_are_told_also_where_nobody_hears_how_processes_end(
    draft: Callable[[int], Draft],
) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as a service may have it, and its programs after it
    try:
        beside = draft(BESIDE)
        beside.load(records(1, 1_000))
        writer = process_of(beside.loader)
        os.kill(writer, signal.SIGSTOP)
        beside.load([record(1_000)])  # and that is the last that it finds out
        threading.Timer(0.5, os.kill, (writer, signal.SIGCONT)).start()
        with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE constraint failed: messages\.row"):
            beside.loader.settle()
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize("program", ["/nowhere/python", ""])
def test_where_no_process_can_be_started_whoever_plans_writes_all(
    draft: Callable[[int], Draft], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    here, rows = draft(BESIDE), records(1, ROWS)
    here.load(rows)
    here.loader.settle()
    assert here.db.in_transaction
    assert here.db.execute("SELECT * FROM messages ORDER BY row").fetchall() == rows


def test_a_program_that_is_no_python_keeps_no_rows_and_is_told(
    draft: Callable[[int], Draft], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "app"  # as where Python is part of another program
    program.write_text("#!/bin/sh\necho usage: app\ncat >/dev/null\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    beside = draft(BESIDE)
    with pytest.raises(ChildProcessError, match=r"^the process that writes it ended half-way \(0\)$"):
        load_and_settle(beside, records(1, ROWS))


def test_rows_are_loaded_as_few_values_at_once_as_the_oldest_sqlite_takes(draft: Callable[[int], Draft]) -> None:
    into = draft(HERE)
    into.db.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)  # until 3.32
    columns: list[object] = [list(range(1, 201)), *[[f"{row}" for row in range(200)] for _ in range(9)]]
    insert(into.db, columns)
    assert into.db.execute("SELECT count(*) FROM messages").fetchone() == (200,)
