"""Somebody asks the owner of a run file to end: noted beside it, and without harm to what it leaves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from runfiles import crowd_of, killed_after, own

from bulksend.runs.sqlite import ask_to_end, log_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return crowd_of(tmp_path / "campaign.run", 10)


def test_whoever_asks_twice_hears_when_it_was_asked_first(path: Path) -> None:
    with own(path) as run:
        assert run.asked_at is None
        first, second = ask_to_end(path, 1_010.0), ask_to_end(path, 1_020.0)
        assert first
        assert second
        assert (first.at_s, first.is_anew, second.at_s, second.is_anew) == (1_010.0, False, 1_010.0, True)
        assert run.asked_at == 1_010.0
    with own(path) as run:
        assert run.asked_at is None


def test_nobody_is_asked_where_nobody_sends(path: Path) -> None:
    before = path.read_bytes()
    assert ask_to_end(path, 1_010.0) is None
    own(path).close()
    assert ask_to_end(path, 1_010.0) is None
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert before[:16] == path.read_bytes()[:16]


def test_a_killed_owners_log_stays_beside_its_file(path: Path) -> None:
    """Who asks may not see that the owner is gone; its file without its log would be refused after the next start."""
    killed_after(
        """
        with opened(path) as notes:
            begin(notes, [1], 1_001)
            notes.db.execute("BEGIN")
            notes.db.execute("UPDATE facts SET value = json_set(value, '$.host', 'elsewhere') WHERE name = 'owner'")
            notes.db.execute("COMMIT")
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
    )
    log = log_of(path).stat().st_size
    asked = ask_to_end(path, 1_010.0)
    assert asked
    assert asked.owner
    assert asked.owner.host == "elsewhere"
    assert log_of(path).stat().st_size > log
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        [(noted,)] = db.execute("SELECT value FROM facts WHERE name = 'asked to end'")
    assert orjson.loads(noted) == [1, 1_010.0]
