"""A worker's own connection to its run breaks between two engines: whatever is asked next is asked over a new one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from databases import Server
from offices import Office
from planned import FACTS

from bulksend.campaign import SendOptions
from bulksend.campaign.remembering import recall, remember
from bulksend.errors import RunFileError
from bulksend.runs import Account, DatabaseRun, account_of, own_run
from bulksend.runs.postgres.worked import WorkedRun
from bulksend.sending import Caps, Pace

Question = Callable[[Account, WorkedRun], object]
OPTIONS = SendOptions(Pace(), Caps(()))


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(database, stack)


def cut(database: str) -> None:
    """Every connection of the program's is cut, as by a server that begins anew."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'bulksend'"
        )


@pytest.mark.parametrize(
    "question",
    [
        lambda account, run: recall(account, run, OPTIONS, is_first=True),
        lambda account, run: recall(account, run, OPTIONS, is_first=False),
        lambda _, run: run.tally(),
    ],
    ids=["what was sent before", "the same once more", "where it stands"],
)
def test_a_lost_connection_is_made_anew_whatever_is_asked_next(office: Office, question: Question) -> None:
    worker = office.worker()
    with worker.begin(office.run(worker)) as run, account_of(office.database, FACTS.address) as account:
        cut(office.database)
        question(account, run)
    worker.look()  # over a new connection, so that it can be closed


def test_what_was_sent_is_remembered_though_the_connection_was_lost(office: Office) -> None:
    worker = office.worker()
    with worker.begin(office.run(worker)) as run, account_of(office.database, FACTS.address) as account:
        recall(account, run, OPTIONS, is_first=True)
        worker.leave()
        cut(office.database)
        remember(account, run, OPTIONS)
    worker.look()
    with psycopg.connect(office.database) as db:
        assert db.execute("SELECT count(*) FROM bulksend.active").fetchone() == (0,)


def test_a_run_that_cannot_be_read_just_now_is_not_taken_for_gone(office: Office, database_server: Server) -> None:
    """As where a server has no connection to spare for a moment."""
    office.another("july")
    july = DatabaseRun(office.database, "july")
    name, now_s = office.database.rpartition("/")[2], time.time()
    with account_of(office.database, FACTS.address) as account:
        with own_run(office.named, now_s) as run:
            account.begin(run, since_s=now_s - 60, wall_s=now_s)
        with own_run(july, now_s) as run, psycopg.connect(database_server.address, autocommit=True) as db:
            db.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            try:
                with pytest.raises(RunFileError, match="cannot be used"):
                    account.begin(run, since_s=now_s - 60, wall_s=now_s)
                with pytest.raises(RunFileError, match="cannot be used"):
                    account.history.catch_up(run, closes=True)
            finally:
                db.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            assert not account.begin(run, since_s=now_s - 60, wall_s=now_s).blind
