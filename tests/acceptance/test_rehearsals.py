"""A rehearsal is called one, has files of its own, and stands in nobody's way."""

from __future__ import annotations

import json

import pytest
from conftest import CampaignOf, Numbers, Program, Start, send_to

REHEARSED = ("send", "campaign.csv", "--sandbox", "--yes")


@pytest.fixture(autouse=True)
def campaign(campaign_of: CampaignOf, numbers: Numbers) -> None:
    campaign_of(numbers(3))


def test_the_real_run_after_a_rehearsal_goes_to_all_and_both_keep_their_files(program: Program, sandbox: Start) -> None:
    server = sandbox()
    assert program(*REHEARSED).returncode == 0
    assert program(*send_to(server)).returncode == 0
    assert program(*REHEARSED).returncode == 0
    assert len(server.accepted()) == 3
    assert sorted(path.name for path in program.folder.iterdir()) == [
        "campaign.csv", "campaign.results.csv", "campaign.run", "campaign.sandbox.results.csv", "campaign.sandbox.run",
    ]  # fmt: skip
    assert {row["status"] for row in program.results("campaign.sandbox.results.csv")} == {"sent"}


def test_plan_headline_and_results_call_it_a_rehearsal(program: Program, sandbox: Start) -> None:
    told = " ".join(program(*REHEARSED).stderr.split())
    assert "goes to a private sandbox: a rehearsal, nothing reaches a phone" in told
    assert "Finished (a rehearsal: no SMS was sent)" in told
    assert "by the sandbox's words: nothing is paid" in told
    assert "results campaign.sandbox.results.csv (of a rehearsal)" in told
    assert "campaign.sandbox.run (a rehearsal: no SMS was sent)" in program("status", "campaign.sandbox.run").stderr
    assert "campaign.sandbox.run (a rehearsal: no SMS was sent)" in program("show", "campaign.csv", "--row", "1").stderr
    real = program("send", "campaign.csv", "--base-url", sandbox().base_url, "--yes").stderr
    assert "rehearsal" not in real + program("status", "campaign.run").stderr


def test_the_question_calls_it_a_rehearsal(program: Program) -> None:
    ended, asked = program.answered("send", "campaign.csv", "--sandbox", answer="n")
    assert ended == 3
    assert "Send 3 messages to a private sandbox, as a rehearsal ($0.06 estimated)?" in asked


def test_a_run_that_is_named_by_hand_and_was_a_rehearsal_is_still_refused_with_advice(program: Program) -> None:
    assert program(*REHEARSED, "--run", "mine.run").returncode == 0
    refused = program("send", "campaign.csv", "--run", "mine.run", "--yes")
    assert refused.returncode == 2
    assert "if it was a rehearsal, delete it, or give the real run a file of its own" in refused.stderr


@pytest.mark.parametrize("command", [("status",), ("results", "-o", "out.csv"), ("resolve",)])
def test_of_an_inputs_runs_the_real_one_is_meant(program: Program, sandbox: Start, command: tuple[str, ...]) -> None:
    name, *more = command
    missing = program(name, "campaign.csv", *more)
    assert missing.returncode == 2
    assert "campaign.csv: this is not a run file, and no run of it lies beside it" in missing.stderr
    assert program(*REHEARSED, "--limit", "1").returncode == 0
    told = program(name, "campaign.csv", *more)
    assert "campaign.csv: of this there is only a rehearsal, campaign.sandbox.run, which is taken" in told.stderr
    real = ("--base-url", sandbox().base_url, "--yes", "--limit", "2")
    assert program("send", "campaign.csv", *real).returncode == 0
    told = program(name, "campaign.csv", *more)
    assert told.returncode == 0, told.stderr
    assert "rehearsal" not in told.stderr
    if name == "results":
        assert [row["status"] for row in program.results("out.csv")] == ["sent", "sent", "pending"]


def test_status_of_an_input_counts_its_run(program: Program) -> None:
    assert program(*REHEARSED).returncode == 0
    told = json.loads(program("status", "campaign.csv", "--json").stdout)
    assert (told["run"], told["sent"]) == ("campaign.sandbox.run", 3)
