"""A campaign as whoever sits before it sees it: the question, the screen, Ctrl-C, and from a second terminal."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start
from rich.cells import cell_len
from terminals import CTRL_C, Terminal, terminal

ROWS, WORKERS = 300, 20
DONE = re.compile(r"sending: ([\d,]+) of 300 done")


def sending(server: SandboxServer, *more: str) -> tuple[str, ...]:
    return ("send", "campaign.csv", "--base-url", server.base_url, "--concurrency", str(WORKERS), *more)


def done(screen: Terminal) -> int:
    found = DONE.findall(screen.shown)
    return int(found[-1]) if found else -1  # between two pictures nothing is shown


def test_a_send_is_watched_from_a_second_terminal_and_ends_as_both_ctrl_c_say(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, tmp_path: Path
) -> None:
    server = sandbox("--latency", "400ms")
    campaign_of(numbers(ROWS))
    with terminal(tmp_path, *sending(server), columns=60) as sender:
        sender.wait_for("Send 300 messages ($6.00 estimated)? [y/N]")
        assert not server.log()
        sender.type("y\n")
        sender.wait_for("sending: 1 of 300 done")
        with terminal(tmp_path, "status", "campaign.run", "--watch", columns=80) as onlooker:
            onlooker.wait_for(f"process {sender.process.pid} on ", " is sending it. It began on ", "of 300 done")
            first = done(onlooker)
            onlooker.wait_until(lambda _: done(onlooker) > first, "progress")
            onlooker.wait_for("in flight", "on average, ", " left, $", " of $6.00 estimated")

            sender.type(CTRL_C)
            waits = sender.wait_for("Ctrl-C again leaves them in doubt.")
            in_flight = int(re.findall(r"Stopping: waiting for (\d+) answers, 30 s at most\.", waits)[0])
            assert 0 < in_flight <= WORKERS
            sender.type(CTRL_C)
            assert sender.end() == 130
            left = re.findall(r"Not waiting any longer: (\d+) messages are in doubt\. Nothing else goes", sender.shown)
            assert onlooker.end() == 0
            assert "its last send ended on " in onlooker.shown
            assert ": interrupted." in onlooker.shown

    statuses = Counter(row["status"] for row in program.results())
    assert statuses["unknown"] == int(left[0]) > 0
    accepted = {record["to"] for record in server.accepted()}
    assert {row["to"] for row in program.results() if row["status"] == "sent"} <= accepted
    assert max(map(cell_len, sender.written)) <= 60
    words = {word for line in sender.written for word in line.split()}
    assert {"organization", "estimated", "average,"} <= words


def test_who_says_no_has_sent_nothing(
    sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, tmp_path: Path
) -> None:
    server = sandbox()
    campaign_of(numbers(2))
    with terminal(tmp_path, *sending(server, "--quiet")) as screen:
        asked = screen.wait_for("[y/N]")
        assert (
            asked == "Send 2 messages ($0.04 estimated)? [y/N]:"
        )  # nothing else is said, and the question all the same
        screen.type("n\n")
        assert screen.end() == 3
    assert not server.log()


@pytest.mark.long
def test_who_watches_a_run_that_nobody_sends_sees_that_and_leaves_without_a_trace(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, tmp_path: Path
) -> None:
    server = sandbox("--latency", "200ms")
    campaign_of(numbers(ROWS))
    assert program(*sending(server, "--yes", "--limit", "1")).returncode == 0
    before = (tmp_path / "campaign.run").read_bytes()
    with terminal(tmp_path, "status", "campaign.csv", "--watch") as onlooker:
        onlooker.wait_for("campaign.run: nobody is sending it. Waiting for whoever does.", "The run was first sent on ")
        onlooker.type(CTRL_C)
        assert onlooker.end() == 0
        assert "No longer watching." in onlooker.shown
    assert (tmp_path / "campaign.run").read_bytes() == before
    with terminal(tmp_path, "status", "campaign.csv", "--watch") as onlooker:
        onlooker.wait_for("nobody is sending it")
        process = program.start(*sending(server, "--yes"))
        onlooker.wait_for(" is sending it. It began on ", "299 done")
        onlooker.type(CTRL_C)
        assert onlooker.end() == 0
        assert "No longer watching. The send goes on." in onlooker.shown
    process.communicate(timeout=30)
    assert process.returncode == 0
    with terminal(tmp_path, "status", "campaign.csv", "--watch") as onlooker:
        assert onlooker.end() == 0  # of a run that is through nothing is waited for
        assert "its last send ended on " in onlooker.shown
