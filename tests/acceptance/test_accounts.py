"""The cap belongs to the phone: over runs, however an address is written, and whatever becomes of the state folder."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

import pytest
from conftest import CampaignOf, Numbers, Program, Start, send_to

ANA = "639171234567"


def test_localhost_and_its_number_are_one_account(program: Program, sandbox: Start, campaign_of: CampaignOf) -> None:
    server = sandbox("--cap", "63=5/3")
    for name, url in (("first", server.base_url), ("second", f"http://localhost:{server.port}/")):
        campaign_of([ANA] * 4, f"{name}.csv")
        sent = program("send", f"{name}.csv", "--base-url", url, "--yes", "--cap", "63=5/3", "--repeat")
        assert sent.returncode == 0, sent.stderr
    assert server.summary()["lost"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the file alone is the lock")
def test_a_removed_state_folder_lets_no_second_run_of_the_account_begin(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, state_folder: Path
) -> None:
    server = sandbox("--latency", "200ms")
    campaign_of(numbers(100), "first.csv")
    campaign_of(numbers(3), "second.csv")
    first = program.start(*send_to(server, "--concurrency", "4", of="first.csv"))
    server.await_requests(4)
    shutil.rmtree(state_folder)
    second = program(*send_to(server, of="second.csv"))
    assert second.returncode == 4, second.stderr
    assert "another run is sending for organization 1" in second.stderr
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    assert first.returncode == 130


@pytest.mark.long
def test_a_run_cut_off_while_it_waited_for_what_nobody_knows_waits_again(
    program: Program, sandbox: Start, campaign_of: CampaignOf
) -> None:
    server = sandbox("--cap", "63=5/4", "--latency", "300ms")
    campaign_of([ANA] * 10, "first.csv")
    campaign_of([ANA] * 3, "second.csv")
    cap = ("--cap", "63=5/4")
    first = program.start(*send_to(server, *cap, of="first.csv"))
    server.await_requests(5)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=30)
    for left in program.folder.glob("first.run*"):
        left.unlink()
    send = send_to(server, *cap, of="second.csv")
    waiting = program.start(*send, "--no-progress", "--repeat")
    assert waiting.stderr is not None
    while "its run file is gone" not in (line := waiting.stderr.readline()):
        assert line, "it ended without waiting"
    waiting.send_signal(signal.SIGINT)
    waiting.communicate(timeout=30)
    assert program(*send).returncode == 0
    assert server.summary()["lost"] == 0
