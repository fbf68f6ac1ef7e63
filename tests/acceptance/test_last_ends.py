"""When a run was sent, and why it last ended, is kept in it and told."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import CampaignOf, Numbers, Program, Start, send_to


def status(program: Program) -> dict[str, Any]:
    shown = program("status", "campaign.csv", "--json")
    assert shown.returncode == 0, shown.stderr
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def at(text: str) -> float:
    assert text.endswith("Z")
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


@pytest.mark.long
@pytest.mark.parametrize(
    ("flags", "options", "state", "reason"),
    [
        ((), (), "finished", "finished"),
        ((), ("--limit", "3"), "stopped early", "limit reached"),
        (("--balance", "0.10"), (), "stopped early", "out of funds"),
        (("--token", "another"), (), "stopped early", "key refused"),
        ((), ("--max-cost", "0.07"), "stopped early", "budget filled"),
        (("--legacy", "--lose-answers", "1"), (), "in doubt", "finished"),
    ],
)
def test_why_a_send_ended_is_kept_in_its_run(
    program: Program,
    sandbox: Start,
    campaign_of: CampaignOf,
    numbers: Numbers,
    flags: tuple[str, ...],
    options: tuple[str, ...],
    state: str,
    reason: str,
) -> None:
    server = sandbox(*flags)
    campaign_of(numbers(2 if state == "in doubt" else 6))  # a server that says nothing is given time
    program(*send_to(server, "--timeout", "2", *options))
    told = status(program)
    assert (told["state"], told["reason"], told["owner"]) == (state, reason, None)
    assert 0 <= at(told["endedAt"]) - at(told["startedAt"]) < 60
    assert "Nobody is at work on it; its last send ended on " in program("status", "campaign.run").stderr


def test_a_plan_was_not_sent_and_has_not_ended(program: Program, campaign_of: CampaignOf, numbers: Numbers) -> None:
    campaign_of(numbers(2))
    assert program("estimate", "campaign.csv", "--save", "campaign.run").returncode == 0
    told = status(program)
    assert [told[name] for name in ("state", "owner", "startedAt", "endedAt", "reason")] == ["planned"] + [None] * 4


def test_who_sends_is_told_and_when_it_is_killed_that_it_was_cut_off(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "100ms")
    campaign_of(numbers(400))
    send = send_to(server, "--concurrency", "5")
    assert program(*send, "--limit", "5").returncode == 0
    first = status(program)
    process = program.start(*send)
    server.await_requests(15)
    told = status(program)
    assert (told["state"], told["endedAt"], told["reason"]) == ("sending", None, None)
    assert told["owner"]["pid"] == process.pid
    assert at(told["owner"]["since"]) >= at(first["endedAt"])
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    told = status(program)
    assert (told["state"], told["owner"], told["endedAt"], told["reason"]) == ("stopped early", None, None, "cut off")
    assert program("resolve", "campaign.run", "--base-url", server.base_url).returncode in {0, 1}
    assert status(program)["reason"] == "cut off"  # whoever only looked did not send

    assert program(*send, "--concurrency", "50").returncode == 0
    told = status(program)
    assert (told["state"], told["reason"]) == ("finished", "finished")
    assert told["startedAt"] == first["startedAt"]
