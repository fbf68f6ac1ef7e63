"""The real text of one row goes to one's own phone: no part of the run, and in nobody's way."""

from __future__ import annotations

import json

import pytest
from conftest import Program, Start

ME = "639170000001"
SHEET = f"""to,First Name
12,Ben
639171234511,Ana
{ME},Me
"""
SEND = ("send", "july.csv", "--message", "Hi {First Name}")
TRY = (*SEND, "--test-to", "+63 917 000 0001", "--yes")


@pytest.fixture(autouse=True)
def july(program: Program) -> None:
    (program.folder / "july.csv").write_text(SHEET)


def files(program: Program) -> list[str]:
    return sorted(path.name for path in program.folder.iterdir())


def test_the_first_row_that_can_be_sent_goes_as_it_reads_and_nothing_is_left_behind(
    program: Program, sandbox: Start
) -> None:
    server = sandbox()
    told = program(*TRY, "--from", "ACME", "--base-url", server.base_url)
    assert told.returncode == 0, told.stderr
    assert f"Row 2 to {ME} from ACME, 1 SMS part, $0.02 estimated, by {server.base_url}" in told.stderr
    assert f"Sent to {ME} for $0.02 by the API's words; messageId SMS" in told.stderr
    (record,) = server.accepted()
    assert (record["to"], record["message"], record["from"]) == (ME, "Hi Ana", "ACME")
    assert files(program) == ["july.csv"]


def test_a_row_is_named_also_of_a_run_that_has_begun_and_its_files_stay_as_they_are(
    program: Program, sandbox: Start
) -> None:
    server = sandbox()
    assert program(*SEND, "--base-url", server.base_url, "--yes", "--limit", "1").returncode == 1
    before = {name: (program.folder / name).read_bytes() for name in files(program)}
    for which in (TRY, ("send", "july.run", *TRY[4:])):
        assert program(*which, "--base-url", server.base_url, "--row", "3").returncode == 0
    assert {name: (program.folder / name).read_bytes() for name in files(program)} == before
    assert [record["message"] for record in server.accepted()] == ["Hi Ana", "Hi Me", "Hi Me"]


def test_each_has_a_key_of_its_own_whatever_the_campaign(program: Program, sandbox: Start) -> None:
    server = sandbox()
    for _ in range(2):
        assert program(*TRY, "--campaign", "july", "--base-url", server.base_url).returncode == 0
    keys = [record["clientDedup"] for record in server.accepted()]
    assert len(set(keys)) == 2
    assert not any("july" in key for key in keys)


def test_the_campaign_sends_the_same_text_to_that_phone_all_the_same(program: Program, sandbox: Start) -> None:
    server = sandbox()
    assert program(*TRY, "--row", "3", "--base-url", server.base_url).returncode == 0
    sent = program(*SEND, "--skip", "First Name=Ben", "--base-url", server.base_url, "--yes")
    assert sent.returncode == 0, sent.stderr
    assert "of these got" not in sent.stderr
    assert [record["message"] for record in server.accepted() if record["to"] == ME] == ["Hi Me", "Hi Me"]


@pytest.mark.long
def test_it_counts_against_the_cap_of_the_next_run_and_of_the_next_trial(program: Program, sandbox: Start) -> None:
    server = sandbox("--cap", "63=1/4")
    url = ("--base-url", server.base_url, "--cap", "63=1/4")
    assert program(*TRY, *url).returncode == 0
    assert program(*SEND, "--only", "First Name=Me", *url, "--yes").returncode == 0
    assert program(*TRY, *url).returncode == 0
    assert server.summary()["lost"] == 0
    first, second, third = (record["arrived"] for record in server.accepted())
    assert min(second - first, third - second) > 4


def test_a_killed_trial_counts_against_the_cap_and_is_no_question(
    program: Program, sandbox: Start, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
    server = sandbox("--cap", "63=1/4", "--latency", "500ms")
    url = ("--base-url", server.base_url, "--cap", "63=1/4")
    process = program.start(*TRY, *url)
    server.await_requests(1)
    process.kill()
    process.communicate()
    sent = program(*SEND, "--only", "First Name=Me", *url, "--yes")
    assert sent.returncode == 0, sent.stderr
    assert server.summary()["lost"] == 0
    assert "cut off" not in sent.stderr


def test_it_is_refused_while_another_run_holds_the_account_or_waits(program: Program, sandbox: Start) -> None:
    server = sandbox("--latency", "60s")
    url = ("--base-url", server.base_url)
    process = program.start(*SEND, *url, "--yes", "--concurrency", "1")
    server.await_requests(1)
    refused = program(*TRY, *url)
    assert refused.returncode == 4
    assert "another run is sending for organization 1" in refused.stderr
    waiting = program.start(*TRY, *url, "--wait")
    assert waiting.stderr is not None
    while "Waiting: another run is sending" not in (line := waiting.stderr.readline()):
        assert line, "it does not wait"
    server.answer(at_once=True)
    waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    process.communicate(timeout=60)
    assert [record["message"] for record in server.accepted()] == ["Hi Ana", "Hi Me", "Hi Ana"]


def test_it_is_asked_and_no_is_no(program: Program, sandbox: Start) -> None:
    server = sandbox()
    ended, asked = program.answered(*TRY[:-1], "--base-url", server.base_url, answer="n")
    assert ended == 3
    assert "Send this one text (1 SMS part, $0.02 estimated)?" in asked
    assert program(*TRY[:-1], "--base-url", server.base_url).returncode == 2
    assert server.summary()["requests"] == 0


def test_a_rehearsal_of_it_needs_no_key_and_says_what_it_is(program: Program) -> None:
    told = program(*TRY, "--sandbox", env={"BULKSEND_API_KEY": "", "BULKSEND_ORG_ID": ""})
    assert told.returncode == 0, told.stderr
    assert "a rehearsal, nothing reaches a phone" in told.stderr
    assert f"nothing reached {ME}" in told.stderr
    assert files(program) == ["july.csv"]


def test_a_script_gets_an_object(program: Program, sandbox: Start) -> None:
    told = json.loads(program(*TRY, "--json", "--base-url", sandbox().base_url).stdout)
    assert (told["row"], told["to"], told["status"], told["exit"]) == (2, ME, "sent", 0)
    assert (told["chargedMicro"], told["messageSent"]) == (20_000, "Hi Ana")
    assert told["messageId"].startswith("SMS")


@pytest.mark.parametrize(
    ("server_flags", "more", "says"),
    [
        ((), ("--max-cost", "0.01"), "the next message would exceed --max-cost"),
        (("--balance", "0"), (), "the account is out of funds"),
        (("--fail", "400=1"), (), f"It was not sent to {ME}: the API rejected it"),
        (("--legacy", "--lose-answers", "1"), ("--patience", "0s"), f"It may or may not have been sent to {ME}"),
    ],
)
def test_why_it_was_not_sent_is_told(
    program: Program, sandbox: Start, server_flags: tuple[str, ...], more: tuple[str, ...], says: str
) -> None:
    ended = program(*TRY, *more, "--base-url", sandbox(*server_flags).base_url)
    assert ended.returncode == 3
    assert says in ended.stderr
    assert files(program) == ["july.csv"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--row", "1"), "row 1 has no text to send: too short"),
        (("--row", "9"), "there is no row 9: the input has 3"),
        (("--test-to", "12"), "Invalid value for --test-to: 12: too short"),
        (("--dry-run",), "leave one out"),
        (("--exclude", "optouts.csv"), f"{ME}: on the list of those to leave out"),
    ],
)
def test_what_cannot_be_sent_is_said_in_a_sentence(
    program: Program, sandbox: Start, more: tuple[str, ...], says: str
) -> None:
    server = sandbox()
    (program.folder / "optouts.csv").write_text(f"to\n{ME}\n")
    refused = program(*TRY, *more, "--base-url", server.base_url)
    assert refused.returncode == 2
    assert says in refused.stderr
    assert server.summary()["requests"] == 0


def test_a_row_without_a_phone_to_test_is_refused(program: Program) -> None:
    refused = program(*SEND, "--sandbox", "--yes", "--row", "2")
    assert refused.returncode == 2
    assert "--row says whose text --test-to sends" in refused.stderr
