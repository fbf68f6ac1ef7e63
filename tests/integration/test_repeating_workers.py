"""What workers put in doubt others repeat: under a proof that nobody took back, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from offices import Office

from bulksend.campaign.repeats import Repeats
from bulksend.model import Attempt, Event, Outcome
from bulksend.runs import Orders
from bulksend.runs.committing import GroupJournal
from bulksend.runs.postgres import OwnPostgresRun
from bulksend.runs.postgres.shards import shard_of
from bulksend.sending import ErrorLimit, Errors

TRIES = 2


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(database, stack)


def shared_by_two(office: Office) -> tuple[GroupJournal, GroupJournal, int, int]:
    """The journals of two workers, and two rows of the first."""
    first, second = office.worker(), office.worker()
    journals = office.journal(first), office.journal(second)
    first.deal()
    second.deal()
    rows = [row for row in range(1, 41) if shard_of(office.phone(row)) in first.lease.shards]
    return *journals, rows[0], rows[1]


def doubted(row: int) -> Outcome:
    return Outcome(row, Event.DOUBTED, final=True, ended_at=time.time(), error="no answer")


async def begun(journal: GroupJournal, row: int, proof: int) -> Attempt:
    (attempt,) = await journal.begin([row], time.time(), proof)
    return attempt


async def put_in_doubt(journal: GroupJournal, row: int, proof: int) -> None:
    await begun(journal, row, proof)
    await journal.settle([doubted(row)], turn=proof)


async def test_a_proof_that_another_worker_saw_lost_covers_nothing_that_begins_from_then_on(office: Office) -> None:
    journal, others, one, two = shared_by_two(office)
    await journal.settle([], turn=1)
    await put_in_doubt(journal, one, proof=1)
    assert (await begun(journal, one, proof=1)).proof == 1
    await journal.settle([doubted(one)], turn=1)
    await others.settle([], turn=2)
    assert (await begun(journal, one, proof=1)).proof == 0
    assert (await begun(journal, two, proof=1)).proof == 0


async def test_a_repeat_that_began_before_leaves_no_more_once_the_loss_is_known(office: Office) -> None:
    journal, others, one, two = shared_by_two(office)
    await journal.settle([], turn=1)
    await put_in_doubt(journal, one, proof=1)
    first, repeat = await begun(journal, two, proof=1), await begun(journal, one, proof=1)
    assert journal.leaves(first)
    assert journal.leaves(repeat)
    await others.settle([], turn=2)
    await journal.settle([], turn=1)
    assert journal.leaves(first)
    assert not journal.leaves(repeat)


async def test_a_loss_ends_also_the_proof_that_others_have_found_since(office: Office) -> None:
    journal, late, one, two = shared_by_two(office)
    for turn in (1, 2, 3):
        await journal.settle([], turn=turn)
    assert (await begun(journal, one, proof=3)).proof == 3
    await late.settle([], turn=2)
    assert (await begun(journal, two, proof=3)).proof == 0


async def test_what_was_put_in_doubt_since_a_run_was_opened_is_repeated_until_it_was_tried_too_often(
    office: Office,
) -> None:
    worker = office.worker()
    run = office.run(worker)
    with worker.begin(run) as worked:
        worker.deal()
        journal = worked.journal(TRIES)
        await journal.settle([], turn=1)
        for _ in range(TRIES):
            await put_in_doubt(journal, 1, proof=1)
            assert [each.row for each in await journal.undecided(0.0, 1)] == [1]
        await put_in_doubt(journal, 1, proof=1)
        assert await journal.undecided(0.0, 1) == []
        journal.close()


async def test_rows_in_doubt_are_due_once_an_echo_was_seen_and_awaited_only_as_long_as_something_happens(
    office: Office,
) -> None:
    now_s = 0.0
    first, second = office.worker(), office.worker()
    with ExitStack() as stack:
        mine = stack.enter_context(first.begin(office.run(first)))
        first.deal()
        journal = mine.journal(TRIES)
        await journal.settle([], turn=1)
        await put_in_doubt(journal, 1, proof=1)
        await put_in_doubt(journal, 2, proof=1)
        journal.close()
        others = stack.enter_context(second.begin(office.run(second)))
        own, foreign = (Repeats(each, TRIES, are_wanted=True, mono_s=lambda: now_s) for each in (mine, others))
        assert not own.are_due()
        own.ended(1, is_through=True)
        assert own.are_due()
        own.ended(1, is_through=False)
        assert own.are_due()
        own.ended(1, is_through=True)
        assert not own.are_due()
        assert not own.are_awaited()
        foreign.ended(1, is_through=True)
        assert not foreign.are_due()
        assert foreign.are_awaited()
        now_s = 9.0
        assert foreign.are_awaited()
        with psycopg.connect(office.database) as db:
            db.execute("UPDATE bulksend.send SET state = 'sent' WHERE row = 2")
        assert foreign.are_awaited()
        now_s = 18.0
        assert foreign.are_awaited()
        now_s = 20.0
        assert not foreign.are_awaited()


async def test_a_run_with_rows_in_doubt_under_a_proof_is_opened_with_a_limit_of_errors(office: Office) -> None:
    worker = office.worker()
    journal = office.journal(worker)
    await journal.settle([], turn=1)
    await put_in_doubt(journal, 1, proof=1)
    worker.stop(office.run(worker), "asked to stop", "somebody")
    worker.leave()
    with OwnPostgresRun.own(office.named, time.time()) as run:
        orders = Orders((), True, True, time.time(), False, 0.0, repeats=True)
        run.open_for_workers(orders, None, None, Errors(ErrorLimit(5, is_percent=False), done=1, so_far=[1]))
    assert office.run(worker).orders == orders


async def test_a_limit_lets_as_many_rows_in_doubt_be_repeated_as_it_leaves_room_for(office: Office) -> None:
    worker = office.worker()
    journal = office.journal(worker)
    await journal.settle([], turn=1)
    for row in (3, 1, 2):
        await put_in_doubt(journal, row, proof=1)
    journal.close()
    worker.stop(office.run(worker), "asked to stop", "somebody")
    worker.leave()
    with OwnPostgresRun.own(office.named, time.time()) as run:
        orders = Orders((), True, True, time.time(), False, 0.0, repeats=True)
        run.open_for_workers(orders, 4, None, None, repeats=2)
    with worker.begin(office.run(worker)) as worked:
        worker.deal()
        assert worked.to_repeat(1, time.time(), TRIES, is_mine=True) == {1, 2}
        journal = worked.journal(TRIES)
        assert [each.row for each in await journal.undecided(0.0, 1)] == [1, 2]
        assert [each.row for each in await journal.claim(0, 9)] == [4, 5, 6, 7]
        await put_in_doubt(journal, 4, proof=1)  # since then, and so it was one of the first
        assert [each.row for each in await journal.undecided(0.0, 1)] == [1, 2, 4]
        journal.close()
