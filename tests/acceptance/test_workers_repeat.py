"""What a killed worker had under way others repeat, where the server knows keys: nobody gives a second command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from hostile import Settings
from judging import cap_violations
from teams import Team, ended, rows

_UNDER_WAY = """
SELECT owner::json->>'pid' FROM bulksend.send JOIN bulksend.shard ON shard.no = send.shard AND shard.epoch = send.epoch
WHERE state = 'in flight' AND ticket IS NOT NULL
"""
_BEGUN = "SELECT count(*) FROM bulksend.send"


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[Team]:
    with ExitStack() as stack:
        yield Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.1, knows_dedup=True))


def await_all_begun(team: Team, count: int) -> int:
    """Wait until nothing is left to begin; a process that has something under way still."""
    until = time.monotonic() + 20
    with psycopg.connect(team.database, autocommit=True) as db:
        while time.monotonic() < until:
            (begun,) = db.execute(_BEGUN).fetchone() or (0,)
            if begun == count and (pids := db.execute(_UNDER_WAY).fetchall()):
                return int(pids[0][0])
            time.sleep(0.005)
    pytest.fail(team.said())


def test_what_a_killed_worker_had_under_way_is_sent_exactly_once(team: Team) -> None:
    team.plan(rows(200))
    first, second = team.worker(), team.worker()
    team.await_accepted(60)
    first.kill()
    assert ended(second) == 0, team.said()
    assert (team.statuses(), team.twice()) == ({"sent": 200}, [])
    assert list(cap_violations(team.server)) == []


@pytest.mark.long
def test_also_where_nothing_else_was_left_to_send(team: Team) -> None:
    team.plan(rows(120))
    workers = [team.worker(), team.worker()]
    team.await_accepted(40)
    team.server.change(replace(team.server.settings, latency_s=0.6))
    pid = await_all_begun(team, 120)
    for worker in workers:
        if worker.pid == pid:
            worker.kill()
    assert sorted(ended(worker) for worker in workers) == [-9, 0], team.said()
    assert (team.statuses(), team.twice()) == ({"sent": 120}, [])
    assert team.server.records("duplicate")


@pytest.mark.long
def test_at_a_server_that_forgot_its_keys_nothing_of_a_killed_worker_is_repeated(team: Team) -> None:
    team.plan(rows(200))
    first, second = team.worker(), team.worker()
    team.await_accepted(60)
    team.server.change(replace(team.server.settings, knows_dedup=False))
    team.await_accepted(80)
    first.kill()
    assert ended(second) in {0, 1}, team.said()
    seen = team.statuses()
    assert team.twice() == []
    assert set(seen) == {"sent", "unknown"}
    assert seen["unknown"] <= 8  # under way, and noted ahead
