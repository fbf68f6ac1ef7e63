"""Workers share an account's shards: each has its part, whose intents alone it notes, and a run ends once for all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from threading import Barrier

import psycopg
import pytest
from offices import Office
from planned import FACTS

from bulksend.campaign import looks
from bulksend.errors import AccountBusyError, OwnedError, UsageError
from bulksend.model import Event, Outcome
from bulksend.runs import (
    OpenedRun,
    Shared,
    Standing,
    Worker,
    ask_to_end,
    check_replaceable,
    open_run,
    own_run,
    stand_of,
    stands_in,
)
from bulksend.runs.postgres import OwnPostgresRun
from bulksend.runs.postgres.accounts import made_account
from bulksend.runs.postgres.connecting import connect, transaction
from bulksend.runs.postgres.registry import shared
from bulksend.runs.postgres.shards import free, take_free
from bulksend.runs.shared import LEASE_S
from bulksend.sending import StopReason

NOW_S = 2_000.0


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(database, stack)


async def test_shards_are_dealt_evenly_and_each_worker_begins_its_own_rows_alone(office: Office) -> None:
    first, second, third = (office.worker() for _ in range(3))
    journals = [office.journal(first)]
    assert first.look().mine == 64
    for each in (second, third):
        each.begin(office.run(each)).close()
    assert (first.deal().mine, second.deal().mine, third.deal().mine) == (22, 22, 20)
    journals += [office.journal(second), office.journal(third)]
    begun = [{each.message.row for each in await journal.begin(range(1, 41), NOW_S)} for journal in journals]
    assert all(begun)
    assert sum(map(len, begun)) == len(set.union(*begun)) == 40
    with psycopg.connect(office.database) as db:
        db.execute("SET search_path = bulksend")
        told = shared(db, office.run(first).number)
        assert told is not None
        assert [(each.shards, each.is_here) for each in told.workers] == [(22, True), (22, True), (20, True)]
        assert told.free == 0


def test_workers_that_take_the_same_shards_at_the_same_moment_have_each_once(office: Office) -> None:
    workers = [office.worker() for _ in range(4)]
    for each in workers:
        each.begin(office.run(each)).close()
    for _ in range(3):
        together = Barrier(len(workers))

        def deal(worker: Worker, together: Barrier = together) -> None:
            together.wait()
            worker.deal()

        with ThreadPoolExecutor(len(workers)) as pool:
            list(pool.map(deal, workers))
        for each in workers:  # who found its part taken just then has it at the next look
            each.deal()
        held = [no for each in workers for no in each.lease.shards]
        assert sorted(held) == list(range(64))
        with psycopg.connect(office.database) as db:
            epochs: dict[int, int] = dict(db.execute("SELECT no, epoch FROM bulksend.shard").fetchall())
        assert {no: epoch for each in workers for no, epoch in each.lease.shards.items()} == epochs
        for each in workers:
            each.lease.let_go()


def test_workers_that_begin_at_the_same_moment_are_at_work_on_the_same_run(office: Office) -> None:
    office.another("july")
    workers = [office.worker() for _ in range(4)]
    june, july = workers[0].runs()
    for _ in range(5):
        together = Barrier(len(workers))

        def begin(worker: Worker, run: OpenedRun, together: Barrier = together) -> OpenedRun | None:
            together.wait()
            with suppress(AccountBusyError):
                worker.begin(run).close()
                return run
            return None

        with ThreadPoolExecutor(len(workers)) as pool:
            begun = set(pool.map(begin, workers, [june, july, june, july])) - {None}
        assert len(begun) == 1
        assert {each.runs()[0] for each in workers if each is not workers[0]} == begun  # which others join then
        for each in workers:
            each.leave()


async def test_a_worker_whose_shards_were_taken_lets_nothing_leave_and_begins_nothing(office: Office) -> None:
    first, second = office.worker(), office.worker()
    journal = office.journal(first)
    (attempt,) = await journal.begin([1], NOW_S)
    assert journal.leaves(attempt)
    office.leases_end()
    others = office.journal(second)
    assert second.look().mine == 64
    assert office.states() == {"unknown"}
    first.lease.renew()  # it is a worker still, and has no shard any more
    assert not first.lease.shards
    assert not journal.leaves(attempt)
    with pytest.raises(OwnedError):
        await journal.begin([2], NOW_S)
    assert [each.message.row for each in await others.begin([2], NOW_S)] == [2]


async def test_a_worker_whose_run_was_taken_lets_nothing_leave_though_nobody_took_its_shards(office: Office) -> None:
    worker = office.worker()
    journal = office.journal(worker)
    (attempt,) = await journal.begin([1], NOW_S)
    office.leases_end()
    with OwnPostgresRun.own(office.named, NOW_S) as run:
        assert [doubt.row for doubt in run.in_doubt()] == [attempt.message.row]
        worker.lease.renew()  # as after a sleep of its machine
        assert not journal.leaves(attempt)


async def test_who_only_asks_whether_a_plan_may_take_a_name_takes_nothing_from_the_workers_at_its_run(
    office: Office,
) -> None:
    worker = office.worker()
    journal = office.journal(worker)
    (attempt,) = await journal.begin([1], NOW_S)
    with pytest.raises(OwnedError, match="workers are at work on this run"):
        check_replaceable(office.named)
    worker.lease.renew()
    assert len(worker.lease.shards) == 64
    assert journal.leaves(attempt)


async def test_a_worker_that_renewed_at_the_last_moment_keeps_its_shards(office: Office) -> None:
    """Somebody has just seen them free, and is about to take them."""
    first, second = office.worker(), office.worker()
    journal = office.journal(first)
    (attempt,) = await journal.begin([1], NOW_S)
    office.leases_end()
    second.begin(office.run(second)).close()
    with connect(office.database) as db:
        account = made_account(db, FACTS.address)
        seen = free(db, account, ())
        assert len(seen) == 64
        first.lease.renew()
        with transaction(db):
            assert take_free(db, account, seen, second.owner, LEASE_S) == {}
    assert office.states() == {"in flight"}
    assert journal.leaves(attempt)


async def test_intents_end_with_the_lease_though_nobody_took_the_shards(office: Office) -> None:
    journal = office.journal(office.worker())
    office.leases_end()
    assert await journal.begin([1], NOW_S) == []


async def test_a_stop_lets_nothing_begin_and_what_was_under_way_is_noted(office: Office) -> None:
    worker = office.worker()
    run = office.run(worker)
    journal = office.journal(worker)
    await journal.begin([1], NOW_S)
    asked = ask_to_end(office.named, NOW_S)
    assert asked
    assert asked.owner is None
    assert await journal.begin([2], NOW_S) == []
    await journal.settle([Outcome(1, Event.REJECTED, final=True, ended_at=NOW_S, error="why")], turn=0)
    assert office.states() == {"rejected"}
    assert worker.runs() == []
    end = worker.progress(run).end
    assert end is not None
    assert end.reason == "asked to stop"
    with pytest.raises(OwnedError, match="workers are at work on this run"):
        own_run(office.named, NOW_S)
    worker.leave()
    own_run(office.named, NOW_S).close()


def test_who_had_a_run_meanwhile_leaves_it_to_the_workers_as_it_was_unless_it_was_ended(office: Office) -> None:
    worker = office.worker()
    before = office.run(worker)
    with own_run(office.named, NOW_S):
        assert worker.runs() == []
    assert office.run(worker) == replace(before, epoch=before.epoch + 1)
    with open_run(office.named) as run:
        assert (stand_of(run).standing, run.spell.end) == (Standing.OPENED, None)
    with own_run(office.named, NOW_S) as own:
        own.close_rows("closed", NOW_S)
    assert worker.runs() == []


async def test_a_run_is_ended_once_when_nothing_is_left_or_under_way(office: Office) -> None:
    worker = office.worker()
    run = office.run(worker)
    journal = office.journal(worker)
    await journal.begin(range(1, 41), NOW_S)
    with worker.begin(run) as worked:
        assert not worked.is_left_at_all()
        assert not worked.end_if_through(NOW_S)
        ended = [Outcome(row, Event.FAILED, final=True, ended_at=9e9, error="why") for row in range(1, 41)]
        await journal.settle(ended, turn=0)
        assert not worked.is_left_at_all()  # what failed since the run was opened is not tried by each worker
        assert worked.end_if_through(NOW_S)
        assert worker.progress(run).end is not None


async def test_whoever_looks_on_sees_the_workers_and_the_run_by_its_counts(office: Office) -> None:
    looking = looks(office.named, lambda _: time.sleep(0.02))
    left = next(looking)
    assert (left.owner, left.view, left.shared) == (None, None, Shared((), 64, 64))
    worker = office.worker()
    journal = office.journal(worker)
    await journal.begin([1], NOW_S)
    seen = next(looking)
    assert seen.shared is not None
    assert [(each.owner.pid, each.shards) for each in seen.shared.here] == [(os.getpid(), 64)]
    assert seen.view is not None
    assert (seen.view.began.rows, seen.view.seen.now.in_flight, seen.view.seen.now.sent) == (40, 1, 0)
    with open_run(office.named) as run:
        assert stand_of(run).standing is Standing.SENDING
    await journal.settle([Outcome(1, Event.REJECTED, final=True, ended_at=NOW_S, error="why")], turn=0)
    views = (each.view.seen.now for each in looking if each.view is not None)
    assert next(now.in_flight for now in views if now.not_sent) == 0  # counted again the later the longer it took
    worker.stop(office.run(worker), StopReason.ASKED.value, "somebody")
    with pytest.raises(StopIteration):
        next(looking)
    with open_run(office.named) as run:
        assert stand_of(run).standing is Standing.STOPPED


def test_a_run_that_nobody_works_on_is_told_as_opened_in_the_list_of_all(office: Office) -> None:
    with open_run(office.named) as run:
        alone = stand_of(run)
    assert stands_in(office.database) == [alone]
    assert (alone.standing, alone.spell.end, alone.shared) == (Standing.OPENED, None, Shared((), 64, 64))
    with office.worker() as idle:
        (told,) = stands_in(office.database)
        assert told.standing is Standing.OPENED
        assert told.shared is not None
        assert [(each.owner, each.is_here) for each in told.shared.workers] == [(idle.owner, False)]


def test_a_worker_takes_no_run_that_a_newer_version_opened(office: Office) -> None:
    worker = office.worker()
    with psycopg.connect(office.database, autocommit=True) as db:
        db.execute(
            "UPDATE bulksend.fact SET value = (value::jsonb || '{\"slowly\": true}')::text WHERE name = 'orders'"
        )
    with pytest.raises(UsageError, match="newer version"):
        worker.runs()
