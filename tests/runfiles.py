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

from bulksend.runs.sqlite.file import PlanFacts
from bulksend.runs.sqlite.store import RunStore
from planned import EVENT_OF, FACTS, PlannedRow, write_plan

from bulksend.model import (
    Answer,
    Encoding,
    Event,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Recipient,
    Status,
)
from bulksend.runs.sqlite.journal import SqliteJournal

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
    event = EVENT_OF[status] if tried else Event.CALLED_OFF
    return Outcome(row=row, event=event, final=True, ended_at=ended_at, answer=answer, error=error)


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
