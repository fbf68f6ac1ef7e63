"""Run files with a plan of the test's own making."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bulksend.model import Event, MicroUSD, Recipient, Status
from bulksend.planning import PlannedBatch, PlannedColumns, PlannedRecord, PlanSink
from bulksend.planning.overview import Findings
from bulksend.runs.facts import Facts
from bulksend.runs.lock import FileLock
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun
from bulksend.runs.postgres import PlanWriter as DatabasePlanWriter
from bulksend.runs.sqlite.plan import PlanWriter

FACTS = Facts(
    input_name="campaign.csv",
    input_digest="d" * 64,
    columns=("to", "message"),
    sender=None,
    template=None,
    mapping=(),
    only=(),
    skip=(),
    country=None,
    new_prefixes=False,
    reading=(None, None, None),
    header_row=None,
    visible_only=False,
    gsm=False,
    duplicates="send",
    one_per_number=False,
    exclusion="",
    endpoint="contact",
    org_id=1,
    base_url="https://x.test",
    campaign="spring",
    plan_id="1",
    is_shared=False,
    keys_by_row=False,
)


EVENT_OF = {
    Status.SENT: Event.ACCEPTED,
    Status.REJECTED: Event.REJECTED,
    Status.FAILED: Event.FAILED,
    Status.PENDING: Event.PUT_OFF,
    Status.UNKNOWN: Event.DOUBTED,
}
"""What happens to a row that was in no doubt so that it gets a status."""


class PlannedRow(NamedTuple):
    """A record of a plan, field by field."""

    row: int
    status: str
    recipient: Recipient | None
    sender: str | None
    text: str
    encoding: str | None
    parts: int
    price: MicroUSD | None
    error: str
    cells: bytes


class Rows(list[PlannedRecord]):
    """Rows as a sink of plans takes them."""

    def columns(self) -> PlannedColumns:
        return PlannedColumns.of(self)

    def counts(self) -> Counter[Status]:
        return Counter(Status(row[1]) for row in self)


def rows_of(batch: PlannedBatch) -> list[PlannedRow]:
    """A batch row by row."""
    return list(map(PlannedRow._make, batch.columns().records()))


def write_plan(path: Path, rows: Sequence[PlannedRecord], facts: Facts = FACTS, **changes: object) -> FileLock:
    """A run file with these rows; its lock."""
    writer = PlanWriter(path)
    add_rows(writer, rows)
    return writer.finish(replace(facts, **changes), Findings())  # type: ignore[arg-type]


def plan_in_database(
    named: DatabaseRun, rows: Sequence[PlannedRecord], facts: Facts = FACTS, **changes: object
) -> OwnPostgresRun:  # fmt: skip
    """A run in a database with these rows, owned."""
    writer = DatabasePlanWriter(named)
    try:
        add_rows(writer, rows)
        return writer.finish(replace(facts, **changes), Findings(), None, 1_000.0)  # type: ignore[arg-type]
    except BaseException:
        writer.discard()
        raise


def add_rows(writer: PlanSink, rows: Sequence[PlannedRecord]) -> None:
    """Into a plan, with those that repeat a recipient."""
    writer.add(Rows(rows))
    by_recipient: dict[tuple[type, Recipient], list[tuple[int, int]]] = defaultdict(list)
    for row in map(PlannedRow._make, rows):
        if row.status == Status.PENDING and row.recipient is not None:
            by_recipient[type(row.recipient), row.recipient].append((row.row, row.parts))
    for (_, recipient), messages in by_recipient.items():
        if len(messages) > 1:
            writer.add_repeats(recipient, messages, [row for row, _ in messages])
