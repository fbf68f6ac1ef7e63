"""However a worker's work ends, that stays its end: where the database cannot be told, that is said beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from offices import Office
from planned import FACTS

from bulksend.campaign import NotGivenBack, Post
from bulksend.campaign.posts import manned
from bulksend.engagespark import Target
from bulksend.errors import StoppedError, UsageError
from bulksend.model import Endpoint
from bulksend.runs import Worker

TARGET = Target(FACTS.base_url, FACTS.org_id, Endpoint.CONTACT, "key")
LENGTH_S = 20.0


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(database, stack)


def restored(worker: Worker, database: str) -> None:
    """Another server has taken over from the one that a worker knows."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("UPDATE bulksend.installation SET timeline = timeline + 1")
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'bulksend'"
        )
    with pytest.raises(UsageError, match="restored"):
        worker.look()


async def test_a_good_end_stays_one_though_nothing_can_be_given_back(office: Office) -> None:
    heard: list[NotGivenBack] = []
    async with manned(Post(office.database, TARGET, LENGTH_S), heard.append) as worker:
        worker.deal()
        restored(worker, office.database)
    (told,) = heard
    assert "restored" in told.says
    assert told.length_s == LENGTH_S


async def test_what_went_wrong_first_is_what_is_told(office: Office) -> None:
    heard: list[NotGivenBack] = []

    async def work() -> None:
        async with manned(Post(office.database, TARGET, LENGTH_S), heard.append) as worker:
            restored(worker, office.database)
            raise StoppedError("the first of all")

    with pytest.raises(StoppedError, match="first"):
        await work()
    assert len(heard) == 1


async def test_nothing_is_said_where_all_is_given_back(office: Office) -> None:
    heard: list[NotGivenBack] = []
    async with manned(Post(office.database, TARGET, LENGTH_S), heard.append) as worker:
        worker.deal()
    assert not heard
    with psycopg.connect(office.database) as db:
        assert db.execute("SELECT count(*) FROM bulksend.shard WHERE owner IS NOT NULL").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM bulksend.worker").fetchone() == (0,)
