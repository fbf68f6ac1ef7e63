"""``send`` into a database is one worker of as many as there are, and ends as it does with a file."""

from __future__ import annotations

import csv
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from databases import own
from forks import Process
from hostile import PRICE_MICRO, Settings
from judging import cap_violations
from teams import CUT, Team, ended, rows

from bulksend.runs import DatabaseRun, open_run
from bulksend.runs.postgres import install


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[Team]:
    with ExitStack() as stack:
        yield Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False))


def ends(sender: Process) -> tuple[int, str]:
    _, said = sender.communicate(timeout=20)
    return sender.wait(), said


def results(team: Team, name: str) -> Counter[str]:
    with (team.folder / name).open(newline="") as lines:
        return Counter(record["status"] for record in csv.DictReader(lines))


def end_of(team: Team) -> str:
    with open_run(DatabaseRun(team.database, "june")) as run:
        return run.spell.end.reason if run.spell.end else ""


def test_workers_help_with_a_send_which_ends_with_its_results(team: Team) -> None:
    team.write(rows(400))
    sender = team.sender()
    team.await_accepted(20)
    worker = team.worker()
    code, said = ends(sender)
    assert (code, ended(worker)) == (0, 0), said
    assert "1 other worker is at work on it, too." in said
    assert results(team, "june.results.csv") == {"sent": 400}
    assert (team.statuses(), team.twice()) == ({"sent": 400}, [])
    assert list(cap_violations(team.server)) == []


def test_ctrl_c_ends_the_own_part_alone_where_others_are_at_work(team: Team) -> None:
    team.write(rows(400))
    sender = team.sender()
    team.await_accepted(20)
    worker = team.worker()
    while len(team.shards()) < 2:
        assert sender.poll() is None
    sender.send_signal(signal.SIGINT)
    code, said = ends(sender)
    assert code == 130, said
    assert "1 other worker goes on with it: bulksend stop" in said
    team.hurry()
    assert ended(worker) == 0
    assert (team.statuses(), team.twice()) == ({"sent": 400}, [])


@pytest.mark.long
def test_ctrl_c_ends_a_run_that_nobody_else_sends_until_the_same_command_goes_on(team: Team) -> None:
    team.write(rows(300))
    sender = team.sender()
    team.await_accepted(20)
    sender.send_signal(signal.SIGINT)
    code, said = ends(sender)
    assert code == 130, said
    assert "goes on with it" not in said
    assert end_of(team) == "interrupted"
    assert results(team, "june.results.csv").keys() == {"sent", "pending"}
    accepted = len(team.server.records("accepted"))
    assert ended(team.worker()) == 0
    assert len(team.server.records("accepted")) == accepted
    code, said = ends(team.sender())
    assert code == 0, said
    assert (team.statuses(), team.twice()) == ({"sent": 300}, [])


def test_the_same_command_again_joins_those_who_send(team: Team) -> None:
    team.write(rows(400))
    first = team.sender()
    team.await_accepted(20)
    second = team.sender("--results", "others.csv")
    code, said = ends(second)
    assert code == 0, said
    assert "This process joins them" in said
    assert ends(first)[0] == 0
    assert results(team, "others.csv") == results(team, "june.results.csv") == {"sent": 400}
    assert (team.statuses(), team.twice()) == ({"sent": 400}, [])


def test_a_budget_holds_for_a_send_and_who_helps_it(team: Team) -> None:
    budget = 100 * PRICE_MICRO
    (team.folder / "rates.csv").write_text(f"prefix,microUSD\n49,{PRICE_MICRO}\n63,{PRICE_MICRO}\n")
    team.write(rows(400))
    sender = team.sender("--max-cost", f"{budget / 1e6:g}", "--rates", "rates.csv")
    team.await_accepted(10)
    worker = team.worker()
    code, said = ends(sender)
    assert (code, ended(worker)) == (3, 0), said
    cost = sum(record["price"] for record in team.server.records("accepted"))
    assert 0.8 * budget < cost <= budget
    assert end_of(team) == "budget filled"
    assert "--max-cost" in said


@pytest.mark.long
def test_what_a_killed_send_left_in_doubt_the_next_repeats_where_keys_are_known(team: Team) -> None:
    team.server.change(replace(team.server.settings, knows_dedup=True))
    team.write(rows(300))
    sender = team.sender()
    team.await_accepted(60)
    sender.kill()
    sender.wait()
    code, said = ends(team.sender())
    assert code == 0, said
    assert (team.statuses(), team.twice()) == ({"sent": 300}, [])


@pytest.mark.long
def test_a_send_whose_connections_are_cut_goes_on_and_ends_with_its_results(team: Team) -> None:
    team.write(rows(300))
    sender = team.sender()
    for count in (40, 120):
        team.await_accepted(count)
        with psycopg.connect(team.database, autocommit=True) as db:
            db.execute(CUT)
    code, said = ends(sender)
    assert code == 0, said
    assert results(team, "june.results.csv") == {"sent": 300}
    assert team.twice() == []


@pytest.mark.long
def test_a_send_with_a_limit_leaves_the_rest_to_the_next(team: Team) -> None:
    team.write(rows(120))
    code, said = ends(team.sender("--limit", "50"))
    assert code == 0, said
    assert team.statuses() == {"sent": 50, "pending": 70}
    code, said = ends(team.sender())
    assert code == 0, said
    assert (team.statuses(), team.twice()) == ({"sent": 120}, [])


@pytest.mark.long
def test_a_second_ctrl_c_waits_for_no_database_that_is_away(tmp_path: Path) -> None:
    with own() as cluster, ExitStack() as stack:
        database = cluster.server.database()
        install(database)
        team = Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False))
        team.write(rows(400))
        sender = team.sender()
        team.await_accepted(20)
        cluster.stop("immediate")
        sender.send_signal(signal.SIGINT)
        time.sleep(1.0)
        sender.send_signal(signal.SIGINT)
        code, said = ends(sender)  # and not only when two leases are over
        assert "Traceback" not in said
        assert code in {3, 130}, said
        cluster.start()
        assert team.twice() == []
