"""A run in a database has one owner at a time, whatever stands still, gets lost or is cut off in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from databases import own
from lossy import LossyWay
from planned import FACTS, PlannedRow, plan_in_database

from bulksend.errors import AccountBusyError, OwnedError, RunFileError
from bulksend.model import Answer, ContactId, Encoding, Event, MicroUSD, Outcome, PhoneNumber, Recipient, Status
from bulksend.runs.committing import GroupJournal
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun, install
from bulksend.runs.postgres.shards import shard_of

ANA, BEN = PhoneNumber("639171234567"), PhoneNumber("639181234567")
ANSWER = Answer("SMS1", 1, 20_000, "0.02", "", ANA, 7, MicroUSD(20_000))
BEGAN_S, NOW_S = 1_000.0, 2_000.0
OVER = "lease_until = clock_timestamp() - interval '1 millisecond'"


class Runs:
    """Runs of one database, and what is done to them behind their owners' backs."""

    def __init__(self, database: str, stack: ExitStack) -> None:
        self.database = database
        self._stack = stack

    def plan(self, name: str = "spring", *recipients: Recipient, **facts: Any) -> DatabaseRun:
        named = DatabaseRun(self.database, name)
        plan_in_database(named, rows(*(recipients or (ANA, BEN))), replace(FACTS, **facts)).close()
        return named

    def own(self, named: DatabaseRun, **given: Any) -> OwnPostgresRun:
        return self._stack.enter_context(OwnPostgresRun.own(named, NOW_S, **given))

    def journal(self, run: OwnPostgresRun) -> GroupJournal:
        return self._stack.enter_context(closing(run.journal()))

    def leases_end(self) -> None:
        self.execute(f"UPDATE bulksend.run SET {OVER} WHERE lease_until IS NOT NULL")
        self.execute(f"UPDATE bulksend.shard SET {OVER} WHERE lease_until IS NOT NULL")

    def told(self, row: int = 1) -> tuple[Any, ...]:
        """Of a row: state, attempts, whether in doubt, error."""
        sql = "SELECT state, attempts, doubt_since IS NOT NULL, coalesce(error, '') FROM bulksend.send WHERE row = %s"
        with psycopg.connect(self.database) as db:
            return db.execute(sql, [row]).fetchone() or ()

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as db:
            db.execute(sql)

    def terminate(self, which: str) -> None:
        """Have the server end the connections of which something is true."""
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others} AND {which}")


@pytest.fixture
def runs(database: str) -> Iterator[Runs]:
    with ExitStack() as stack:
        yield Runs(database, stack)


def rows(*recipients: Recipient) -> list[PlannedRow]:
    return [
        PlannedRow(row, Status.PENDING, who, None, f"Hello {row}", Encoding.GSM7, 1, MicroUSD(20_000), "", b"[]")
        for row, who in enumerate(recipients, 1)
    ]


def ended(row: int, event: Event, error: str = "why", **more: Any) -> Outcome:
    return Outcome(row, event, final=True, ended_at=NOW_S, error=error, **more)


async def begun(journal: GroupJournal, *which: int) -> list[int]:
    return [attempt.message.row for attempt in await journal.begin(which, BEGAN_S)]


# -- The fence


async def test_who_was_taken_over_begins_nothing_and_its_outcomes_are_not_taken(runs: Runs) -> None:
    named = runs.plan()
    first = runs.journal(runs.own(named))
    [attempt] = await first.begin([1], BEGAN_S)
    runs.leases_end()
    second = runs.journal(runs.own(named))
    assert runs.told() == ("unknown", 1, True, "bulksend was cut off while this attempt was under way")
    for call in (first.begin([2], BEGAN_S), first.settle([ended(1, Event.ACCEPTED, "", answer=ANSWER)], turn=0)):
        with pytest.raises(OwnedError, match="taken this run over"):
            await call
    assert runs.told()[0] == "unknown"
    assert runs.told(2) == ()
    assert attempt.message.row == 1
    assert await begun(second, 2) == [2]


async def test_rows_of_a_shard_that_another_has_by_now_are_left_out(runs: Runs) -> None:
    assert shard_of(ANA) != shard_of(BEN)
    run = runs.own(runs.plan())
    journal = runs.journal(run)
    attempts = await journal.begin([1, 2], BEGAN_S)
    await journal.settle([ended(1, Event.PUT_OFF), ended(2, Event.PUT_OFF)], turn=0)
    runs.execute(f"UPDATE bulksend.shard SET epoch = epoch + 1 WHERE no = {shard_of(ANA)}")
    assert await begun(journal, 1, 2) == [2]
    assert [runs.told(row)[0] for row in (1, 2)] == ["pending", "in flight"]
    run._lease.renew()  # which it does by itself in time
    assert [row for row, *_ in await journal.claim(0, 10)] == []
    await journal.settle([ended(2, Event.PUT_OFF)], turn=0)
    assert [row for row, *_ in await journal.claim(0, 10)] == [2]
    assert not journal.leaves(attempts[0])


async def test_nothing_begins_once_the_database_says_that_the_lease_is_over_and_outcomes_are_taken_still(
    runs: Runs,
) -> None:
    journal = runs.journal(runs.own(runs.plan()))
    assert await begun(journal, 1) == [1]
    runs.leases_end()
    assert await begun(journal, 2) == []
    assert runs.told(2) == ()
    await journal.settle([ended(1, Event.ACCEPTED, "", answer=ANSWER)], turn=0)
    assert runs.told()[0] == "sent"


@pytest.mark.parametrize("facts", [{}, {"base_url": ""}], ids=["of an account", "a rehearsal"])
async def test_nothing_leaves_near_the_end_of_a_lease_that_was_not_renewed(runs: Runs, facts: dict[str, str]) -> None:
    """As after a process or its machine stood still: the clock goes on meanwhile."""
    now = [0.0]
    run = runs.own(runs.plan(**facts), length_s=10_000.0, clock_s=lambda: now[0])
    journal = runs.journal(run)
    [attempt] = await journal.begin([1], BEGAN_S)
    now[0] = 7_999.0
    assert journal.leaves(attempt)
    now[0] = 8_001.0
    assert not journal.leaves(attempt)
    assert await begun(journal, 2) == [2]  # it was renewed first, for nobody else has it
    assert journal.leaves(attempt)


async def test_a_lease_is_renewed_in_time(runs: Runs) -> None:
    journal = runs.journal(runs.own(runs.plan(), length_s=0.6))
    [attempt] = await journal.begin([1], BEGAN_S)
    for _ in range(10):
        await asyncio.sleep(0.12)
        assert journal.leaves(attempt)
    with pytest.raises(OwnedError, match=r"at work on this run \(process"):
        runs.own(DatabaseRun(runs.database, "spring"))


async def test_a_rehearsal_is_fenced_by_its_own_epoch(runs: Runs) -> None:
    named = runs.plan(base_url="")
    first = runs.journal(runs.own(named))
    assert await begun(first, 1) == [1]
    runs.leases_end()
    assert await begun(first, 2) == []
    runs.own(named)
    assert runs.told()[0] == "unknown"
    with pytest.raises(OwnedError):
        await first.begin([2], BEGAN_S)


async def test_an_account_is_sent_for_by_one_run_at_a_time(runs: Runs) -> None:
    first, second = runs.own(runs.plan("one")), runs.own(runs.plan("two", base_url="https://X.test:443/"))
    journal = first.journal()
    with pytest.raises(AccountBusyError, match=r"another run of this account is sending \(process"):
        second.journal()
    runs.journal(runs.own(runs.plan("of another", org_id=2)))
    runs.journal(runs.own(runs.plan("a rehearsal", base_url="")))
    journal.close()
    assert await begun(runs.journal(second), 1) == [1]


async def test_what_another_run_of_the_account_left_under_way_is_in_doubt(runs: Runs) -> None:
    one, two = runs.plan("one"), runs.plan("two", ANA)
    journal = runs.journal(runs.own(one))
    await begun(journal, 1, 2)
    runs.leases_end()
    runs.journal(runs.own(two))
    assert [runs.told(row)[0] for row in (1, 2)] == ["unknown", "unknown"]


# -- Connections that are lost


async def test_an_outcome_lands_once_over_another_connection(runs: Runs) -> None:
    run = runs.own(runs.plan())
    journal = runs.journal(run)
    assert await begun(journal, 1) == [1]
    runs.terminate("true")
    await journal.settle([ended(1, Event.PUT_OFF)], turn=0)
    assert runs.told() == ("pending", 1, False, "why")
    runs.terminate("true")
    assert await begun(journal, 1) == [1]
    assert runs.told()[:2] == ("in flight", 2)
    journal.close()
    assert run.tally().attempts == 2


def test_an_owner_whose_connections_were_cut_goes_on_over_others(runs: Runs) -> None:
    run = runs.own(runs.plan())
    for words in ("one", "two"):
        runs.terminate("true")
        run.note_look(words)
        assert run.looked_at == words
        run._lease.renew()


async def test_a_commit_that_was_cut_off_is_made_anew(runs: Runs) -> None:
    runs.execute(
        """CREATE FUNCTION bulksend.wait() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(CASE NEW.attempts WHEN 1 THEN 60 ELSE 0 END); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER waits AFTER INSERT OR UPDATE ON bulksend.send DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.state = 'pending') EXECUTE FUNCTION bulksend.wait()"""
    )
    journal = runs.journal(runs.own(runs.plan()))
    assert await begun(journal, 1) == [1]
    settling = journal.settle([ended(1, Event.PUT_OFF)], turn=0)
    await asyncio.to_thread(wait_for_commit, runs.database)
    runs.execute(
        "CREATE OR REPLACE FUNCTION bulksend.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
    )
    runs.terminate("query = 'COMMIT'")
    await settling
    assert runs.told() == ("pending", 1, False, "why")
    runs.execute("DROP FUNCTION bulksend.wait() CASCADE")


def wait_for_commit(database: str) -> None:
    """Wait until a commit stands still."""
    sql = "SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'PgSleep'"
    with psycopg.connect(database, autocommit=True) as db:
        while db.execute(sql).fetchone() is None:
            time.sleep(0.01)


@pytest.mark.parametrize("answers", [1, 3])
async def test_intents_and_outcomes_whose_answer_was_lost_are_there_once(runs: Runs, answers: int) -> None:
    named = runs.plan()
    with LossyWay(named.database) as way:
        run = runs.own(replace(named, database=way.address))
        journal = runs.journal(run)
        way.lose_answers(answers)
        [first] = await journal.begin([1], BEGAN_S)
        assert (first.number, first.ticket) == (1, answers + 1)
        assert runs.told() == ("in flight", 1, False, "")
        way.lose_answers(answers)
        settling, beginning = journal.settle([ended(1, Event.DOUBTED)], turn=1), journal.begin([1, 2], BEGAN_S + 1)
        await settling
        again, other = await beginning
        assert (again.number, again.doubt_since, other.number) == (2, BEGAN_S, 1)
        assert runs.told() == ("in flight", 2, True, "why")
        way.lose_answers(answers)
        await journal.settle([ended(1, Event.ACCEPTED, "", answer=ANSWER), ended(2, Event.CALLED_OFF)], turn=1)
        assert runs.told() == ("sent", 2, True, "")
        assert runs.told(2)[:3] == ("pending", 0, False)
        journal.close()
        run.close()


async def test_an_intent_whose_answer_stays_lost_leaves_not_and_is_in_doubt_for_the_next_owner(runs: Runs) -> None:
    named = runs.plan()
    with LossyWay(named.database) as way:
        run = runs.own(replace(named, database=way.address), length_s=0.3)
        journal = run.journal()
        way.lose_answers()
        way.close()  # no new connection is to be had
        async with asyncio.timeout(20):
            with pytest.raises(RunFileError, match="cannot be used"):
                await journal.begin([1], BEGAN_S)
        assert runs.told()[0] == "in flight"
        journal.close()
        run.close()
    run = runs.own(named)
    assert runs.told()[0] == "unknown"


def test_a_server_that_is_killed_and_started_again_is_waited_for() -> None:
    with own() as cluster, ExitStack() as stack:
        address = cluster.server.database()
        install(address)
        runs = Runs(address, stack)
        run = runs.own(runs.plan())

        async def send() -> None:
            journal = run.journal()
            assert await begun(journal, 1) == [1]
            cluster.stop("immediate")
            settling = journal.settle([ended(1, Event.ACCEPTED, "", answer=ANSWER)], turn=0)
            beginning = journal.begin([2], BEGAN_S)
            await asyncio.to_thread(cluster.start)
            await settling
            assert [attempt.number for attempt in await beginning] == [1]
            journal.close()

        asyncio.run(send())
        assert runs.told()[:2] == ("sent", 1)
        assert runs.told(2)[:2] == ("unknown", 1)  # as its journal was closed without an outcome


async def test_an_outcome_is_that_of_its_own_intent_alone(runs: Runs) -> None:
    journal = runs.journal(runs.own(runs.plan()))
    assert await begun(journal, 1) == [1]
    runs.execute("UPDATE bulksend.send SET ticket = 7")  # as of an intent that came later
    await journal.settle([ended(1, Event.PUT_OFF)], turn=0)
    assert runs.told()[0] == "in flight"


# -- Clocks


async def test_machines_whose_clocks_are_an_hour_apart_agree_on_when_something_was_sent(runs: Runs) -> None:
    named, true_s = runs.plan(), time.time()
    clocks: list[Callable[[], float]] = [lambda: time.time() - 3_600, time.time]
    for row, clock_s in enumerate(clocks, 1):
        run = runs.own(named, now_s=clock_s)
        journal = run.journal()
        await journal.begin([row], clock_s())
        await journal.settle([ended(row, Event.DOUBTED)._replace(ended_at=clock_s())], turn=0)
        assert [each.row for each in await journal.undecided(clock_s() - 60, 0)] == [1, 2][:row]
        ends = [at - clock_s() for _, _, at in await journal.recent_sends(clock_s() - 60, clock_s())]
        assert len(ends) == row
        assert all(abs(each) < 60 for each in ends)
        journal.close()
        run.close()
    with psycopg.connect(runs.database) as db:
        for (started_s,) in db.execute("SELECT started_at FROM bulksend.send"):
            assert abs(started_s - true_s) < 60


# -- Texts


async def test_what_a_database_cannot_hold_of_an_answer_is_marked(runs: Runs) -> None:
    journal = runs.journal(runs.own(runs.plan("spring", ContactId(7), BEN)))
    assert await begun(journal, 1, 2) == [1, 2]
    answer = ANSWER._replace(message_id="SMS\0 1 \\u0000", to="63917\0")
    learned = (ContactId(7), PhoneNumber("63\0917"))
    await journal.settle([ended(1, Event.ACCEPTED, "", answer=answer, learned=learned)], turn=0)
    await journal.settle([ended(2, Event.REJECTED, "no\0number")], turn=0)
    assert await journal.message_ids(0.0) == {"SMS\ufffd 1 \\u0000"}
    assert runs.told(2)[3] == "no\ufffdnumber"
