"""Results that are renewed are those that would be written from nothing, whatever happened to the run or the file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from runfiles import ANSWER, begin, crowd_of, killed_after, notes_of, outcome, own, settle

from bulksend.model import Event, Reached, Receipt, Status
from bulksend.reports import renew_results, renewing, results, write_results
from bulksend.runs import BLOCK
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.sqlite.schema import FORMAT, show

ROWS = 4 * BLOCK + 500
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 -- only mkdtemp makes something in it


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "_MANY", 2 * BLOCK)


@pytest.fixture(scope="session")
def plan() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield crowd_of(Path(folder) / "a.run", ROWS)


@pytest.fixture
def run(plan: Path, tmp_path: Path) -> Iterator[OwnSqliteRun]:
    path = tmp_path / "june.run"
    shutil.copy(plan, path)
    with own(path) as run:
        yield run


def anew(run: SqliteRun, like: Path) -> bytes:
    path = like.with_name(f"anew{like.suffix}")
    write_results(run, path)
    return path.read_bytes()


def made(run: OwnSqliteRun, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """Renew results; the rows that were made for that, and not copied."""
    found: list[range] = []

    def watched(run: OwnSqliteRun, path: Path, rows: range) -> Iterator[tuple[object, ...]]:
        found.append(rows)
        return results.records_of(run, path, rows)

    with monkeypatch.context() as patched:
        patched.setattr(renewing, "records_of", watched)
        renew_results(run, path)
    return found


def send(run: OwnSqliteRun, row: int, status: Status | None, error: str = "no", now_s: float = 1_000.0) -> None:
    """Begin a row if it can be begun; None: it stays under way."""
    notes = notes_of(run)
    if row in {queued.row for queued in notes.claim(row - 1, 1)}:
        begin(notes, [row], now_s)
        if status is not None:
            settle(notes, outcome(row, status, error="" if status is Status.SENT else error))


class Happening(NamedTuple):
    """What happens to a run, and where that matters, to which row, how, and with what words."""

    what: str
    row: int
    status: Status
    says: str
    is_wanted: bool


HAPPENINGS = st.builds(
    Happening,
    st.sampled_from(["sent"] * 4 + ["hung", "decided", "left out", "told", "killed", "reopened", "taken up"])
    | st.sampled_from(["closed", "purged"]),
    st.integers(1, ROWS),
    st.sampled_from([Status.SENT, Status.REJECTED, Status.FAILED, Status.PENDING, Status.UNKNOWN]),
    st.text('aé\n,"=', max_size=9),
    st.booleans(),
)
TOUCHES = st.sampled_from(["nothing"] * 6 + ["gone", "longer", "other", "replaced"])


class Life:
    """A run that things happen to."""

    def __init__(self, folder: Path, plan: Path) -> None:
        self.place = folder / "june.run"
        shutil.copy(plan, self.place)
        self.now_s = 1_000.0
        self.run = own(self.place, self.now_s)

    def happens(self, it: Happening) -> None:
        self.now_s += 10
        run = self.run
        match it.what:
            case "sent":
                send(run, it.row, it.status, it.says, self.now_s)
            case "hung":
                send(run, it.row, None, now_s=self.now_s)
            case "decided":
                run.decide([each.row for each in run.in_doubt()][:1], resend=it.is_wanted)
            case "left out":
                run.leave_out([(it.row, it.says)], Event.LEFT_OUT, self.now_s)
            case "told":
                run.receipts.awaited().note([Receipt(ANSWER.message_id, it.is_wanted, Reached.FAILED, it.says, None)])
            case "taken up":
                run.take_up()
            case "closed":
                run.close_rows(it.says, self.now_s)
            case "purged":
                run.forget(self.now_s)
            case "reopened":
                run.close()
                self.run = own(self.place, self.now_s)
            case "killed":
                run._db.close()
                run._lock.release()
                self.run = own(self.place, self.now_s)


def touch(path: Path, how: str) -> None:
    """Somebody else has to do with the file."""
    if not path.exists() or how == "nothing":
        return
    content = path.read_bytes()
    if how == "other":
        with path.open("r+b") as file:
            file.write(content[:-3] + b"?")
    elif how == "longer":
        with path.open("ab") as file:
            file.write(b"a line\n")
    else:
        path.unlink()
        if how == "replaced":
            path.write_bytes(content)


@settings(max_examples=examples(30), deadline=None)
@given(
    script=st.lists(st.tuples(st.lists(HAPPENINGS, max_size=4), TOUCHES), min_size=1, max_size=5),
    ending=st.sampled_from([".csv", ".jsonl"]),
)
def test_what_is_renewed_is_what_would_be_written_from_nothing(
    plan: Path, script: list[tuple[list[Happening], str]], ending: str
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        life = Life(Path(folder), plan)
        path = Path(folder) / f"june.results{ending}"
        for happenings, how in script:
            for each in happenings:
                life.happens(each)
            touch(path, how)
            renew_results(life.run, path)
            assert path.read_bytes() == anew(life.run, path)
        life.run.close()


def test_only_what_has_changed_is_made_anew(run: OwnSqliteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "june.results.csv"
    send(run, 2, Status.SENT)
    assert len(made(run, path, monkeypatch)) == 5
    assert made(run, path, monkeypatch) == []
    send(run, 2 * BLOCK, Status.SENT)
    send(run, ROWS, Status.SENT)
    assert made(run, path, monkeypatch) == [range(2 * BLOCK, 3 * BLOCK), range(4 * BLOCK, 5 * BLOCK)]
    assert path.read_bytes() == anew(run, path)
    send(run, 3 * BLOCK, Status.SENT)  # the last block is copied from behind this one, which was copied from elsewhere
    assert made(run, path, monkeypatch) == [range(3 * BLOCK, 4 * BLOCK)]
    assert path.read_bytes() == anew(run, path)


def test_the_first_receipt_brings_columns_and_each_later_one_is_a_change(run: OwnSqliteRun, tmp_path: Path) -> None:
    path = tmp_path / "june.results.csv"
    send(run, 2, Status.SENT)
    renew_results(run, path)
    for told in (Reached.UNKNOWN, Reached.FAILED):
        run.receipts.awaited().note([Receipt(ANSWER.message_id, None, told, f"so far {told}", None)])
        renew_results(run, path)
        assert path.read_bytes() == anew(run, path)
        assert f"so far {told}".encode() in path.read_bytes()


def test_a_change_by_a_program_that_knows_nothing_of_this_is_seen(
    run: OwnSqliteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "june.results.csv"
    send(run, BLOCK + 1, Status.REJECTED)
    renew_results(run, path)
    with closing(sqlite3.connect(run.path, isolation_level=None)) as db:
        db.execute("UPDATE OR IGNORE sends SET error = 'another'")
        db.execute("INSERT OR REPLACE INTO sends (row, state, attempts, started_at) VALUES (7, 'failed', 1, 0)")
        db.execute("INSERT OR REPLACE INTO sends (row, state, attempts, started_at) VALUES (8, 'failed', 1, 0)")
    assert made(run, path, monkeypatch) == [range(1, BLOCK), range(BLOCK, 2 * BLOCK)]
    assert path.read_bytes() == anew(run, path)


def test_the_results_of_few_rows_are_written_anew_and_cost_sending_nothing(
    run: OwnSqliteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing, "_MANY", ROWS + 1)
    path = tmp_path / "june.results.csv"
    renew_results(run, path)
    assert path.read_bytes() == anew(run, path)
    assert run._db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone() == (0,)


@pytest.mark.parametrize("point", ["before results are named", "before they are noted"])
def test_after_a_kill_the_next_are_right(plan: Path, tmp_path: Path, point: str) -> None:
    place, path = tmp_path / "june.run", tmp_path / "june.results.csv"
    shutil.copy(plan, place)
    program = f"""
    import os, signal
    from bulksend.reports import renew_results, renewing
    from bulksend.runs.sqlite.results_file import OwnSqliteResultsFile
    def die(*arguments):
        os.kill(os.getpid(), signal.SIGKILL)
    renewing._MANY = 1
    run, results = own(path), path.with_name("june.results.csv")
    renew_results(run, results)
    notes = notes_of(run)
    begin(notes, [7, 3000], 1_000.0)
    settle(notes, outcome(7, Status.SENT))
    if {point == "before results are named"}:
        Path.replace = die
    else:
        OwnSqliteResultsFile.note = die
    renew_results(run, results)
    """
    killed_after(program, place)
    with own(place, 2_000.0) as run:
        renew_results(run, path)
        assert path.read_bytes() == anew(run, path)
        told = run.told([7, 3_000])
    assert [each.state for each in told] == ["sent", "unknown"]


def test_a_file_that_is_written_to_while_it_is_copied_is_made_anew(
    run: OwnSqliteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "june.results.csv"
    renew_results(run, path)
    copy = renewing._copy

    def disturbed(*arguments: object) -> None:
        with path.open("r+b") as file:
            file.seek(BLOCK)
            file.write(b"?")
        copy(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(renewing, "_copy", disturbed)
    renew_results(run, path)
    assert path.read_bytes() == anew(run, path)


def test_what_could_not_be_noted_is_written_and_not_relied_on(run: OwnSqliteRun, tmp_path: Path) -> None:
    path = tmp_path / "june.results.csv"
    send(run, 7, None)
    show(run._db, FORMAT, gone=run._epoch, left_to=None)
    renew_results(run, path)
    assert path.read_bytes() == anew(run, path)
    run._db.execute("DROP VIEW temp.sends")
    renew_results(run, path)
    assert path.read_bytes() == anew(run, path)
