"""Contacts and numbers of one phone, sent to by several workers: its rows come together, and so does what was sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing

import psycopg
import pytest
from planned import FACTS, PlannedRow, add_rows, plan_in_database

from bulksend.model import Answer, ContactId, Encoding, Event, MicroUSD, Outcome, PhoneNumber, Queued, Recipient, Status
from bulksend.planning import Findings
from bulksend.runs import DatabaseRun, OpenedRun, Orders, WorkedRun, Worker
from bulksend.runs.committing import GroupJournal
from bulksend.runs.postgres import OwnPostgresRun, PlanWriter
from bulksend.runs.postgres.connecting import connect
from bulksend.runs.postgres.landing import Landed, Landing
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.shards import shard_of
from bulksend.sending import News

NOW_S = time.time()
LATE_S = NOW_S + 3600  # who was cut off by the database's clock, was so before
NO_NEWS = News([], [])
CONNECTIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
OVER = "clock_timestamp() - interval '1 millisecond'"
ANA, BEN = PhoneNumber("639171234567"), PhoneNumber("639171234502")  # the second worker's
CONTACT, OTHER = ContactId(102), ContactId(103)  # the first one's
SHEET: Mapping[int, Recipient] = {1: CONTACT, 2: ANA, 3: CONTACT, 4: BEN, 5: OTHER, 6: CONTACT}


def rows_to(sheet: Mapping[int, Recipient]) -> list[PlannedRow]:
    return [
        PlannedRow(row, Status.PENDING, to, None, f"Hello {row}", Encoding.GSM7, 1, MicroUSD(1), "", b"[]")
        for row, to in sheet.items()
    ]


class Pair:
    """Two workers at a run, each with half of its account's shards."""

    def __init__(self, database: str, stack: ExitStack) -> None:
        self.database = database
        self._stack = stack
        self.plan("june", SHEET)
        self.first, self.second = self.worker(), self.worker()
        for each in (self.first, self.second):
            each.begin(self.run(each)).close()
        self.first.deal()
        self.second.deal()
        assert all(shard_of(each) in self.first.lease.shards for each in (CONTACT, OTHER))
        assert all(shard_of(each) in self.second.lease.shards for each in (ANA, BEN))

    def plan(self, name: str, sheet: Mapping[int, Recipient]) -> None:
        named = DatabaseRun(self.database, name)
        plan_in_database(named, rows_to(sheet), FACTS).close()
        with OwnPostgresRun.own(named, NOW_S) as run:
            run.open_for_workers(Orders((), True, True, NOW_S, True, 0.0), None, None, None)

    def worker(self) -> Worker:
        return self._stack.enter_context(Worker(self.database, FACTS.address))

    def run(self, worker: Worker, name: str = "june") -> OpenedRun:
        return next(each for each in worker.runs() if each.name == name)

    def worked(self, worker: Worker, name: str = "june") -> WorkedRun:
        """As a worker has it; of another run than that which both began with, as one that is over there already."""
        run = self.run(worker, name)
        if name == "june":
            return self._stack.enter_context(worker.begin(run))
        named = DatabaseRun(self.database, name)
        return self._stack.enter_context(WorkedRun.of_worker(named, run, worker.lease))

    def journal(self, worker: Worker, name: str = "june") -> GroupJournal:
        return self._stack.enter_context(closing(self.worked(worker, name).journal()))

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database, autocommit=True) as db:
            found = db.execute(sql)
            return found.fetchall() if found.description else []

    def first_is_gone(self) -> None:
        """The first worker is heard of no more, and the second has all shards."""
        nos = ",".join(map(str, self.first.lease.shards))
        self.execute(f"UPDATE bulksend.shard SET lease_until = {OVER} WHERE no IN ({nos})")
        self.execute(f"UPDATE bulksend.worker SET seen_until = {OVER} WHERE id = {self.first.lease.worker}")
        assert self.second.deal().mine == 64

    def contact_changes_hands(self) -> None:
        """The first worker was still for a while, and the second one has its contact's shard, but none else of it."""
        is_contacts = f"no = {shard_of(CONTACT)}"
        self.execute(f"UPDATE bulksend.shard SET lease_until = {OVER} WHERE {is_contacts}")
        self.execute(f"UPDATE bulksend.worker SET seen_until = {OVER} WHERE id = {self.first.lease.worker}")
        assert self.second.deal().mine == 33


@pytest.fixture
def pair(database: str) -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(database, stack)


def tells(row: int, contact: ContactId, phone: PhoneNumber = ANA, ended_at: float = NOW_S) -> Outcome:
    answer = Answer(f"SMS{row}", 1, 20_000, "0.02", "", phone, contact, MicroUSD(20_000))
    return Outcome(row, Event.ACCEPTED, True, ended_at, 200, answer, learned=(contact, phone))


async def begun(journal: GroupJournal, *rows: int) -> list[int]:
    return [each.message.row for each in await journal.begin(rows, NOW_S)]


def rows_of(news: News | None) -> list[int]:
    assert news is not None
    return [item.row for item in news.rows]


async def test_a_contacts_rows_move_to_the_shard_of_its_number_with_the_outcome_that_tells_it(pair: Pair) -> None:
    first, second = pair.journal(pair.first), pair.journal(pair.second)
    assert await second.news() == NO_NEWS
    assert [item.row for item in await second.claim(0, 9)] == [2, 4]
    assert await begun(first, 1) == [1]
    await first.settle([tells(1, CONTACT)], turn=0)
    assert await begun(first, 3) == []
    assert await first.claim(1, 9) == [(5, OTHER, 1)]
    news = await second.news()
    assert news == News([Queued(3, ANA, 1)], [(ANA, 1, NOW_S)])  # row 6 is still to be claimed
    assert await second.claim(4, 9) == [(6, ANA, 1)]
    assert await second.news() == NO_NEWS
    assert await begun(second, 3, 6) == [3, 6]


async def test_what_has_been_claimed_to_the_end_gets_all_rows_that_come(pair: Pair) -> None:
    first, second = pair.journal(pair.first), pair.journal(pair.second)
    await second.news()
    assert [item.row for item in await second.claim(0, 9)] == [2, 4]
    assert await second.claim(4, 9) == []
    await begun(first, 1)
    await first.settle([tells(1, CONTACT)], turn=0)
    assert rows_of(await second.news()) == [3, 6]


async def test_rows_that_come_before_they_are_claimed_are_claimed_once(pair: Pair) -> None:
    first, second = pair.journal(pair.first), pair.journal(pair.second)
    await second.news()
    await begun(first, 1)
    await first.settle([tells(1, CONTACT)], turn=0)
    assert [item.row for item in await second.claim(0, 3)] == [2, 3, 4]
    assert [item.row for item in await second.claim(4, 3)] == [6]
    assert await second.news() == News([], [(ANA, 1, NOW_S)])


async def test_no_row_begins_to_a_phone_before_what_others_sent_there_is_told(pair: Pair) -> None:
    first, second = pair.journal(pair.first), pair.journal(pair.second)
    await second.news()
    assert [item.row for item in await second.claim(0, 9)] == [2, 4]
    await begun(first, 1)
    await first.settle([tells(1, CONTACT)], turn=0)
    assert await begun(second, 2, 4) == [4]
    assert await begun(second, 2) == []
    assert await second.news() == News([Queued(2, ANA, 1), Queued(3, ANA, 1)], [(ANA, 1, NOW_S)])
    assert await begun(second, 2) == [2]


async def test_what_is_in_doubt_of_a_contact_is_told_as_well(pair: Pair) -> None:
    first, second = pair.journal(pair.first), pair.journal(pair.second)
    await second.news()
    await begun(first, 1)
    await first.settle([Outcome(1, Event.DOUBTED, True, NOW_S - 5)], turn=0)
    assert await second.news() == NO_NEWS
    await begun(first, 3)
    await first.settle([tells(3, CONTACT)], turn=0)
    news = await second.news()
    assert news is not None
    assert sorted(news.sends) == [(ANA, 1, NOW_S - 5), (ANA, 1, NOW_S)]


async def test_a_send_of_a_contact_whose_number_is_known_is_told_once(pair: Pair) -> None:
    first, second = pair.journal(pair.first), pair.journal(pair.second)
    await second.news()
    await begun(first, 1)
    await first.settle([tells(1, CONTACT)], turn=0)
    assert rows_of(await second.news()) == []
    await begun(second, 3)
    await second.settle([tells(3, CONTACT)], turn=0)
    assert await second.news() == await first.news() == NO_NEWS


async def test_whoever_has_both_shards_hears_nothing_and_keeps_the_rows(pair: Pair) -> None:
    first = pair.journal(pair.first)
    near = next(phone for n in range(100) if shard_of(phone := PhoneNumber(f"6391799999{n:02}")) in {0, 1, 2, 3})
    await first.news()
    await begun(first, 1)
    await first.settle([tells(1, CONTACT, near)], turn=0)
    assert await first.news() == NO_NEWS
    assert await begun(first, 3, 6) == [3, 6]


async def test_whoever_loses_shards_meanwhile_hears_of_who_has_them(pair: Pair) -> None:
    pair.first_is_gone()
    second = pair.journal(pair.second)
    assert await second.news() == NO_NEWS
    assert [item.row for item in await second.claim(0, 2)] == [1, 2]
    third = pair.worker()
    with pair.worked(third):
        nos = ",".join(map(str, range(32)))
        pair.execute(f"UPDATE bulksend.shard SET lease_until = {OVER} WHERE no IN ({nos})")
        assert third.deal().mine == 32
    others = pair.journal(third)
    await begun(others, 1)
    await others.settle([tells(1, CONTACT)], turn=0)
    assert [item.row for item in await second.claim(2, 2)] == [3, 4]
    pair.second.lease.renew()
    assert len(pair.second.lease.shards) == 32
    assert await begun(second, 2, 4) == [4]
    assert await second.news() == News([Queued(2, ANA, 1)], [(ANA, 1, NOW_S)])
    assert await begun(second, 2, 3) == [2, 3]


async def test_where_nobody_is_a_contact_nobody_hears_anything(pair: Pair) -> None:
    pair.execute("UPDATE bulksend.message SET contact = NULL")
    assert await pair.journal(pair.second).news() is None


async def test_whoever_takes_over_counts_what_was_sent_and_what_is_in_doubt(pair: Pair) -> None:
    first = pair.journal(pair.first)
    await begun(first, 1)
    await first.settle([tells(1, CONTACT)], turn=0)
    await begun(first, 5)
    pair.first_is_gone()
    second = pair.journal(pair.second)
    sends = [(who, slots) for who, slots, _ in await second.recent_sends(NOW_S - 60, LATE_S)]
    assert sends == [(ANA, 1), (OTHER, 1)]
    assert pair.execute("SELECT row, state FROM bulksend.send ORDER BY row") == [(1, "sent"), (5, "unknown")]
    assert await begun(second, 2, 3) == [2, 3]


async def test_what_is_under_way_is_in_doubt_when_its_shard_is_taken_though_its_row_has_moved(pair: Pair) -> None:
    first = pair.journal(pair.first)
    await begun(first, 1, 3)
    await first.settle([tells(1, CONTACT)], turn=0)
    assert pair.execute(f"SELECT row FROM bulksend.message WHERE shard = {shard_of(ANA)}") == [(2,), (3,), (6,)]
    pair.first_is_gone()
    second = pair.journal(pair.second)
    assert pair.execute("SELECT state FROM bulksend.send WHERE row = 3") == [("unknown",)]
    sends = [(who, slots) for who, slots, _ in await second.recent_sends(NOW_S - 60, LATE_S)]
    assert sends == [(ANA, 1), (ANA, 1)]


async def test_what_another_run_of_the_account_sends_to_a_contact_is_told(pair: Pair) -> None:
    first = pair.journal(pair.first)
    await begun(first, 1)
    pair.plan("july", {1: ANA, 2: CONTACT})
    second = pair.journal(pair.second, "july")
    await second.news()
    assert [item.row for item in await second.claim(0, 9)] == [1]
    await first.settle([tells(1, CONTACT)], turn=0)
    assert await begun(second, 1) == []
    assert await second.news() == News([Queued(1, ANA, 1)], [(ANA, 1, NOW_S)])


async def test_what_another_run_told_before_is_told_to_who_begins(pair: Pair) -> None:
    first = pair.journal(pair.first)
    await begun(first, 1)
    await first.settle([tells(1, CONTACT)], turn=0)
    pair.plan("july", {1: ANA, 2: CONTACT})
    assert await pair.journal(pair.second, "july").news() == News([], [(ANA, 1, NOW_S)])


async def test_a_worker_begins_with_the_numbers_that_the_account_knows_by_then(pair: Pair) -> None:
    account = "(SELECT id FROM bulksend.account)"
    pair.execute(f"INSERT INTO bulksend.account_number VALUES ({account}, {CONTACT}, '{ANA}'), ({account}, 7, '{BEN}')")
    for worker in (pair.first, pair.second):
        pair.worked(worker).learn_known()
    assert pair.execute("SELECT contact, phone FROM bulksend.number") == [(CONTACT, ANA)]
    second = pair.journal(pair.second)
    await second.news()
    assert [(item.row, item.recipient) for item in await second.claim(0, 9)] == [
        (1, ANA), (2, ANA), (3, ANA), (4, BEN), (6, ANA),
    ]  # fmt: skip
    assert await begun(pair.journal(pair.first), 1, 5) == [5]


async def test_a_phones_rows_are_crowded_together_however_they_name_it(pair: Pair) -> None:
    first, second = pair.journal(pair.first), pair.journal(pair.second)
    await begun(first, 1)
    await first.settle([tells(1, CONTACT)], turn=0)

    def is_crowded(recipient: Recipient, slots: int) -> bool:
        return recipient == ANA and slots > 2

    assert await first.crowded(is_crowded) == []
    assert [item.row for item in await second.crowded(is_crowded)] == [3, 6]


async def test_news_whose_transaction_failed_are_told_again(pair: Pair) -> None:
    first = pair.journal(pair.first)
    others = set(pair.execute(CONNECTIONS))
    second = pair.journal(pair.second)
    ((own,),) = set(pair.execute(CONNECTIONS)) - others
    await second.news()
    await second.claim(0, 9)
    await begun(first, 1)
    await first.settle([tells(1, CONTACT)], turn=0)
    pair.execute(f"SELECT pg_terminate_backend({own})")
    assert await second.news() == News([Queued(3, ANA, 1)], [(ANA, 1, NOW_S)])
    assert await second.news() == NO_NEWS


async def test_what_was_heard_in_a_transaction_that_failed_is_heard_in_the_next(pair: Pair) -> None:
    first, run = pair.journal(pair.first), pair.run(pair.second)
    with closing(connect(pair.database)) as db:
        landing = Landing(Reader(db, run.number, DatabaseRun(pair.database, run.name)), pair.second.lease)
        landing.heard()
        landing.committed()
        await begun(first, 1)
        await first.settle([tells(1, CONTACT)], turn=0)
        assert list(landing.begin([2, 4])) == [4]
        landing.rolled_back()
        heard = landing.heard()
        landing.rolled_back()
        assert heard == landing.heard() == ((Landed(ANA, 1, 1, NOW_S),), frozenset())
        landing.committed()
        assert landing.heard() == ((), frozenset())


async def test_whoever_lost_a_contacts_shard_tells_no_number_behind_its_owners_back(pair: Pair) -> None:
    first = pair.journal(pair.first)
    await begun(first, 1)
    pair.contact_changes_hands()
    second = pair.journal(pair.second)
    await first.settle([tells(1, CONTACT)], turn=0)
    assert pair.execute("SELECT state FROM bulksend.send WHERE row = 1") == [("unknown",)]
    assert pair.execute("SELECT * FROM bulksend.number") == []
    assert [item.recipient for item in await second.claim(0, 3)] == [ANA, CONTACT, BEN]
    assert await begun(second, 2, 3) == [2, 3]
    await second.settle([tells(3, CONTACT)], turn=0)
    assert pair.execute("SELECT contact FROM bulksend.number") == [(CONTACT,)]


async def test_what_went_to_a_contact_is_told_when_the_account_knows_its_number(pair: Pair) -> None:
    first, second = pair.journal(pair.first), pair.journal(pair.second)
    await second.news()
    assert [item.row for item in await second.claim(0, 9)] == [2, 4]
    await begun(first, 1)
    await first.settle([Outcome(1, Event.DOUBTED, True, NOW_S)], turn=0)
    account = "(SELECT id FROM bulksend.account)"
    pair.execute(f"INSERT INTO bulksend.account_number VALUES ({account}, {CONTACT}, '{ANA}')")
    pair.worked(pair.second).learn_known()
    assert await second.news() == NO_NEWS  # the first one may be sending to it
    pair.worked(pair.first).learn_known()
    assert await second.news() == News([Queued(3, ANA, 1)], [(ANA, 1, NOW_S)])
    assert await second.claim(4, 9) == [(6, ANA, 1)]


async def test_of_shards_that_a_worker_takes_over_it_learns_as_well(pair: Pair) -> None:
    run = pair.worked(pair.second)
    run.learn_known()
    account = "(SELECT id FROM bulksend.account)"
    pair.execute(f"INSERT INTO bulksend.account_number VALUES ({account}, {CONTACT}, '{ANA}')")
    run.learn_known()
    assert pair.execute("SELECT * FROM bulksend.number") == []
    pair.first_is_gone()
    run.learn_known()
    assert pair.execute("SELECT contact, phone FROM bulksend.number") == [(CONTACT, ANA)]


async def test_whoever_lost_its_shards_before_it_learned_moves_no_row_behind_their_owners_back(pair: Pair) -> None:
    """It stood still for longer than its lease, and does not know it yet."""
    worked = pair.worked(pair.first)
    pair.execute(f"INSERT INTO bulksend.account_number SELECT id, {CONTACT}, '{ANA}' FROM bulksend.account")
    pair.first_is_gone()
    worked.learn_known()
    assert pair.execute("SELECT * FROM bulksend.number") == []
    pair.worked(pair.second).learn_known()
    assert pair.execute("SELECT contact, phone FROM bulksend.number") == [(CONTACT, ANA)]


class Replanned(Pair):
    """The same of a run of which a row was sent, and is in doubt, before its input was changed."""

    def plan(self, name: str, sheet: Mapping[int, Recipient]) -> None:
        named = DatabaseRun(self.database, name)
        before = plan_in_database(named, rows_to(sheet), FACTS)
        journal = before.journal()
        asyncio.run(self._doubted(journal))
        journal.close()
        writer = PlanWriter(named)
        add_rows(writer, rows_to(sheet))
        writer.carry_over(before, FACTS.columns)
        with writer.finish(FACTS, Findings(), None, NOW_S, instead_of=before) as run:
            run.open_for_workers(Orders((), True, True, NOW_S, True, 0.0), None, None, None)

    @staticmethod
    async def _doubted(journal: GroupJournal) -> None:
        await journal.begin([1], NOW_S)
        await journal.settle([Outcome(1, Event.DOUBTED, True, NOW_S)], turn=0)


def test_what_was_sent_to_a_contact_before_its_input_was_changed_is_told_as_well(database: str) -> None:
    async def told(pair: Pair) -> News | None:
        second = pair.journal(pair.second)
        await second.news()
        await second.claim(0, 9)
        first = pair.journal(pair.first)
        assert await begun(first, 3) == [3]
        await first.settle([tells(3, CONTACT)], turn=0)
        return await second.news()

    with ExitStack() as stack:
        news = asyncio.run(told(Replanned(database, stack)))
    assert news is not None
    assert news.sends == [(ANA, 1, NOW_S)] * 2
