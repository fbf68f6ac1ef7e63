"""A database whose server is away for a moment ends no worker, and nothing goes twice for it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from databases import own
from hostile import Settings
from teams import Team, ended, rows

from bulksend.runs.postgres import install

_REFUSE = """
CREATE FUNCTION bulksend.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$;
CREATE TRIGGER refusing BEFORE UPDATE ON bulksend.send EXECUTE FUNCTION bulksend.refuse()
"""


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


def test_what_a_database_refused_to_note_is_in_doubt_and_the_run_ends(tmp_path: Path, database: str) -> None:
    """As one whose disk is full for a moment does."""
    with ExitStack() as stack:
        team = Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=1, knows_dedup=False))
        team.plan(rows(4))
        worker = team.worker("--timeout", "5")
        with psycopg.connect(database, autocommit=True) as db:
            while db.execute("SELECT count(*) FROM bulksend.send").fetchone() != (4,):
                time.sleep(0.05)
            db.execute(_REFUSE)
            time.sleep(2)
            db.execute("DROP TRIGGER refusing ON bulksend.send")
        assert ended(worker) == 0, team.said()
        assert (team.statuses(), team.twice()) == ({"sent": 1, "unknown": 3}, [])  # the first goes alone
