"""Several workers on one run in a database: each row exactly once, whoever is killed, stands still or comes late."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from hostile import Settings
from judging import Row, cap_violations
from teams import CUT, PROGRAM, Team, ended, rows

CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[Team]:
    with ExitStack() as stack:
        yield Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False))


def test_two_workers_send_each_row_once_and_who_comes_late_gets_shards(team: Team) -> None:
    team.plan(rows(300))
    first = team.worker()
    team.await_accepted(20)
    second = team.worker()
    until = time.monotonic() + 20
    while team.shards() != [32, 32]:
        assert first.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    team.hurry()
    assert (ended(first), ended(second)) == (0, 0)
    assert (team.statuses(), team.twice()) == ({"sent": 300}, [])
    assert list(cap_violations(team.server)) == []


def test_a_worker_tells_a_log_and_metrics_of_each_of_its_attempts(team: Team) -> None:
    team.plan(rows(20))
    assert ended(team.worker("--log-file", "work.log", "--metrics-file", "work.prom")) == 0
    lines = [json.loads(line) for line in (team.folder / "work.log").read_text().splitlines()]
    attempts = [line for line in lines if line["event"] == "attempt"]
    assert sorted(line["row"] for line in attempts) == list(range(1, 21))
    assert {line["run"] for line in lines} == {"june"}
    told = [line for line in lines if line["event"] in {"started", "left", "ended"}]
    assert [line["event"] for line in told] == ["started", "left", "ended"]
    assert (told[1]["sent"], told[1]["stop"], told[2]["exit"]) == (20, "finished", 0)
    metrics = (team.folder / "work.prom").read_text()
    assert 'bulksend_messages_total{outcome="sent"} 20.0' in metrics
    assert 'bulksend_run_info{run="june"' in metrics
    assert "bulksend_exit_code 0.0" in metrics
    assert "bulksend_pending" not in metrics  # how many rows are left is the run's to tell
    assert "bulksend_estimated_usd" not in metrics


def test_workers_in_containers_of_one_name_leave_each_other_what_they_have(team: Team) -> None:
    """Each is process 1 there; neither sees the other's process, which is not gone for that."""
    if subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no process may have a container of its own here")
    team.plan(rows(300))
    first = team.worker(program=(*CONTAINER, *PROGRAM))
    team.await_accepted(20)
    second = team.worker(program=(*CONTAINER, *PROGRAM))
    assert (ended(first), ended(second)) == (0, 0), team.said()
    assert (team.statuses(), team.twice()) == ({"sent": 300}, [])


def test_who_looks_on_is_told_of_the_workers_until_the_run_is_over(team: Team) -> None:
    team.plan(rows(200))
    run = f"{team.database}#june"
    assert "It is left to workers, and none is at work on it" in team("status", run).stderr
    worker = team.worker()
    team.await_accepted(20)
    told = team("status", run, "--json")
    assert ": 64 of 64 shards, its lease lasts" in told.stderr
    summary = json.loads(told.stdout)
    assert (summary["state"], summary["owner"], summary["reason"]) == ("sending", None, None)
    assert [(each["pid"], each["shards"]) for each in summary["workers"]] == [(worker.pid, 64)]
    (listed,) = json.loads(team("runs", team.database, "--json").stdout)
    assert (listed["run"], listed["state"]) == (run, "sending")
    watched = team("status", run, "--watch")
    assert ended(worker) == 0
    assert f"{run}: 1 worker is at work on it." in watched.stderr
    assert any(line.startswith("200 of 200") or "of 200 done: " in line for line in watched.stderr.splitlines())
    assert json.loads(team("status", run, "--json").stdout)["workers"] is None


def test_what_a_killed_worker_had_others_take_over(team: Team) -> None:
    team.plan(rows(200))
    first, second = team.worker(), team.worker()
    team.await_accepted(60)
    first.send_signal(signal.SIGKILL)
    assert ended(second) in {0, 1}
    seen, accepted = team.statuses(), len(team.server.records("accepted"))
    assert team.twice() == []
    assert seen["sent"] + seen.get("unknown", 0) == 200
    assert seen["sent"] <= accepted <= 200
    assert seen.get("unknown", 0) <= 4
    assert list(cap_violations(team.server)) == []


@pytest.mark.long
def test_a_worker_that_stood_still_for_longer_than_its_lease_sends_nothing_of_others(team: Team) -> None:
    team.plan(rows(300))
    first, second = team.worker(), team.worker()
    team.await_accepted(60)
    first.send_signal(signal.SIGSTOP)
    time.sleep(2.5)
    first.send_signal(signal.SIGCONT)
    ended(first)
    assert ended(second) in {0, 1}
    seen = team.statuses()
    assert team.twice() == []
    assert seen["sent"] + seen.get("unknown", 0) == 300
    assert list(cap_violations(team.server)) == []


@pytest.mark.long
def test_a_terminated_worker_drains_and_lost_connections_are_made_anew(team: Team) -> None:
    team.plan(rows(200))
    first, second = team.worker(), team.worker()
    team.await_accepted(30)
    first.send_signal(signal.SIGTERM)
    assert ended(first) == 143
    with psycopg.connect(team.database, autocommit=True) as db:
        db.execute(CUT)
    assert ended(second) == 0, team.said()
    assert (team.statuses(), team.twice()) == ({"sent": 200}, [])


def test_a_stop_ends_the_run_for_all_within_moments_and_the_same_command_goes_on(team: Team) -> None:
    team.plan(rows(600))
    workers = [team.worker(), team.worker()]
    team.await_accepted(30)
    june = f"{team.database}#june"
    assert team("stop", june).returncode == 0
    began = time.monotonic()
    assert [ended(worker) for worker in workers] == [0, 0]
    assert time.monotonic() - began < 5
    assert set(team.statuses()) == {"sent", "pending"}
    assert team.twice() == []


@pytest.mark.long
def test_after_a_failover_workers_halt_until_an_operator_has_looked(team: Team) -> None:
    team.plan(rows(300))
    worker = team.worker()
    team.await_accepted(30)
    with psycopg.connect(team.database, autocommit=True) as db:
        db.execute("UPDATE bulksend.installation SET timeline = timeline + 1")
        # As a server that takes over, it has none of the connections of the one before.
        db.execute(CUT)
    assert ended(worker) == 2
    sent = len(team.server.records("accepted"))
    assert "bulksend database accept" in team.said()
    assert ended(team.worker()) == 2
    assert len(team.server.records("accepted")) == sent < 300
    assert team("database", "accept", team.database).returncode == 0
    team.open()
    assert ended(team.worker()) == 0, team.said()
    assert team.twice() == []
    seen = team.statuses()
    assert seen["sent"] + seen.get("unknown", 0) == 300
    assert set(seen) <= {"sent", "unknown"}


def test_a_worker_that_comes_to_rows_which_are_all_rejected_ends_no_run_of_which_others_were_sent(team: Team) -> None:
    bad = [Row(f"49152{number:08}", "REJECT") for number in range(200)]
    team.plan([*rows(60), *bad])
    first = team.worker()
    team.await_accepted(60)
    first.send_signal(signal.SIGTERM)
    ended(first)
    assert ended(team.worker()) == 0
    assert team.statuses() == {"sent": 60, "rejected": 200}
