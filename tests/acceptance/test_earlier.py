"""What earlier runs left is not walked over: results that say who was sent to, the input, the prices of a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, send_to

Sent = Callable[..., tuple[SandboxServer, tuple[str, ...]]]

ROWS = 12


@pytest.fixture
def sent(program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers) -> Sent:
    """A campaign that was sent; the server, and the command."""

    def send(*more: str) -> tuple[SandboxServer, tuple[str, ...]]:
        server = sandbox()
        campaign_of(numbers(ROWS))
        command = send_to(server, *more)
        assert program(*command).returncode == 0
        return server, command

    return send


@pytest.mark.parametrize("results", ["campaign.results.csv", "campaign.results.jsonl", "mine.csv"])
def test_what_results_say_was_sent_by_a_run_whose_file_is_gone_is_not_sent_again_unless_that_is_said(
    sent: Sent, program: Program, results: str
) -> None:
    server, command = sent("--results", results)
    (program.folder / "campaign.run").unlink()
    kept = (program.folder / results).read_bytes()
    for _ in range(2):  # nor by whoever asks twice
        refused = program(*command)
        assert refused.returncode == 2, refused.stderr
        assert f"a run whose file is gone has sent to {ROWS} rows" in refused.stderr
        assert "--repeat" in refused.stderr
    assert (program.folder / results).read_bytes() == kept
    assert not (program.folder / "campaign.run").exists()
    assert len(server.accepted()) == ROWS
    assert program(*command, "--repeat").returncode == 0
    assert len(server.accepted()) == 2 * ROWS


def test_rows_that_may_have_been_sent_are_a_question_too(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--lose-answers", "1")
    campaign_of(numbers(3))
    command = send_to(server)
    assert program(*command).returncode in {1, 3}
    (program.folder / "campaign.run").unlink()
    refused = program(*command)
    assert refused.returncode == 2, refused.stderr
    assert "perhaps to 3 more" in refused.stderr


def test_a_plan_that_was_saved_since_is_no_answer_to_the_question(sent: Sent, program: Program) -> None:
    server, (_, _, *options) = sent()
    (program.folder / "campaign.run").unlink()
    url = ("--base-url", server.base_url)
    assert program("estimate", "campaign.csv", "--save", "campaign.run", *url, "--repeat").returncode == 0
    for what in ("campaign.csv", "campaign.run"):
        refused = program("send", what, *options)
        assert refused.returncode == 2, refused.stderr
        assert "--repeat" in refused.stderr
    assert len(server.accepted()) == ROWS
    assert program("send", "campaign.run", *options, "--repeat").returncode == 0


@pytest.mark.parametrize(("reply", "code", "again"), [("y", 0, ROWS), ("n", 3, 0)])
def test_on_a_terminal_it_is_asked(sent: Sent, program: Program, reply: str, code: int, again: int) -> None:
    server, command = sent()
    (program.folder / "campaign.run").unlink()
    ended, asked = program.answered(*command, answer=reply)
    assert "Send to all again?" in asked
    assert ended == code
    assert len(server.accepted()) == ROWS + again


def test_no_question_is_asked_where_nothing_was_sent_or_nothing_real_will_be(sent: Sent, program: Program) -> None:
    _, (_, _, *options) = sent()
    assert program("send", "campaign.csv", *options).returncode == 0  # the run is there: nothing is left to send
    (program.folder / "campaign.run").unlink()
    assert program("send", "campaign.csv", "--sandbox", "--yes").returncode == 0
    assert not (program.folder / "campaign.run").exists()
    (program.folder / "campaign.results.csv").write_text("name,status\nAna,sent\n")
    assert program("send", "campaign.csv", *options, "--repeat-after", "0s").returncode == 0


def test_another_run_of_the_input_is_not_held_up_by_the_first_ones_results(sent: Sent, program: Program) -> None:
    server, command = sent()
    assert program(*command, "--run", "second.run", "--repeat-after", "0s").returncode == 0
    assert len(server.accepted()) == 2 * ROWS


@pytest.mark.parametrize("output", ["campaign.csv", "./campaign.csv"])
def test_no_output_of_a_run_replaces_its_input(sent: Sent, program: Program, output: str) -> None:
    _, (_, _, *options) = sent()
    content = (program.folder / "campaign.csv").read_bytes()
    for command in (
        ("send", "campaign.run", *options, "--results", output),
        ("resolve", "campaign.run", "--results", output),
        ("results", "campaign.run", "-o", output),
        ("estimate", "campaign.run", "-o", output),
        ("send", "campaign.run", *options, "--dry-run"),
    ):
        ended = program(*command)
        if "--dry-run" not in command:
            assert ended.returncode == 2, (command, ended.stderr)
            assert "this is the input or the run file itself" in ended.stderr
        assert (program.folder / "campaign.csv").read_bytes() == content


def test_that_a_run_keeps_its_prices_is_said(sent: Sent, program: Program) -> None:
    _, command = sent()
    (program.folder / "rates.csv").write_text("prefix,microUSD\n63,500000\n")
    for again in (
        program(*command, "--rates", "rates.csv"),
        program("send", "campaign.run", *command[2:], "--rates", "rates.csv"),
        program("estimate", "campaign.run", "--rates", "rates.csv"),
    ):
        assert again.returncode == 0, again.stderr
        assert "campaign.run keeps the prices that it was planned with: --rates rates.csv is not used" in again.stderr
    assert "keeps the prices" not in program(*command).stderr
    assert Counter(row["status"] for row in program.results()) == {"sent": ROWS}
