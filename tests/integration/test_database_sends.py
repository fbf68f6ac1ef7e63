"""A campaign is sent out of a database as out of a file: the engine, the caps and the sandbox are the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from conftest import SandboxServer, Start
from planned import plan_in_database
from runfiles import number, pending

from bulksend.campaign import Ended, SendOptions, held_account, send
from bulksend.engagespark import Target
from bulksend.model import Endpoint, MicroUSD, Status
from bulksend.runs import OwnRun, is_open_to_workers
from bulksend.runs.places import DatabaseRun
from bulksend.sending import Cap, Caps, Pace, Stopping, StopReason
from bulksend.when import Moment, Schedule

OPTIONS = SendOptions(Pace(), Caps((Cap.parse("63=100/60"),)))


def test_all_of_a_run_is_sent_and_none_of_it_twice(database: str) -> None:
    named = DatabaseRun(database, "june")
    rows = [pending(row, number(row)) for row in range(1, 51)]
    with plan_in_database(named, rows, base_url="") as run:
        for _ in range(2):
            ended = asyncio.run(send(run, None, None, OPTIONS, Stopping(), lambda _: None))
            assert ended.stop is None
            assert (ended.tally.statuses[Status.SENT], ended.tally.attempts) == (50, 50)


@contextmanager
def june_for(server: SandboxServer, database: str, recipients: int = 20) -> Iterator[OwnRun]:
    rows = [pending(row, number(row)) for row in range(1, recipients + 1)]
    with plan_in_database(DatabaseRun(database, "june"), rows, base_url=server.base_url, org_id=1) as run:
        yield run


def sent_to(server: SandboxServer, run: OwnRun, options: SendOptions = OPTIONS) -> Ended:
    target = Target(server.base_url, 1, Endpoint(run.facts.endpoint), "sandbox")
    with held_account(target, run, lambda _: None, wait=False) as account:
        return asyncio.run(send(run, account, target, options, Stopping(), lambda _: None))


def test_a_run_is_opened_anew_by_whoever_has_it_still(database: str, sandbox: Start) -> None:
    server = sandbox()
    with june_for(server, database) as run:
        assert sent_to(server, run, replace(OPTIONS, limit=5)).sent_now == 5
        assert sent_to(server, run).sent_now == 15
        assert not is_open_to_workers(DatabaseRun(database, "june"))
    assert len(server.accepted()) == 20


def test_a_send_whose_window_is_closed_leaves_no_open_run_behind(database: str, sandbox: Start) -> None:
    server = sandbox()
    with june_for(server, database) as run:
        run.times.keep(Schedule(Moment(time.time() + 3_600, "later", "UTC"), zone="UTC"))
        ended = sent_to(server, run)
        assert ended.stop is not None
        assert ended.stop.reason is StopReason.WINDOW_CLOSED
        assert not is_open_to_workers(DatabaseRun(database, "june"))
        run.times.keep(Schedule())
        assert sent_to(server, run).sent_now == 20


def test_a_budget_of_a_send_is_kept_by_the_run_and_its_end_told(database: str, sandbox: Start) -> None:
    server = sandbox()
    with june_for(server, database) as run:
        ended = sent_to(server, run, replace(OPTIONS, max_cost=MicroUSD(100_000)))
        assert ended.stop is not None
        assert (ended.stop.reason, ended.sent_now) == (StopReason.BUDGET_FILLED, 5)
        assert sent_to(server, run).sent_now == 15
