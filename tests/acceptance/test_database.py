"""Runs in a database: the real program sends them, and what looks at them, stops and settles them is as with files."""

from __future__ import annotations

import json
import shlex
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from conftest import CampaignOf, Numbers, Program, Start, send_to

from bulksend import cli
from bulksend.cli.codes import ExitCode

Told = Callable[..., Any]


@pytest.fixture
def told(own_folder: object, capsys: pytest.CaptureFixture[str]) -> Told:  # noqa: ARG001 -- where it runs
    """What a command that goes well says to a script, in the test's own process."""

    def tell(*words: str) -> Any:
        assert cli.run([*words, "--json"]) == ExitCode.OK
        return json.loads(capsys.readouterr().out)

    return tell


def test_a_campaign_is_sent_into_a_database_and_looked_at_there(
    database: str, program: Program, told: Told, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server, june = sandbox(), f"{database}#june"
    campaign_of(numbers(3))
    sent = program(*send_to(server, "--run", june, "--json"))
    assert sent.returncode == ExitCode.OK, sent.stderr
    summed = json.loads(sent.stdout)
    assert (summed["run"], summed["results"], summed["sent"]) == (june, "june.results.csv", 3)
    assert [row["status"] for row in program.results("june.results.csv")] == ["sent"] * 3
    assert {path.name for path in program.folder.iterdir()} == {"campaign.csv", "june.results.csv"}
    assert [(each["run"], each["state"], each["sent"]) for each in told("runs", database)] == [(june, "finished", 3)]
    assert [(each["run"], each["row"]) for each in told("find", numbers(3)[1], database)["found"]] == [(june, 2)]
    assert len(server.accepted()) == 3


def test_a_send_that_was_killed_goes_on_in_the_database(
    database: str, program: Program, told: Told, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server, june = sandbox("--latency", "0.2"), f"{database}#june"
    campaign_of(numbers(40))
    words = send_to(server, "--run", june, "--concurrency", "4", "--no-progress")
    killed = program.start(*words)
    server.await_requests(10)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    ended = program(*words)
    assert ended.returncode in {ExitCode.OK, ExitCode.NOT_ALL_SENT}, ended.stderr
    accepted = Counter(record["to"] for record in server.accepted())
    assert set(accepted.values()) == {1}
    status = told("status", june)
    assert (status["run"], status["pending"], status["owner"]) == (june, 0, None)
    assert (status["sent"] + status["unknown"], status["sent"] <= len(accepted)) == (40, True)


def test_a_send_is_stopped_from_elsewhere_and_its_run_settled(
    database: str, program: Program, told: Told, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server, june = sandbox("--latency", "0.2"), f"{database}#june"
    campaign_of(numbers(200))
    sending = program.start(*send_to(server, "--run", june, "--concurrency", "2", "--json"))
    server.await_requests(4)
    asked = told("stop", june)
    assert (asked["run"], asked["asked"]) == (june, True)
    out, err = sending.communicate(timeout=60)
    assert sending.returncode == ExitCode.STOPPED, err
    summed = json.loads(out)
    assert summed["stop"] == "asked to stop"
    assert summed["next"].startswith(f"bulksend send '{june}' ")
    assert summed["sent"] == len(server.accepted()) < 200
    assert cli.run(["results", june, "-o", "again.csv"]) == ExitCode.OK
    assert len(program.results("again.csv")) == 200
    assert cli.run(["resolve", june, "--org-id", "1"]) == ExitCode.OK


def test_no_database_decides_where_a_key_goes(
    database: str, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server, june = sandbox(), f"{database}#june"
    campaign_of(numbers(3))
    assert program(*send_to(server, "--run", june, "--detach")).returncode == ExitCode.OK
    for words in (("send", june, "--yes"), ("send", june, "--test-to", numbers(1)[0], "--yes")):
        refused = program(*words)
        assert refused.returncode == ExitCode.USAGE, refused.stderr
        said = " ".join(refused.stderr.split())
        assert f"goes to {server.base_url}, and your settings say https://api.engagespark.com" in said
    assert not server.accepted()
    sent = program("send", june, "--base-url", server.base_url, "--yes")
    assert sent.returncode == ExitCode.OK, sent.stderr
    assert len(server.accepted()) == 3


def test_a_run_is_left_to_workers_by_its_own_name_as_its_end_proposes(
    database: str, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server, june = sandbox(), f"{database}#june"
    campaign_of(numbers(3))
    refused = program(*send_to(server, "--run", june, "--detach", "--json"), env={"BULKSEND_API_KEY": "wrong"})
    assert refused.returncode == ExitCode.STOPPED, refused.stderr
    proposed = shlex.split(json.loads(refused.stdout)["next"])
    assert (proposed[:3], "--detach" in proposed) == (["bulksend", "send", june], True)
    assert "left to workers" in program(*proposed[1:]).stderr
    worked = program("worker", database, "--base-url", server.base_url, "--until-done")
    assert (worked.returncode, len(server.accepted())) == (ExitCode.OK, 3), worked.stderr
    beside = program(*send_to(server, "--detach"))
    assert beside.returncode == ExitCode.USAGE
    assert "--detach leaves a run to workers" in beside.stderr
