"""The journal in a run file: commits in groups, on a thread of its own."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from runfiles import begin, crowd_of, journal_of, notes_of, number, opened, outcome, own, settle, states

from bulksend.errors import RunFileError
from bulksend.model import (
    Queued,
    Status,
)
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.states import State


async def test_all_that_waits_is_committed_as_one_group(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1_000)
    statements: list[str] = []
    with journal_of(path) as (owned, journal):
        owned._db.set_trace_callback(statements.append)
        attempts = await asyncio.gather(*(journal.begin([row], 1_000.0) for row in range(1, 1_001)))
        await asyncio.gather(*(journal.settle([outcome(row, Status.SENT)], turn=0) for row in range(1, 1_001)))
        owned._db.set_trace_callback(None)
        with SqliteRun.open(path) as run:
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
    with journal_of(path) as (owned, journal):
        owned._db.set_trace_callback(statements.append)
        with held_up(path):
            calls = [asyncio.ensure_future(journal.begin([1], 1_000.0))]
            await asyncio.sleep(0.05)
            calls += [asyncio.ensure_future(journal.begin([row], 1_000.0)) for row in range(2, 102)]
            await asyncio.sleep(0.01)
        await asyncio.gather(*calls)
        owned._db.set_trace_callback(None)
    assert statements.count("COMMIT") == 2
    assert len(states(path)) == 101


async def test_what_a_group_that_failed_was_to_note_can_be_noted_by_the_next(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    with journal_of(path) as (_, journal):
        await journal.begin([1], 1_000.0)
        with held_up(path):
            held = asyncio.ensure_future(journal.begin([2], 1_000.0))
            await asyncio.sleep(0.05)
            proof = asyncio.ensure_future(journal.settle([outcome(1, Status.SENT)], turn=1))
            refused = asyncio.ensure_future(journal.begin([2], 1_001.0))
            await asyncio.sleep(0.01)
        ends = await asyncio.gather(held, proof, refused, return_exceptions=True)
        assert [type(end) for end in ends] == [list, RunFileError, RunFileError]
        for attempt in await held:
            journal.leaves(attempt)
        with SqliteRun.open(path) as run:
            assert run.tally().in_flight == 2
        await journal.settle([outcome(1, Status.SENT)], turn=1)
    with own(path, now=2_000.0) as run:
        assert run.turn == 1
        assert notes_of(run).claim(0, 10) == [Queued(3, number(3), 1)]


async def test_a_commit_is_durable_before_its_caller_hears_of_it(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with journal_of(path) as (owned, journal):
        assert owned._db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert owned._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        await journal.begin([1], 1_000.0)
        assert states(path) == {1: (State.IN_FLIGHT, 1)}


async def test_a_full_disk_fails_every_caller_of_the_group_and_none_of_it_is_noted(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 20_000)
    with journal_of(path) as (owned, journal):
        (pages,) = owned._db.execute("PRAGMA page_count").fetchone()
        owned._db.execute(f"PRAGMA max_page_count = {pages + 2}")  # the disk is as good as full
        blocks = [list(range(first, first + 1_000)) for first in range(1, 20_000, 1_000)]
        begun = await asyncio.gather(
            *(journal.begin(rows, 1_000.0) for rows in blocks), journal.claim(0, 5), return_exceptions=True
        )
        failed = [each for each in begun if isinstance(each, BaseException)]
        assert failed
        assert {type(error) for error in failed} == {RunFileError}
        assert "the run file could not be written" in str(failed[0])
        noted = {row for rows, each in zip(blocks, begun, strict=False) if isinstance(each, list) for row in rows}
        with SqliteRun.open(path) as run:
            assert run.tally().in_flight == len(noted)
        owned._db.execute("PRAGMA max_page_count = 1000000")
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


async def test_outcomes_that_could_not_be_noted_are_not_taken_for_noted(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2)
    with own(path) as run:
        journal = run.journal()
        attempts = await journal.begin([1, 2], 1_000.0)
        journal.leaves(attempts[0])
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("CREATE TRIGGER broken BEFORE UPDATE ON sends BEGIN SELECT RAISE(ABORT, 'no'); END")
        with pytest.raises(RunFileError):
            await journal.settle([outcome(1, Status.SENT), outcome(2, Status.SENT)], turn=0)
        journal.close()
        seen = run.tally()
        assert (seen.in_flight, seen.statuses[Status.UNKNOWN], seen.statuses[Status.PENDING]) == (0, 1, 1)
    with SqliteRun.open(path) as reader:
        assert reader.tally() == seen


async def test_closing_commits_what_still_waits(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 200)
    with journal_of(path) as (_, journal):
        calls = [asyncio.ensure_future(journal.begin([row], 1_000.0)) for row in range(1, 201)]
        await asyncio.sleep(0)
    assert len(states(path)) == 200
    assert len(await asyncio.gather(*calls)) == 200


async def test_proof_of_the_dedup_key_is_noted_once_and_kept(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2)
    with journal_of(path) as (owned, journal):
        assert owned.turn == 0
        await journal.begin([1, 2], 1_000.0)
        await journal.settle([outcome(1, Status.SENT)], turn=1)
        await journal.settle([outcome(2, Status.SENT)], turn=0)
    with own(path, now=2_000.0) as run:
        assert run.turn == 1


def test_after_an_orderly_end_one_plain_file_remains(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with opened(path) as notes:
        begin(notes, [1], 1_000.0)
        settle(notes, outcome(1, Status.SENT))
        assert (tmp_path / "campaign.run-wal").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run"]
    assert path.read_bytes()[18:20] == b"\x01\x01"  # no WAL is asked for, so that whoever may only read can open it
    with SqliteRun.open(path) as run:
        assert run.owner is None
        assert run.tally().statuses[Status.SENT] == 1
