"""Many rows are loaded into a plan beside whoever makes the next ones: what is read is what was given."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulksend.model import ContactId, MicroUSD, PhoneNumber
from bulksend.planning import PlannedRecord
from bulksend.runs.sqlite.loading import Loader
from bulksend.runs.sqlite.schema import SCHEMA

ROWS = 13_337
BATCH = 500


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(tmp_path / "plan", isolation_level=None, check_same_thread=False)
    db.executescript(SCHEMA)
    yield db
    db.close()


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


def load(loader: Loader, rows: list[PlannedRecord]) -> None:
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        loader.add(iter(some), len(some))


def test_what_is_loaded_is_what_was_given(db: sqlite3.Connection) -> None:
    loader, rows = Loader(db), records(1, ROWS)
    load(loader, rows)
    loader.settle()
    assert db.execute("SELECT * FROM messages ORDER BY row").fetchall() == rows
    loader.stop()


def test_a_row_that_cannot_be_written_is_told_at_the_latest_when_all_are_to_be_in(db: sqlite3.Connection) -> None:
    loader = Loader(db)
    load(loader, [*records(1, ROWS), record(ROWS)])
    with pytest.raises(sqlite3.IntegrityError):
        loader.settle()
    loader.stop()


def test_a_loader_that_is_stopped_leaves_the_rest_and_the_interpreter_as_it_was(db: sqlite3.Connection) -> None:
    loader, before = Loader(db), sys.getswitchinterval()
    load(loader, records(1, ROWS))
    loader.stop()
    assert sys.getswitchinterval() == before
    rows = [row for (row,) in db.execute("SELECT row FROM messages ORDER BY row")]
    assert rows == list(range(1, len(rows) + 1))
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
