"""A database whose server is away for a moment ends no worker, and nothing goes twice for it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from databases import own
from hostile import Settings
from teams import Team, ended, rows

from bulksend.runs.postgres import install


@pytest.mark.long
def test_workers_go_on_when_the_database_is_back(tmp_path: Path) -> None:
    with own() as cluster, ExitStack() as stack:
        database = cluster.server.database()
        install(database)
        team = Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=True))
        team.plan(rows(250))
        workers = [team.worker("--lease", "6") for _ in range(2)]
        for accepted in (30, 120):
            team.await_accepted(accepted)
            cluster.stop("immediate")
            time.sleep(0.5)
            cluster.start()
        assert [ended(worker) for worker in workers] == [0, 0], team.said()
        assert (team.statuses(), team.twice()) == ({"sent": 250}, [])
