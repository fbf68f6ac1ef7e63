"""Whoever locks several rows of a database does so in one order, so that two who meet never wait for each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from offices import Office
from planned import FACTS, plan_in_database
from runfiles import number, pending

from bulksend.runs import DatabaseRun, open_run
from bulksend.runs.postgres.account import PostgresAccount
from bulksend.runs.postgres.connecting import Db, connect, one, transaction
from bulksend.runs.postgres.history import PostgresHistory
from bulksend.runs.postgres.shards import give_back

PATIENCE_S = 10.0
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
LONG_AGO_S = 1_000.0


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(database, stack)


@pytest.fixture
def account(office: Office) -> int:
    with connect(office.database) as db:
        return int(one(db.execute("SELECT id FROM account"))[0])


@contextmanager
def held_up(database: str, by: str, work: Callable[[], object]) -> Iterator[Db]:
    """Somebody else has locked something, and work of one's own waits for that; ends with both."""
    with ThreadPoolExecutor(1) as pool, connect(database) as looking, connect(database) as other:
        with transaction(other):
            other.execute(by)
            working = pool.submit(work)
            until_s = time.monotonic() + PATIENCE_S
            while looking.execute(WAITS).fetchone() == (0,):
                assert time.monotonic() < until_s
                assert not working.done()
                time.sleep(0.01)
            yield other
        working.result(PATIENCE_S)


def test_shards_are_given_back_in_the_order_of_their_numbers(office: Office, account: int) -> None:
    worker = office.worker()
    worker.begin(office.run(worker)).close()
    worker.deal()
    epochs = {no: worker.lease.shards[no] for no in (63, 0)}

    def given_back() -> None:
        with connect(office.database) as db, transaction(db):
            give_back(db, account, epochs)

    with held_up(office.database, "SELECT FROM shard WHERE no = 0 FOR UPDATE", given_back) as other:
        other.execute("SELECT FROM shard WHERE no = 63 FOR UPDATE NOWAIT")
    with connect(office.database) as db:
        assert db.execute("SELECT no FROM shard WHERE owner IS NULL ORDER BY no").fetchall() == [(0,), (63,)]


def test_old_reservations_are_forgotten_in_the_order_in_which_they_are_made(office: Office, account: int) -> None:
    with connect(office.database) as db:
        for phone in (2, 1):
            db.execute("INSERT INTO reservation VALUES (%s, %s, 5, 1, %s, 1, 0)", [account, phone, LONG_AGO_S])

    def purged() -> None:
        with PostgresHistory.numbered(office.database, account) as history:
            history.purge(LONG_AGO_S + 1)

    with held_up(office.database, "SELECT FROM reservation WHERE phone = 1 FOR UPDATE", purged) as other:
        other.execute("SELECT FROM reservation WHERE phone = 2 FOR UPDATE NOWAIT")
    with psycopg.connect(office.database) as db:
        assert db.execute("SELECT count(*) FROM bulksend.reservation").fetchone() == (0,)


@pytest.mark.parametrize("table", ["recent", "told_run"])
def test_what_an_account_remembers_is_changed_by_one_at_a_time(office: Office, account: int, table: str) -> None:
    with connect(office.database) as db:
        db.execute("INSERT INTO recent VALUES (%s, 'another', NULL, 5, 1, 1, %s)", [account, LONG_AGO_S])
        db.execute("INSERT INTO told_run (account, plan_id, sent_at) VALUES (%s, %s, 0)", [account, FACTS.plan_id])

    def changed() -> None:
        with PostgresAccount(office.database, FACTS.address) as kept, open_run(office.named) as run:
            if table == "recent":
                kept.begin(run, since_s=time.time() - 60, wall_s=time.time())
            else:
                kept.history.reach.take_in(run)

    with held_up(office.database, "SELECT FROM account FOR NO KEY UPDATE", changed) as other:
        other.execute(f"SELECT FROM {table} FOR UPDATE NOWAIT")


@pytest.mark.parametrize(
    ("by", "then"),
    [
        ("SELECT FROM run WHERE name = 'july' FOR SHARE", "SELECT FROM message WHERE run = {run} FOR UPDATE NOWAIT"),
        ("SELECT FROM worker FOR NO KEY UPDATE", "SELECT FROM run WHERE id = {run} FOR KEY SHARE NOWAIT"),
    ],
    ids=["who notes intents", "who begins"],
)
def test_a_run_is_removed_in_the_order_in_which_workers_lock(office: Office, account: int, by: str, then: str) -> None:
    run = plan_in_database(DatabaseRun(office.database, "july"), [pending(1, number(1))], plan_id="july")
    with connect(office.database) as db:
        sql = "INSERT INTO worker (account, owner, run, seen_until) VALUES (%s, '{}', %s, clock_timestamp())"
        db.execute(sql, [account, run.number])
    with held_up(office.database, by, run.remove) as other:
        other.execute(then.format(run=run.number))
    with connect(office.database) as db:
        assert db.execute("SELECT id FROM run WHERE name = 'july'").fetchone() is None
        assert db.execute("SELECT run FROM worker").fetchall() == [(None,)]
