"""What a process takes back whose COMMIT's answer was lost is its own alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace

import psycopg
import pytest
from lossy import LossyWay
from planned import FACTS, plan_in_database
from test_database_journal import ANA, BEGAN_S, ended, rows, wait_for_commit
from test_database_limits import NOW_S, OVER, PART, Company, Worker, mine, outcome

from bulksend.errors import OwnedError
from bulksend.model import Event
from bulksend.runs.committing import GroupJournal
from bulksend.runs.owner import Owner
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun, shards
from bulksend.runs.postgres.connecting import connect, transaction
from bulksend.runs.postgres.reserving import Reserving
from bulksend.sending import Money


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def close_last(worker: Worker) -> None:
    """The connection that it ended with."""
    worker.notes.of.db.close()


@pytest.mark.parametrize("is_bound", [False, True])
async def test_a_lost_answer_takes_back_nobody_elses_intent(database: str, stack: ExitStack, is_bound: bool) -> None:
    """A row that came to another's shard meanwhile, who has begun it under the same epoch and ticket."""
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    if is_bound:
        company.bound(Money(100 * PART, PART, {"63": PART}, {}), None)
    [two] = [Worker(company.run, company.place, 1)]
    stack.callback(two.die)
    way = stack.enter_context(closing(LossyWay(database)))
    one = Worker(company.run, DatabaseRun(way.address, "spring"), 0)
    stack.callback(close_last, one)
    stack.callback(one.die)
    moved, *others = mine(one, company, 40)
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("UPDATE bulksend.message SET shard = 1 WHERE row = %s", [moved])
    if is_bound:
        [first] = await two.journal.begin(mine(two, company, 40)[-1:], NOW_S)
        await two.journal.settle([outcome(first, Event.ACCEPTED, PART)], turn=0)
    [attempt] = await two.journal.begin([moved], NOW_S)
    way.lose_answers()
    begun = await one.journal.begin([*others[:2], moved], NOW_S)
    assert [each.message.row for each in begun] == others[:2]
    assert company.ask(f"SELECT state FROM bulksend.send WHERE row = {moved}") == ("in flight",)
    await two.journal.settle([outcome(attempt, Event.ACCEPTED, PART)], turn=0)
    assert company.ask(f"SELECT state FROM bulksend.send WHERE row = {moved}") == ("sent",)
    if is_bound:
        assert company.ask("SELECT cost_left FROM bulksend.bound") == (96 * PART,)


async def test_who_was_chosen_to_give_way_does_it_all_once_more(database: str, stack: ExitStack) -> None:
    """The database ends one of those who wait for each other; nothing of that was noted."""
    company = Company(database, stack, [1] * 8, ["63"] * 8)
    [one] = company.work(1)
    company.execute(
        """CREATE SEQUENCE bulksend.tries;
           CREATE FUNCTION bulksend.give_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF nextval('bulksend.tries') < 3 THEN RAISE deadlock_detected; END IF; RETURN NEW; END $$;
           CREATE TRIGGER giving_way BEFORE INSERT ON bulksend.send FOR EACH ROW EXECUTE FUNCTION bulksend.give_way()"""
    )
    [row, *_] = mine(one, company, 8)
    [attempt] = await one.journal.begin([row], NOW_S)
    assert (attempt.message.row, attempt.number) == (row, 1)
    assert one.journal.leaves(attempt)
    company.execute("DROP FUNCTION bulksend.give_way() CASCADE; DROP SEQUENCE bulksend.tries")


async def test_what_was_reserved_for_an_intent_that_is_taken_back_is_given_back(database: str) -> None:
    named = DatabaseRun(database, "spring")
    plan_in_database(named, rows(ANA), FACTS).close()
    with LossyWay(database) as way, OwnPostgresRun.own(replace(named, database=way.address), NOW_S) as run:
        run.reserve(Reserving(BEGAN_S, 3_600.0))
        with closing(run.journal()) as journal:
            way.lose_answers(2)
            await journal.begin([1], NOW_S)
            assert reserved(database) == 1
            await journal.settle([ended(1, Event.REJECTED)], turn=0)
            assert reserved(database) == 0


async def test_what_was_given_back_is_not_given_back_twice(database: str) -> None:
    """Of two equal rows one is sent; the other's outcome is noted twice, for the first answer was lost."""
    named = DatabaseRun(database, "spring")
    plan_in_database(named, [each._replace(text="Hello") for each in rows(ANA, ANA)], FACTS).close()
    with (
        LossyWay(database) as way,
        OwnPostgresRun.own(replace(named, database=way.address), NOW_S) as run,
        closing(run_reserving(run)) as journal,
    ):
        await journal.begin([1, 2], NOW_S)
        await journal.settle([ended(1, Event.ACCEPTED, "")], turn=0)
        way.lose_answers()
        await journal.settle([ended(2, Event.REJECTED)], turn=0)
        assert reserved(database) == 1


def run_reserving(run: OwnPostgresRun) -> GroupJournal:
    run.reserve(Reserving(BEGAN_S, 3_600.0))
    return run.journal()


def reserved(database: str) -> int:
    with psycopg.connect(database) as db:
        [(count,)] = db.execute("SELECT rows FROM bulksend.reservation").fetchall()
    return int(count)


@pytest.mark.parametrize("base_url", [FACTS.base_url, ""], ids=["of an account", "a rehearsal"])
async def test_a_commit_that_goes_on_though_its_connection_is_gone_is_waited_for(database: str, base_url: str) -> None:
    named = DatabaseRun(database, "spring")
    plan_in_database(named, rows(ANA), replace(FACTS, base_url=base_url)).close()
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(
            """CREATE FUNCTION bulksend.wait() RETURNS trigger LANGUAGE plpgsql
               AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
               CREATE CONSTRAINT TRIGGER waiting AFTER INSERT ON bulksend.send DEFERRABLE INITIALLY DEFERRED
               FOR EACH ROW EXECUTE FUNCTION bulksend.wait()"""
        )
    with (
        LossyWay(database) as way,
        OwnPostgresRun.own(replace(named, database=way.address), NOW_S) as run,
        closing(run.journal()) as journal,
    ):
        beginning = journal.begin([1], NOW_S)
        await asyncio.to_thread(wait_for_commit, database)
        way.speak()  # every connection is cut, and the server does not see it yet
        [attempt] = await beginning
        assert (attempt.message.row, attempt.number) == (1, 1)
        await journal.settle([ended(1, Event.REJECTED)], turn=0)
    with psycopg.connect(database, autocommit=True) as db:
        assert db.execute("SELECT state, attempts FROM bulksend.send").fetchall() == [("rejected", 1)]
        db.execute("DROP FUNCTION bulksend.wait() CASCADE")


async def test_what_is_held_of_an_intent_that_is_taken_over_meanwhile_is_not_given_back(
    database: str, stack: ExitStack
) -> None:
    """An answer is lost, and before that is noted somebody else puts the intent in doubt: it stays held."""
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(Money(100 * PART, PART, {"63": PART}, {}), None)
    [one] = company.work(1)
    row, another = mine(one, company, 40)[:2]
    [attempt] = await one.journal.begin([row], NOW_S)
    one.notes._tried[attempt.ticket] = row
    company.execute(OVER.replace("%s", f"ARRAY{one.shards}"))
    with connect(database) as other:
        with transaction(other):
            shards.take(other, company.account, one.shards, Owner.now(NOW_S), 600.0)
            beginning = asyncio.ensure_future(one.journal.begin([another], NOW_S))
            await asyncio.to_thread(company.await_waiting, 1)
        with suppress(OwnedError):
            await beginning
    assert company.ask("SELECT cost_left FROM bulksend.bound") == (99 * PART,)
