"""Run files of the test's own making, opened, sent and killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from forks import can_fork, forks
from planned import EVENT_OF, FACTS, PlannedRow, write_plan

from bulksend.model import (
    Answer,
    Attempt,
    Encoding,
    Event,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Recipient,
    Status,
)
from bulksend.runs.facts import Facts
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.journal import SqliteJournal
from bulksend.runs.sqlite.notes import Notes
from bulksend.runs.sqlite.owned import OwnSqliteRun

ANA = PhoneNumber("639171234567")
BEN = PhoneNumber("639181234567")
CUT_OFF = "bulksend was cut off while this attempt was under way"


def facts(campaign_id: str = "c", columns: Sequence[str] = ("to", "message")) -> Facts:
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
        row, Status.PENDING.value, recipient, "ACME", f"text {row}", Encoding.GSM7.value, parts, cost, "", b'["a","b"]'
    )  # fmt: skip


def bad(row: int, fault: str = "no recipient", status: Status = Status.INVALID) -> PlannedRow:
    return PlannedRow(row, status.value, None, None, "", None, 0, None, fault, b"[]")


def number(row: int) -> PhoneNumber:
    return PhoneNumber(f"63917{row:07}")


def planned(path: Path, rows: Sequence[PlannedRow], campaign_id: str = "c") -> Path:
    write_plan(path, rows, facts(campaign_id)).release()
    return path


def crowd_of(path: Path, rows: int) -> Path:
    return planned(path, [pending(row, number(row)) for row in range(1, rows + 1)])


@contextmanager
def opened(path: Path, *, by_parts: bool = True, limit: int | None = None, now: float = 1_000.0) -> Iterator[Notes]:
    """A run that is owned, for notes by plain calls."""
    with own(path, now) as run:
        yield notes_of(run, by_parts=by_parts, limit=limit)


@contextmanager
def journal_of(path: Path, *, now: float = 1_000.0) -> Iterator[tuple[OwnSqliteRun, SqliteJournal]]:
    with own(path, now) as run:
        journal = run.journal(by_parts=True, limit=None)
        try:
            yield run, journal
        finally:
            journal.close()


def own(path: Path, now: float = 1_000.0) -> OwnSqliteRun:
    return OwnSqliteRun.own(path, now)


def own_where_locks_do_not_hold(path: Path, now: float) -> OwnSqliteRun:
    """Take over what somebody still has, as another machine may on a network file system."""
    lock = FileLock(path.with_name("a lock of its own"))
    lock.path = path
    return OwnSqliteRun(lock, now)


def notes_of(run: OwnSqliteRun, *, by_parts: bool = True, limit: int | None = None) -> Notes:
    notes = Notes(run._db, run.path, run._departures, epoch=run._epoch, by_parts=by_parts, limit=limit)
    run._notes.append(notes)
    return notes


def begin(notes: Notes, rows: Sequence[int], now: float, proof: int = 0) -> list[Attempt]:
    """Begin rows, whose POSTs leave at once."""
    attempts = notes.begin(rows, now, proof)
    for attempt in attempts:
        notes.leaves(attempt)
    return attempts


ANSWER = Answer(
    message_id="SMS1",
    estimate_parts=1,
    estimate_micro=40_000,
    estimate="0.04",
    delivery_deadline="2026-01-01T00:00:00Z",
    to=ANA,
    contact_id=7,
    charged=MicroUSD(40_000),
)


def outcome(row: int, status: Status, *, ended_at: float = 1_001.0, tried: bool = True, error: str = "") -> Outcome:
    answer = ANSWER if status == Status.SENT else None
    event = EVENT_OF[status] if tried else Event.CALLED_OFF
    return Outcome(row=row, event=event, final=True, ended_at=ended_at, answer=answer, error=error)


def settle(notes: Notes, *outcomes: Outcome) -> None:
    notes.settle(outcomes, turn=0)


def states(path: Path) -> dict[int, tuple[str, int]]:
    with closing(sqlite3.connect(path)) as db:
        return {row: (state, attempts) for row, state, attempts in db.execute("SELECT row, state, attempts FROM sends")}


def killed_after(program: str, path: Path) -> int:
    """Let another process do something to a run and be killed; its id."""
    names = "from planned import Rows\nfrom runfiles import *\nfrom bulksend.runs.sqlite.plan import PlanWriter\n"
    last_words = "\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    code = (
        f"import sys\nfrom pathlib import Path\npath = Path(sys.argv[1])\n{names}{textwrap.dedent(program)}{last_words}"
    )
    if can_fork({}, ""):
        ended = forks().run_code(code, str(path))
        assert ended.code == -signal.SIGKILL, ended.err
        return ended.process
    folders = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    arguments = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(arguments, env=os.environ | {"PYTHONPATH": folders}, stderr=subprocess.PIPE) as process:
        _, complaint = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL, complaint.decode()
    return process.pid


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
