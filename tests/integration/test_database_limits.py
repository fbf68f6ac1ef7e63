"""What limits a run in a database holds for all processes that send it together, whoever dies in between."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from planned import FACTS, PlannedRow, plan_in_database

from bulksend.model import Answer, Attempt, Encoding, Event, Message, MicroUSD, Outcome, PhoneNumber, Status
from bulksend.runs.committing import GroupJournal
from bulksend.runs.owner import Owner
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun, shards
from bulksend.runs.postgres.bounds import open_bounds
from bulksend.runs.postgres.clock import Skew
from bulksend.runs.postgres.commons import Commons
from bulksend.runs.postgres.connecting import connect, transaction
from bulksend.runs.postgres.journal import Commits
from bulksend.runs.postgres.leases import Lease
from bulksend.runs.postgres.notes import Notes
from bulksend.runs.postgres.rates import SharedRate
from bulksend.runs.postgres.reader import Reader
from bulksend.sending import (
    ACCEPTED,
    FAILED,
    REJECTED,
    Caps,
    ErrorLimit,
    Errors,
    Money,
    Pace,
    Stop,
    Stopping,
    StopReason,
    Verdict,
    Voice,
    assemble,
)

NOW_S = 2_000.0
PART = 10_000
WORKERS = 4
OVER = "UPDATE bulksend.shard SET lease_until = clock_timestamp() - interval '1 s' WHERE no = ANY(%s)"


class Worker:
    """A process of several that send one run: its own connection, lease, shards and journal."""

    def __init__(self, run: OwnPostgresRun, place: DatabaseRun, no: int) -> None:
        self.run, self.place, self.no = run, place, no
        self.shards = list(range(no, 64, WORKERS))
        self.open()

    def open(self) -> None:
        """Take its shards, over from whoever had them."""
        self.db = connect(self.place.database)
        of = Reader(self.db, self.run.number, self.place)
        (epoch, account) = of.first("SELECT epoch, account FROM run WHERE id = %(run)s")
        self.lease = Lease(self.place, of.run, epoch, time.monotonic() + 1e9, clock_s=time.monotonic)
        with transaction(self.db):
            epochs = shards.take(self.db, account, self.shards, Owner.now(NOW_S), 600.0)
        self.lease.hold(account, epochs, time.monotonic())
        self.notes = Notes(of, self.lease, epoch, Skew(self.db), by_parts=True, limit=None)
        self.journal = GroupJournal(self.notes, Commits(self.notes), sharing=self.notes.commons)

    @property
    def commons(self) -> Commons:
        assert self.notes.commons is not None
        return self.notes.commons

    def die(self) -> None:
        """Without a word; whoever comes next finds what it left."""
        self.journal.close()
        self.lease.close()
        self.db.close()
        with psycopg.connect(self.place.database, autocommit=True) as db:
            db.execute(OVER, [self.shards])


class Company:
    """Workers of one run, and what a test asks behind their backs."""

    def __init__(self, database: str, stack: ExitStack, parts: list[int], prefixes: list[str]) -> None:
        self.place = DatabaseRun(database, "spring")
        rows = [
            PlannedRow(
                row, Status.PENDING, PhoneNumber(f"{prefix}91{row:08}"), None, f"Hello {row}", Encoding.GSM7, count,
                MicroUSD(count * PART), "", b"[]",
            )
            for row, (count, prefix) in enumerate(zip(parts, prefixes, strict=True), 1)
        ]  # fmt: skip
        plan_in_database(self.place, rows, FACTS).close()
        self.run = stack.enter_context(OwnPostgresRun.own(self.place, NOW_S))
        self._stack = stack

    def bound(self, money: Money | None, errors: Errors | None) -> None:
        with connect(self.place.database) as db, transaction(db):
            open_bounds(Reader(db, self.run.number, self.place), money, errors)

    def work(self, many: int = WORKERS) -> list[Worker]:
        workers = [Worker(self.run, self.place, no) for no in range(many)]
        for each in workers:
            self._stack.callback(each.die)
        return workers

    def ask(self, sql: str) -> tuple[object, ...]:
        with psycopg.connect(self.place.database) as db:
            return db.execute(sql).fetchone() or ()

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.place.database, autocommit=True) as db:
            db.execute(sql)

    def await_waiting(self, many: int) -> None:
        """Wait until so many of the database wait for others, or for a moment."""
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        until_s = time.monotonic() + 2
        while self.ask(waits) != (many,) and time.monotonic() < until_s:
            time.sleep(0.01)

    def take_over(self, worker: Worker) -> None:
        """Somebody else takes a worker's shards over, which is taken to be gone."""
        self.execute(OVER.replace("%s", f"ARRAY{worker.shards}"))
        with connect(self.place.database) as db, transaction(db):
            shards.take(db, self.account, worker.shards, Owner.now(NOW_S), 600.0)

    @property
    def account(self) -> int:
        return int(str(self.ask("SELECT id FROM bulksend.account")[0]))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def outcome(attempt: Attempt, event: Event, charged: int = 0) -> Outcome:
    row, in_doubt = attempt.message.row, attempt.in_doubt
    if event is not Event.ACCEPTED:
        final = event in {Event.REJECTED, Event.DOUBTED}
        return Outcome(row, event, final=final, ended_at=NOW_S, error="why", in_doubt=in_doubt)
    answer = Answer(f"SMS{row}", attempt.message.parts, charged, "", "", "", None, MicroUSD(charged))
    return Outcome(row, event, final=True, ended_at=NOW_S, http_status=201, answer=answer, in_doubt=in_doubt)


def mine(worker: Worker, company: Company, many: int) -> list[int]:
    with psycopg.connect(company.place.database) as db:
        sql = "SELECT row FROM bulksend.message WHERE shard = ANY(%s) AND row <= %s ORDER BY row"
        return [row for (row,) in db.execute(sql, [worker.shards, many]).fetchall()]


@pytest.mark.parametrize("seed", range(6))
async def test_four_processes_never_cost_more_than_the_run_may(database: str, stack: ExitStack, seed: int) -> None:
    rng = random.Random(seed)
    many = 160
    parts = [rng.randint(1, 3) for _ in range(many)]
    company = Company(database, stack, parts, [rng.choice(["63", "49"]) for _ in range(many)])
    real = {"63": rng.choice([PART, PART // 2, 2 * PART]), "49": PART}
    limit = rng.choice([20, 90, 200]) * PART
    company.bound(Money(limit, PART, {}, {}), None)
    workers = company.work()
    charged = in_doubt = 0
    rest = {each.no: mine(each, company, many) for each in workers}

    async def send(worker: Worker, chance: random.Random) -> None:
        nonlocal charged, in_doubt
        for _ in range(60):
            todo = rest[worker.no]
            if not todo or worker.commons.told().stop:
                return
            wanted = todo[: chance.randint(1, 8)]
            attempts = await worker.journal.begin(wanted, NOW_S)
            begun = {each.message.row for each in attempts}
            rest[worker.no] = [row for row in todo if row not in begun]
            if chance.random() < 0.08:  # killed: all of these may have been accepted, and cost what they cost
                in_doubt += sum(each.message.parts * real[str(each.message.recipient)[:2]] for each in attempts)
                worker.die()
                worker.open()
                continue
            ends = []
            for each in attempts:
                cost = each.message.parts * real[str(each.message.recipient)[:2]]
                event = chance.choice([Event.ACCEPTED] * 6 + [Event.REJECTED, Event.DOUBTED, Event.PUT_OFF])
                charged += cost if event is Event.ACCEPTED else 0
                in_doubt += cost if event is Event.DOUBTED else 0
                if event is Event.PUT_OFF:
                    rest[worker.no].append(each.message.row)
                ends.append(outcome(each, event, cost))
            await asyncio.sleep(chance.random() / 200)
            await worker.journal.settle(ends, turn=0)
            if not attempts:
                await asyncio.sleep(0.005)

    await asyncio.gather(*(send(each, random.Random(100 * seed + each.no)) for each in workers))
    # What the first of a kind costs beyond its plan's price nobody can bound; of those in doubt none may have told.
    firsts = company.ask("SELECT count(*) FROM bulksend.send WHERE state = 'unknown'")[0]
    excess = sum(3 * max(0, price - PART) for price in real.values()) * (1 + int(str(firsts)))
    assert charged + (in_doubt if real["63"] <= PART else 0) <= limit + (excess if real["63"] > PART else 0)
    [left] = company.ask("SELECT cost_left FROM bulksend.bound")
    [held] = company.ask(
        "SELECT coalesce(sum(held), 0)::bigint FROM bulksend.send WHERE state IN ('in flight', 'unknown')"
    )
    assert (left, held) == (limit - charged - int(str(held)), held)
    if real["63"] <= PART:
        assert int(str(left)) >= 0


async def test_the_first_of_a_kind_goes_alone_whoever_has_it_and_its_answer_tells_all(
    database: str, stack: ExitStack
) -> None:
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(Money(1_000 * PART, PART, {}, {}), None)
    one, two = company.work(2)
    ones, twos = mine(one, company, 40), mine(two, company, 40)
    [first] = await one.journal.begin(ones[:3], NOW_S)
    assert [one.commons.waits(row) for row in ones[:3]] == [False, True, True]
    assert await two.journal.begin(twos[:3], NOW_S) == []
    assert all(map(two.commons.waits, twos[:3]))
    await one.journal.settle([outcome(first, Event.ACCEPTED, 3 * PART)], turn=0)
    assert len(await two.journal.begin(twos[:3], NOW_S)) == 3
    assert not any(map(two.commons.waits, twos[:3]))
    assert company.ask("SELECT cost_left, dearest_part FROM bulksend.bound") == (1_000 * PART - 12 * PART, 3 * PART)
    assert company.ask("SELECT sum(held)::int FROM bulksend.send WHERE state = 'in flight'") == (9 * PART,)


async def test_rows_wait_for_money_until_they_are_asked_for_again(database: str, stack: ExitStack) -> None:
    """Outcomes may be committed before anybody has asked which rows wait."""
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(Money(3 * PART, PART, {}, {}), None)
    [one] = company.work(1)
    ones = mine(one, company, 40)
    [first] = await one.journal.begin(ones[:3], NOW_S)
    await one.journal.settle([outcome(first, Event.ACCEPTED, PART)], turn=0)
    assert [one.commons.waits(row) for row in ones[:3]] == [False, True, True]
    assert len(await one.journal.begin(ones[1:3], NOW_S)) == 2
    assert not any(map(one.commons.waits, ones))


async def test_whose_first_was_killed_lets_the_next_find_out_and_its_price_stays_held(
    database: str, stack: ExitStack
) -> None:
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(Money(10 * PART, PART, {}, {}), None)
    one, two = company.work(2)
    await one.journal.begin(mine(one, company, 40)[:1], NOW_S)
    twos = mine(two, company, 40)
    assert await two.journal.begin(twos[:1], NOW_S) == []
    one.die()
    one.open()
    assert len(await two.journal.begin(twos[:2], NOW_S)) == 1
    assert company.ask("SELECT cost_left FROM bulksend.bound") == (8 * PART,)


async def test_a_filled_budget_ends_the_run_for_all_once_nothing_is_under_way(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(Money(PART, PART, {}, {}), None)
    one, two = company.work(2)
    twos = mine(two, company, 40)
    [first] = await one.journal.begin(mine(one, company, 40)[:1], NOW_S)
    assert await two.journal.begin(twos[:1], NOW_S) == []
    assert two.commons.told().stop is None  # what is under way may be refused, and give its price back
    await one.journal.settle([outcome(first, Event.ACCEPTED, PART)], turn=0)
    assert await two.journal.begin(twos[:1], NOW_S) == []
    await one.journal.settle([], turn=0)
    for each in (one, two):
        assert each.commons.told().stop == Stop(StopReason.BUDGET_FILLED, "the next message would exceed the budget")


async def test_errors_of_all_processes_together_end_the_run_for_each(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(None, Errors(ErrorLimit(3, is_percent=False)))
    one, two = company.work(2)
    for worker in (one, two, one):
        attempts = await worker.journal.begin(mine(worker, company, 40), NOW_S)
        await worker.journal.settle([outcome(each, Event.PUT_OFF) for each in attempts[2:]], turn=0)
        await worker.journal.settle([outcome(each, Event.REJECTED) for each in attempts[:2]], turn=0)
        if worker is one and company.ask("SELECT bad FROM bulksend.bound") == (2,):
            assert one.commons.told().stop is None
    says = "4 of 4 rows could not be sent, more than the limit of 3"
    await two.journal.settle([], turn=0)
    for each in (one, two):
        told = each.commons.told().stop
        assert told is not None
        assert (told.reason, told.says) == (StopReason.TOO_MANY_ERRORS, says)


async def test_a_row_that_failed_and_is_sent_after_all_is_no_error(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(None, Errors(ErrorLimit(3, is_percent=False)))
    [one] = company.work(1)
    row = mine(one, company, 40)[0]
    for event in (Event.FAILED, Event.FAILED, Event.ACCEPTED):
        [attempt] = await one.journal.begin([row], NOW_S)
        await one.journal.settle([outcome(attempt, event, PART)._replace(final=True)], turn=0)
        assert company.ask("SELECT done, bad FROM bulksend.bound") == (1, int(event is Event.FAILED))


async def test_who_is_asked_for_quiet_or_finds_nobody_tells_all(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 8, ["63"] * 8)
    one, two = company.work(2)
    one.commons.note_quiet(60.0)
    one.commons.note_absence()
    one.commons.note_stop(Stop(StopReason.OUT_OF_FUNDS, "no money"))
    one.commons.note_stop(Stop(StopReason.ALL_REJECTED, "later"))
    await one.journal.settle([], turn=0)
    await two.journal.settle([], turn=0)
    told = two.commons.told()
    assert told.stop == Stop(StopReason.OUT_OF_FUNDS, "no money")
    assert 59 < told.quiet_s <= 60
    assert told.absences == 1


async def test_who_tells_of_an_end_and_who_finds_one_do_not_wait_for_each_other(
    database: str, stack: ExitStack
) -> None:
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(None, Errors(ErrorLimit(0, is_percent=False)))
    one, two = company.work(2)
    [[ones], [twos]] = [await each.journal.begin(mine(each, company, 40)[:1], NOW_S) for each in (one, two)]
    company.execute(
        """CREATE FUNCTION bulksend.wait() RETURNS trigger LANGUAGE plpgsql
           AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;
           CREATE TRIGGER waiting BEFORE UPDATE ON bulksend.bound FOR EACH ROW EXECUTE FUNCTION bulksend.wait()"""
    )
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = company.ask(deadlocks)
    finding = two.journal.settle([outcome(twos, Event.REJECTED)], turn=0)
    await asyncio.sleep(0.2)  # its limits are locked by now, and the end is not noted yet
    one.commons.note_stop(Stop(StopReason.OUT_OF_FUNDS, "no money"))
    await asyncio.gather(one.journal.settle([outcome(ones, Event.REJECTED)], turn=0), finding)
    assert company.ask("SELECT reason, (SELECT bad FROM bulksend.bound) FROM bulksend.stop") == ("too many errors", 2)
    company.execute("DROP FUNCTION bulksend.wait() CASCADE")
    assert company.ask(deadlocks) == before


class Server:
    """Answers each message for a price; from one on it asks for quiet, or says that there is no money."""

    def __init__(self, cost: int, *, ends_from: int = 10**9, quiet_from: int = 10**9, rejects_to: int = 0) -> None:
        self.cost, self.ends_from, self.quiet_from, self.rejects_to = cost, ends_from, quiet_from, rejects_to
        self.left_at: list[float] = []
        self.asked_at: float | None = None
        self.accepted = 0

    async def send(self, message: Message, dedup_key: str | None, leaves: Callable[[], bool]) -> Verdict:
        assert leaves()
        assert dedup_key is None
        self.left_at.append(time.monotonic())
        await asyncio.sleep(0.01)
        if len(self.left_at) >= self.ends_from:
            return Verdict(REJECTED._replace(event=Event.PUT_OFF, ends=StopReason.OUT_OF_FUNDS), 402, says="no money")
        if len(self.left_at) >= self.quiet_from and self.asked_at is None:
            self.asked_at = time.monotonic()
            return Verdict(FAILED, 429, says="slower", retry_after_s=1.0, slow=True, voice=Voice.BUSY)
        if len(self.left_at) <= self.rejects_to:
            return Verdict(REJECTED, 422, says="no such organization", voice=Voice.API)
        self.accepted += 1
        answer = Answer(f"SMS{message.row}", 1, self.cost, "", "", "", None, MicroUSD(self.cost))
        return Verdict(ACCEPTED, 201, answer, voice=Voice.API)

    async def is_there(self) -> bool:
        return True


async def together(company: Company, server: Server, many: int = 2) -> list[Stop | None]:
    """Engines of several processes send one run at once."""
    engines = [
        assemble(each.journal, server, Stopping(), Caps(), Pace(concurrency=4), keys=None)
        for each in company.work(many)
    ]
    return await asyncio.gather(*(each.run() for each in engines))


async def test_engines_together_spend_what_the_run_may_cost_and_end_as_one(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 80, ["63"] * 80)
    company.bound(Money(30 * PART, PART, {}, {}), None)
    server = Server(PART)
    stops = await together(company, server)
    assert server.accepted == 30
    assert [each and each.reason for each in stops] == [StopReason.BUDGET_FILLED] * 2


async def test_who_hears_that_there_is_no_money_ends_all_engines(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 400, ["63"] * 400)
    server = Server(PART, ends_from=40)
    stops = await together(company, server)
    assert [each and (each.reason, each.says) for each in stops] == [(StopReason.OUT_OF_FUNDS, "no money")] * 2
    assert len(server.left_at) < 100


async def test_where_errors_are_limited_a_run_goes_on_though_all_are_rejected_alike(
    database: str, stack: ExitStack
) -> None:
    company = Company(database, stack, [1] * 300, ["63"] * 300)
    company.bound(None, Errors(ErrorLimit(1_000, is_percent=False)))
    server = Server(PART, rejects_to=10**9)
    assert await together(company, server, 4) == [None] * 4
    assert len(server.left_at) == 300


async def test_no_engine_starts_a_message_while_one_was_asked_for_quiet(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 1_200, ["63"] * 1_200)
    server = Server(PART, quiet_from=40)
    await together(company, server)
    assert server.asked_at is not None
    during = [at for at in server.left_at if server.asked_at + 0.2 < at < server.asked_at + 0.95]
    assert during == []
    assert server.accepted == len(server.left_at) - 1


async def test_processes_together_keep_an_accounts_rate_in_any_second(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 8, ["63"] * 8)
    rate, until = 200.0, time.monotonic() + 2.5
    account = int(str(company.ask("SELECT id FROM bulksend.account")[0]))
    shared = [SharedRate(company.place.database, account, rate) for _ in range(4)]
    left: list[float] = []

    async def send(one: SharedRate, wanted: int) -> None:
        while time.monotonic() < until:
            count = await one.at_once(wanted)
            if not count:
                await one.one(wanted)
                count = 1
            left.extend([time.monotonic()] * count)

    await asyncio.gather(*(send(each, wanted) for each, wanted in zip(shared, (1, 8, 64, 64), strict=True)))
    for each in shared:
        each.close()
    left.sort()
    most = max(sum(1 for at in left if since <= at < since + 1) for since in left)
    assert most <= 1.1 * rate
    assert len(left) > 0.8 * rate * 2.4


async def test_a_rate_of_less_than_one_message_in_minutes_is_kept_however_many_wait(
    database: str, stack: ExitStack
) -> None:
    company = Company(database, stack, [1], ["63"])
    account, span_s = int(str(company.ask("SELECT id FROM bulksend.account")[0])), 500.0
    asked = "SELECT free_at - extract(epoch FROM clock_timestamp()) FROM bulksend.pacing"
    shared = [SharedRate(company.place.database, account, 1 / span_s) for _ in range(4)]
    waiting = [asyncio.create_task(each.one(1)) for each in shared]
    async with asyncio.timeout(10):
        while company.ask(asked) < ((len(shared) - 0.5) * span_s,):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    for task, each in zip(waiting, shared, strict=True):
        task.cancel()
        each.close()


async def test_a_start_writes_no_row_anew_that_was_sent(database: str, stack: ExitStack) -> None:
    company = Company(database, stack, [1] * 40, ["63"] * 40)
    company.bound(Money(10 * PART, PART, {"63": PART}, {}), Errors(ErrorLimit(9, is_percent=False)))
    [one] = company.work(1)
    events = (Event.ACCEPTED, Event.REJECTED, Event.DOUBTED)
    for row, event in zip(mine(one, company, 40), events, strict=False):
        attempts = await one.journal.begin([row], NOW_S)
        await one.journal.settle([outcome(each, event, PART) for each in attempts], turn=0)
    assert company.ask("SELECT held, bad FROM bulksend.send WHERE state = 'unknown'") == (PART, True)
    before = company.ask("SELECT ctid FROM bulksend.send WHERE state = 'sent'")
    company.run.note_start(NOW_S)
    assert company.ask("SELECT ctid FROM bulksend.send WHERE state = 'sent'") == before
    assert company.ask("SELECT count(*) FROM bulksend.send WHERE state <> 'sent' AND (held > 0 OR bad)") == (0,)


async def test_a_process_with_less_of_its_own_takes_no_more_of_an_accounts_rate(
    database: str, stack: ExitStack
) -> None:
    company = Company(database, stack, [1] * 8, ["63"] * 8)
    began = time.monotonic()
    account = int(str(company.ask("SELECT id FROM bulksend.account")[0]))

    async def sent(one: SharedRate) -> int:
        count = 0
        while time.monotonic() < began + 2:
            await one.one(32)
            count += 1 + await one.at_once(31)
        return count

    both = SharedRate(database, account, 100.0), SharedRate(database, account, 100.0, 5.0)
    much, little = await asyncio.gather(*map(sent, both))
    for each in both:
        each.close()
    assert little <= 12
    assert 150 < much <= 210


async def test_an_outcome_and_whoever_takes_its_row_over_do_not_both_decide_what_it_cost(
    database: str, stack: ExitStack
) -> None:
    total = 10 * PART
    company = Company(database, stack, [1] * 8, ["63"] * 8)
    company.bound(Money(total, PART, {}, {}), None)
    (worker,) = company.work(1)
    row = mine(worker, company, 8)[0]
    (attempt,) = await worker.journal.begin([row], NOW_S)
    with psycopg.connect(database) as other:  # stands in the way of what an answer tells of prices
        other.execute("LOCK TABLE bulksend.price IN SHARE MODE")
        settling = asyncio.ensure_future(worker.journal.settle([outcome(attempt, Event.ACCEPTED, PART // 2)], turn=0))
        await asyncio.to_thread(company.await_waiting, 1)
        taking = asyncio.ensure_future(asyncio.to_thread(company.take_over, worker))
        waiting = asyncio.ensure_future(asyncio.to_thread(company.await_waiting, 2))
        await asyncio.wait({taking, waiting}, return_when=asyncio.FIRST_COMPLETED)
        other.rollback()
        await asyncio.gather(settling, taking)
    (held,) = company.ask("SELECT coalesce(sum(held) FILTER (WHERE state <> 'sent'), 0)::bigint FROM bulksend.send")
    (paid,) = company.ask("SELECT coalesce(sum(charged) FILTER (WHERE state = 'sent'), 0)::bigint FROM bulksend.send")
    (left,) = company.ask("SELECT cost_left FROM bulksend.bound")
    assert int(str(left)) + int(str(held)) + int(str(paid)) == total
