"""A campaign is sent out of a database as out of a file: the engine, the caps and the sandbox are the same."""

from __future__ import annotations

import asyncio

from planned import plan_in_database
from runfiles import number, pending

from bulksend.campaign import SendOptions
from bulksend.campaign.sends import send
from bulksend.model import Status
from bulksend.runs.places import DatabaseRun
from bulksend.sending import Cap, Caps, Pace, Stopping


def test_all_of_a_run_is_sent_and_none_of_it_twice(database: str) -> None:
    named = DatabaseRun(database, "june")
    rows = [pending(row, number(row)) for row in range(1, 51)]
    options = SendOptions(Pace(), Caps((Cap.parse("63=100/60"),)))
    with plan_in_database(named, rows, base_url="") as run:
        for _ in range(2):
            ended = asyncio.run(send(run, None, None, options, Stopping(), lambda _: None))
            assert ended.stop is None
            assert (ended.tally.statuses[Status.SENT], ended.tally.attempts) == (50, 50)
