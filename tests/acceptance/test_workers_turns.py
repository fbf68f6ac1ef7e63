"""Runs of an account that are left to workers have their turns, whenever each is due and whoever looks at it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from hostile import Settings
from judging import Row
from teams import Team, ended

from bulksend.runs import Address, DatabaseRun, Worker, open_run


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[Team]:
    with ExitStack() as stack:
        yield Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False))


def sheet(name: str, count: int) -> list[Row]:
    return [Row(f"49151{number:08}", f"{name} {number}") for number in range(1, count + 1)]


def sent(team: Team, name: str) -> int:
    with open_run(DatabaseRun(team.database, name)) as run:
        return run.tally().statuses["sent"]  # type: ignore[index]


def test_a_run_that_comes_due_while_another_is_sent_and_that_one_both_end(team: Team) -> None:
    team.plan(sheet("june", 100), "--start-at", "tomorrow 09:00")
    team.plan(sheet("july", 400), "--run", f"{team.database}#july")
    first = team.worker()
    team.await_accepted(20)
    with psycopg.connect(team.database, autocommit=True) as db:  # its moment has come
        db.execute("DELETE FROM bulksend.fact WHERE name = 'schedule'")
    second = team.worker()
    while len(team.shards()) < 2:
        assert (first.poll(), second.poll()) == (None, None), team.said()
    team.hurry()
    assert (ended(first), ended(second)) == (0, 0), team.said()
    assert (sent(team, "june"), sent(team, "july")) == (100, 400)
    assert team.twice() == []


def test_a_send_whose_run_others_came_before_has_its_turn_after_theirs(team: Team) -> None:
    """They began when it had given its shards back, and not begun itself."""
    team.plan(sheet("june", 20))
    address = Address(1, team.server.base_url)
    with Worker(team.database, address) as other:
        (june,) = other.runs()
        other.begin(june).close()
        team.write(sheet("july", 20))
        july = team.sender("--run", f"{team.database}#july")
        while len(other.runs()) < 2:
            assert july.poll() is None
            time.sleep(0.02)
        time.sleep(0.5)
        assert team.server.records("accepted") == []
        other.leave()
        assert ended(july) == 0
    assert sent(team, "july") == 20


@pytest.mark.parametrize("words", ["resolve {run} --base-url {url}", "purge {run} --older-than 30d"])
def test_whoever_looks_after_a_run_that_was_left_to_workers_leaves_it_to_them(team: Team, words: str) -> None:
    team.plan(sheet("june", 20))
    said = team(*words.format(run=f"{team.database}#june", url=team.server.base_url).split())
    assert ended(team.worker()) == 0
    assert sent(team, "june") == 20, said.stderr


def test_workers_wait_for_a_run_file_of_their_account_that_is_sent_here(team: Team) -> None:
    team.plan(sheet("june", 3))
    team.write(sheet("july", 40))
    july = team.sender("--run", "july.run", "--force", "--concurrency", "1")
    team.await_accepted(2)
    worker = team.worker()
    assert ended(july) == 0
    assert ended(worker) == 0, team.said()
    texts = [record["text"] for record in team.server.records("accepted")]
    assert [text.split()[0] for text in texts] == ["july"] * 40 + ["june"] * 3
