"""A run file alone is whole or says that it is not, whatever became of its log."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from runfiles import begin, crowd_of, journal_of, killed_after, notes_of, outcome, own, settle, states

from bulksend.errors import RunFileError, UsageError
from bulksend.model import Status
from bulksend.runs.sqlite.log import log_of, misses_log
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.sqlite.whole import departures_of

MISSING = "a part of this run is missing"


def alone(path: Path) -> Path:
    """A copy of the file without its log."""
    folder = path.parent / "alone"
    folder.mkdir()
    return Path(shutil.copy(path, folder))


def test_a_run_that_ended_in_order_is_one_plain_file(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 2)
    own(path).close()
    SqliteRun.open(alone(path)).close()


def test_a_run_that_ended_while_it_was_read_needs_its_log_until_that_is_brought_in(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 2)
    run = own(path)
    with SqliteRun.open(path) as reader:
        reading = reader._db.execute("SELECT row FROM messages")
        reading.fetchone()
        notes = notes_of(run)
        begin(notes, [1], 1_000.0)
        settle(notes, outcome(1, Status.SENT))
        run.close()
        assert log_of(path).exists()
        reading.close()
    with pytest.raises(UsageError, match=MISSING):
        SqliteRun.open(alone(path))
    assert states(path) == {1: ("sent", 1)}  # this reads for writing, and so brings the log into the file
    assert misses_log(path)
    SqliteRun.open(path).close()
    own(path).close()
    assert not misses_log(path)


def test_a_run_killed_before_anything_left_is_whole_without_its_log(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 2)
    killed_after("own(path)", path)
    SqliteRun.open(alone(path)).close()


def test_where_nobody_knows_what_left_a_killed_runs_file_is_refused_without_its_log(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 2)
    killed_after("own(path)", path)
    with SqliteRun.open(path) as run:
        departures_of(run._db).unlink()
    with pytest.raises(UsageError, match=MISSING):
        SqliteRun.open(alone(path))


def test_what_left_after_the_log_was_last_brought_in_is_missing_without_it(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 20)
    killed_after(
        """
        run = own(path)
        notes = notes_of(run)
        begin(notes, [*range(1, 11)], 2_000.0)
        run._db.execute("PRAGMA wal_checkpoint(FULL)")
        begin(notes, [11], 2_000.0)
        """,
        path,
    )
    with pytest.raises(UsageError, match=MISSING):
        SqliteRun.open(alone(path))


def test_another_program_may_bring_a_killed_runs_log_into_the_file(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 20)
    killed_after("begin(notes_of(own(path)), [*range(1, 11)], 2_000.0)", path)
    states(path)
    assert misses_log(path)
    with own(path) as run:
        assert run.tally().statuses[Status.UNKNOWN] == 10


def test_an_owner_that_is_killed_before_it_notes_anything_leaves_a_whole_file(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 2)
    killed_after(
        """
        import os, signal, sqlite3
        class Dying(sqlite3.Connection):
            def executescript(self, script):
                super().executescript("PRAGMA journal_mode = WAL")
                os.kill(os.getpid(), signal.SIGKILL)
        connect = sqlite3.connect
        sqlite3.connect = lambda *args, **kwargs: connect(*args, **kwargs, factory=Dying)
        own(path)
        """,
        path,
    )
    assert misses_log(path)
    SqliteRun.open(path).close()
    own(path).close()


def removed(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def replaced(path: Path) -> None:
    content = path.read_bytes()
    path.rename(path.with_name("elsewhere"))
    path.write_bytes(content)


@pytest.mark.parametrize("what", [removed, moved, replaced])
@pytest.mark.parametrize("name", ["the file", "its log"])
async def test_no_intent_is_noted_where_nobody_would_find_it(
    tmp_path: Path, what: Callable[[Path], None], name: str
) -> None:
    path = crowd_of(tmp_path / "c.run", 3)
    with journal_of(path) as (_, journal):
        await journal.begin([1], 1_000.0)
        what(path if name == "the file" else log_of(path))
        with pytest.raises(RunFileError, match="was moved, removed or replaced while it was sent"):
            await journal.begin([2], 1_000.0)
        await journal.settle([outcome(1, Status.SENT)], turn=0)  # what is known is noted all the same
        assert [item.row for item in await journal.claim(0, 9)] == [2, 3]


def test_other_programs_files_are_not_taken_for_runs(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (x);")
    with pytest.raises(UsageError, match="this is not a run file"):
        SqliteRun.open(path)


def test_a_reader_that_comes_while_the_owner_comes_or_goes_is_not_sent_away(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 50)
    is_over = threading.Event()
    failures: list[Exception] = []

    def read() -> None:
        while not is_over.is_set():
            try:
                with SqliteRun.open(path) as run:
                    run.has_begun  # noqa: B018 -- it is asked of the file
            except Exception as error:  # noqa: BLE001 -- the test tells it
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for row in range(1, 31):
        with own(path) as run:
            notes = notes_of(run)
            begin(notes, [row], 2_000.0)
            settle(notes, outcome(row, Status.SENT))
    is_over.set()
    reader.join()
    assert [str(failure) for failure in failures if isinstance(failure, UsageError)] == []
