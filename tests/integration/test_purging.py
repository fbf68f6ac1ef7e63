"""A purge that is cut off says so and is finished; nothing of a run file is forgotten to be purged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from runfiles import ANA, begin, killed_after, opened, outcome, own, pending, planned, settle

from bulksend.errors import RunFileError
from bulksend.model import Status
from bulksend.runs import open_run
from bulksend.runs.ends import Purge
from bulksend.runs.sqlite.purging import FORGET

TEXT = b"text 1"  # of row 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A run of which all was sent."""
    path = planned(tmp_path / "campaign.run", [pending(row) for row in range(1, 50)])
    with opened(path) as notes:
        begin(notes, list(range(1, 50)), 1_001.0)
        settle(notes, *(outcome(row, Status.SENT) for row in range(1, 50)))
    return path


def holds(path: Path) -> bool:
    beside = path.parent.glob(f"{path.name}*")
    return any(secret in each.read_bytes() for each in beside for secret in (TEXT, ANA.encode(), b'["a","b"]'))


def test_every_table_of_a_run_file_is_purged(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(FORGET) == tables  # a new one may hold numbers or texts: say what becomes of it


def test_a_purge_leaves_the_counts_and_no_byte_of_what_it_took(path: Path) -> None:
    assert holds(path)
    with own(path, 5_000.0) as run:
        before = run.tally()
        run._db.execute("PRAGMA secure_delete = OFF")  # as SQLite is built on most machines
        run.forget(5_000.0)
    assert not holds(path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    with open_run(path) as looked:
        assert looked.tally() == before
        assert looked.purge == Purge(5_000.0, is_whole=True)
        assert list(looked.arrived(0.0)) == []
        assert list(looked.recent_sends(0.0, 5_000.0)) == []


def test_a_purge_that_was_cut_off_says_so_and_the_next_one_finishes_it(path: Path) -> None:
    killed_after(
        """
        from bulksend.runs.sqlite import purging
        run = own(path, 5_000)
        with run._writing():
            purging.forget(run._db, 5_000)
        """,
        path,
    )
    assert holds(path)  # its log was not brought in
    with open_run(path) as run:
        assert run.purge == Purge(5_000.0, is_whole=False)
    with own(path, 6_000.0) as run:
        run.forget(6_000.0)
    assert not holds(path)
    with open_run(path) as run:
        assert run.purge == Purge(5_000.0, is_whole=True)


def test_where_somebody_reads_the_run_its_purge_is_not_called_done(path: Path) -> None:
    reader = sqlite3.connect(path, isolation_level=None)
    with own(path, 5_000.0) as run:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()
        run._db.execute("PRAGMA busy_timeout = 100")
        with pytest.raises(RunFileError, match="another process is reading this run"):
            run.forget(5_000.0)
        reader.close()
    with open_run(path) as looked:
        assert looked.purge == Purge(5_000.0, is_whole=False)
    with own(path, 6_000.0) as run:
        run.forget(6_000.0)
    assert not holds(path)
