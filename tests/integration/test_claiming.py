"""Rows are claimed in order, none of the own shards is passed over, however unevenly they lie in these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from planned import FACTS, PlannedRow, plan_in_database

from bulksend.model import Encoding, MicroUSD, PhoneNumber, Status
from bulksend.runs import DatabaseRun, Orders, Worker
from bulksend.runs.postgres import OwnPostgresRun
from bulksend.runs.postgres.shards import shard_of

ROWS, LIMIT = 600, 40


def phone(row: int) -> PhoneNumber:
    """One phone has the most of the first half, and others the rest."""
    return PhoneNumber("639171234567" if row < ROWS // 2 and row % 5 else f"49151{row:08}")


@pytest.fixture
def workers(database: str) -> Iterator[list[Worker]]:
    rows = [
        PlannedRow(row, Status.PENDING, phone(row), None, f"{row}", Encoding.GSM7, 1, MicroUSD(20_000), "", b"[]")
        for row in range(1, ROWS + 1)
    ]
    named = DatabaseRun(database, "june")
    plan_in_database(named, rows, FACTS).close()
    with OwnPostgresRun.own(named, 0.0) as run:
        run.open_for_workers(Orders((), True, True, 0.0, False, 0.0), None, None, None)
    with ExitStack() as stack:
        yield [stack.enter_context(Worker(database, FACTS.address)) for _ in range(3)]


@pytest.mark.parametrize("count", [1, 3])
async def test_claims_bring_all_rows_of_the_own_shards_in_order(workers: list[Worker], count: int) -> None:
    for worker in workers[:count]:
        worker.begin(worker.runs()[0]).close()
    claimed = set()
    for worker in workers[:count]:
        worker.deal()
        with worker.begin(worker.runs()[0]) as run, closing(run.journal()) as journal:
            mine, after = list[int](), 0
            while items := await journal.claim(after, LIMIT):
                assert len(items) <= LIMIT
                mine += [item.row for item in items]
                after = mine[-1]
        shards = worker.lease.shards
        assert mine == [row for row in range(1, ROWS + 1) if shard_of(phone(row)) in shards]
        claimed |= {*mine}
    assert claimed == {*range(1, ROWS + 1)}
