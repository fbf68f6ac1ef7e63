"""A worker's own connection to its run breaks between two engines: whatever is asked next is asked over a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from offices import Office
from planned import FACTS

from bulksend.campaign import SendOptions
from bulksend.campaign.remembering import recall, remember
from bulksend.runs import Account, account_of
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
