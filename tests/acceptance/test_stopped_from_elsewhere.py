"""``bulksend stop``: a send ends in order, asked from anywhere; and nobody ends who was not meant."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, send_to

SLOW = ("--latency", "100ms")
ROWS = 400


def sending(server: SandboxServer, *more: str) -> tuple[str, ...]:
    return send_to(server, "--concurrency", "5", *more)


def test_a_send_that_is_stopped_from_elsewhere_ends_in_order_and_goes_on(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, tmp_path: Path
) -> None:
    server = sandbox(*SLOW)
    campaign_of(numbers(ROWS))
    process = program.start(*sending(server, "--json"))
    server.await_requests(15)
    (tmp_path / "elsewhere").mkdir()
    stopped = Program(tmp_path / "elsewhere")("stop", "../campaign.csv")  # the input, whose run lies beside it
    assert stopped.returncode == 0, stopped.stderr
    assert f"asked to stop; it ends when the answers under way are in (process {process.pid} on " in stopped.stderr

    summary, talk = process.communicate(timeout=30)
    assert process.returncode == 3, talk
    assert "Stopping, for somebody asked it to stop, at " in talk
    assert "Stopped early: asked to, from elsewhere" in talk
    assert "stopped    somebody asked it to stop, at " in talk
    assert json.loads(summary)["stop"] == "asked to stop"
    assert json.loads(summary)["reason"].startswith("somebody asked it to stop, at ")
    sent = [row["to"] for row in program.results() if row["status"] == "sent"]
    assert sorted(sent) == sorted(record["to"] for record in server.accepted())
    assert {row["status"] for row in program.results()} == {"sent", "pending"}

    nobody = program("stop", "campaign.run")
    assert nobody.returncode == 0
    assert "nobody is sending it, so there is nothing to stop; its last send ended on " in nobody.stderr
    assert ": somebody asked it to stop, at " in nobody.stderr
    finished = program(*sending(server, "--concurrency", "50"))
    assert finished.returncode == 0, finished.stderr
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(ROWS), 1)


@pytest.mark.long
def test_who_is_killed_before_it_heeds_the_request_leaves_none_to_the_next(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "3")
    campaign_of(numbers(6))
    process = program.start(*sending(server))
    server.await_requests(1)  # so it waits for an answer, and is not halted while it writes
    process.send_signal(signal.SIGSTOP)
    asked = program("stop", "campaign.run", "--json")
    assert json.loads(asked.stdout)["asked"], asked.stderr
    assert json.loads(asked.stdout)["owner"]["pid"] == process.pid
    again = program("stop", "campaign.run")
    assert "already and has not ended yet" in again.stderr
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    nobody = program("stop", "campaign.run", "--json")
    assert json.loads(nobody.stdout) == {"run": "campaign.run", "asked": False, "askedAt": None, "owner": None}

    finished = program(*sending(server))
    assert finished.returncode == 0, finished.stderr
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(6), 1)


@pytest.mark.long
def test_a_send_that_waits_for_the_account_is_stopped_before_it_sends(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "20")
    campaign_of(numbers(2))
    first = program.start(*sending(server))
    server.await_requests(1)  # it goes alone
    campaign_of(["639181234567"], "other.csv")
    other = send_to(server, "--wait", "--results", "other.results.csv", of="other.csv")
    waiting = program.start(*other)
    assert waiting.stderr is not None
    while "Waiting: another run is sending" not in (line := waiting.stderr.readline()):
        assert line, "it does not wait"
    assert program("stop", "other.run").returncode == 0
    _, talk = waiting.communicate(timeout=10)
    assert waiting.returncode == 3, talk
    assert "other.run: nothing was sent: somebody asked it to stop, at " in talk
    assert {record["to"] for record in server.log()} == set(numbers(1))
    first.kill()
    first.communicate(timeout=10)


def test_whoever_sits_before_a_send_that_was_stopped_need_not_wait_for_its_answers(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "20")
    campaign_of(numbers(5))
    process = program.start(*sending(server))
    server.await_requests(1)
    assert program("stop", "campaign.run").returncode == 0
    assert process.stderr is not None
    while "Ctrl-C leaves it in doubt" not in (line := process.stderr.readline()):
        assert line, "it does not stop"
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, talk = process.communicate(timeout=15)
    assert time.monotonic() - started < 8
    assert process.returncode == 3, talk
    assert {row["status"] for row in program.results()} == {"unknown", "pending"}


def test_a_run_that_is_not_there_cannot_be_stopped(program: Program) -> None:
    refused = program("stop", "campaign.run")
    assert refused.returncode == 2
    assert "there is no such run file" in refused.stderr
