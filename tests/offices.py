"""Workers of one account in a database, at a run of theirs, without the API."""

from __future__ import annotations

from contextlib import ExitStack, closing

import psycopg
from planned import FACTS, PlannedRow, plan_in_database

from bulksend.model import Encoding, MicroUSD, PhoneNumber, Status
from bulksend.runs import DatabaseRun, OpenedRun, Orders, Worker
from bulksend.runs.committing import GroupJournal
from bulksend.runs.postgres import OwnPostgresRun

NOW_S = 2_000.0
OVER = "clock_timestamp() - interval '1 millisecond'"


class Office:
    """Workers of one account, at a run of forty rows."""

    def __init__(self, database: str, stack: ExitStack) -> None:
        self.database = database
        self.named = DatabaseRun(database, "june")
        self._stack = stack
        plan_in_database(self.named, self._rows(), FACTS).close()
        self.open()

    def another(self, name: str) -> None:
        """One more run of the account."""
        named = DatabaseRun(self.database, name)
        plan_in_database(named, self._rows(), FACTS, plan_id=name).close()
        self.open(named)

    def _rows(self) -> list[PlannedRow]:
        return [
            PlannedRow(
                row, Status.PENDING, self.phone(row), None, f"Hello {row}", Encoding.GSM7, 1,
                MicroUSD(20_000), "", b"[]",
            )
            for row in range(1, 41)
        ]  # fmt: skip

    @staticmethod
    def phone(row: int) -> PhoneNumber:
        return PhoneNumber(f"49151{row:08}")

    def open(self, named: DatabaseRun | None = None) -> None:
        with OwnPostgresRun.own(named or self.named, NOW_S) as run:
            run.open_for_workers(Orders((), True, True, NOW_S, False, 0.0), None, None, None)

    def worker(self) -> Worker:
        return self._stack.enter_context(Worker(self.database, FACTS.address))

    def journal(self, worker: Worker) -> GroupJournal:
        (run,) = worker.runs()
        worked = self._stack.enter_context(worker.begin(run))
        worker.deal()
        return self._stack.enter_context(closing(worked.journal()))

    def leases_end(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as db:
            db.execute(f"UPDATE bulksend.shard SET lease_until = {OVER} WHERE lease_until IS NOT NULL")
            db.execute(f"UPDATE bulksend.worker SET seen_until = {OVER}")

    def run(self, worker: Worker) -> OpenedRun:
        (run,) = worker.runs()
        return run

    def states(self) -> set[str]:
        with psycopg.connect(self.database) as db:
            return {state for (state,) in db.execute("SELECT state FROM bulksend.send")}
