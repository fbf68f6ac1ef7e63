"""However a run ends: kill -9, Ctrl-C, no funds, a second process; and that the same command then goes on."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter

import pytest
from conftest import CampaignOf, Numbers, Program, Start, send_to
from forks import Process


def end(process: Process, number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    _, talk = process.communicate(timeout=60)
    return process.wait(), talk


@pytest.mark.parametrize("after", [1, 40, 150])
def test_after_kill_9_the_same_command_finishes_the_rest_and_nothing_goes_twice(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, after: int
) -> None:
    server = sandbox("--latency", "50ms+-40ms")
    campaign_of(numbers(300))
    send = send_to(server, "--concurrency", "20")
    process = program.start(*send)
    server.await_requests(after)
    end(process, signal.SIGKILL)

    status = program("status", "campaign.run")
    assert "was cut off" in status.stderr
    finished = program(*send)
    assert finished.returncode == 0, finished.stderr
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(300), 1)
    ids = {record["to"]: record["messageId"] for record in server.accepted()}
    assert all(row["status"] == "sent" and row["messageId"] == ids[row["to"]] for row in program.results())


def test_without_proof_of_dedup_what_was_under_way_at_a_kill_stays_unknown(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--latency", "100ms")
    campaign_of(numbers(100))
    send = send_to(server, "--concurrency", "10")
    process = program.start(*send)
    server.await_requests(25)
    end(process, signal.SIGKILL)

    finished = program(*send)
    assert finished.returncode == 1, finished.stderr
    status = {row["to"]: row["status"] for row in program.results()}
    accepted = Counter(record["to"] for record in server.accepted())
    assert set(accepted.values()) == {1}
    assert all(accepted[number] or status[number] == "unknown" for number in numbers(100))
    assert 0 < Counter(status.values())["unknown"] <= 10
    assert "may or may not have been accepted" in finished.stderr


def test_the_cap_holds_across_a_kill(program: Program, sandbox: Start, campaign_of: CampaignOf) -> None:
    server = sandbox("--cap", "63=5/3")
    campaign_of(["639171234567"] * 10)
    send = send_to(server, "--cap", "63=5/3")
    process = program.start(*send)
    server.await_requests(5)
    end(process, signal.SIGKILL)
    assert program(*send).returncode == 0
    assert server.summary()["lost"] == 0
    assert server.summary()["accepted"] == 10


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_ends_in_order_and_goes_on(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, number: signal.Signals, code: int
) -> None:
    server = sandbox("--latency", "100ms")
    campaign_of(numbers(200))
    send = send_to(server, "--concurrency", "10")
    process = program.start(*send)
    server.await_requests(15)
    returned, talk = end(process, number)
    assert returned == code, talk
    assert "run the same command again" in talk

    sent = [row["to"] for row in program.results() if row["status"] == "sent"]
    assert sorted(sent) == sorted(record["to"] for record in server.accepted())
    assert {row["status"] for row in program.results()} == {"sent", "pending"}
    assert program(*send).returncode == 0
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(200), 1)


@pytest.mark.parametrize("again", [signal.SIGINT, signal.SIGTERM])
def test_a_second_interrupt_leaves_at_once_and_tells_what_that_left(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, again: signal.Signals
) -> None:
    server = sandbox("--latency", "20")
    campaign_of(numbers(5))
    process = program.start(*send_to(server))
    server.await_requests(1)
    server.answer()
    server.await_requests(5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    started = time.monotonic()
    returned, said = end(process, again)
    assert returned == 130
    assert time.monotonic() - started < 15
    assert "waiting for 4 answers, 30 s at most. Ctrl-C again leaves them in doubt." in said
    assert "Not waiting any longer: 4 messages are in doubt." in said
    assert "Next:\n  bulksend resolve campaign.run " in said
    assert [row["status"] for row in program.results()] == ["sent"] + ["unknown"] * 4


@pytest.mark.long
def test_what_an_interrupted_run_cannot_wait_for_is_unknown(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "20")
    campaign_of(numbers(3))  # more take long, for a server that says nothing is given time
    process = program.start(*send_to(server, "--timeout", "2"))
    server.await_requests(3)
    assert end(process, signal.SIGINT)[0] == 130
    assert {row["status"] for row in program.results()} == {"unknown"}


def test_a_run_without_funds_stops_and_goes_on_after_a_top_up(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    poor = sandbox("--balance", "0.10")
    campaign_of(numbers(100))
    send = send_to(poor, "--concurrency", "4")
    stopped = program(*send)
    assert stopped.returncode == 3
    assert "out of funds" in stopped.stderr
    counts = Counter(row["status"] for row in program.results())
    assert counts == {"sent": 5, "pending": 95}
    assert poor.summary()["requests"] <= 5 + 4

    sent_before = [record["to"] for record in poor.accepted()]
    poor.end()
    topped_up = sandbox("--balance", "1.90", "--port", poor.port)
    finished = program(*send)
    assert finished.returncode == 0, finished.stderr
    assert {row["status"] for row in program.results()} == {"sent"}
    sent_after = [record["to"] for record in topped_up.accepted()]
    assert Counter(sent_before + sent_after) == dict.fromkeys(numbers(100), 1)
    assert topped_up.summary()["balanceMicro"] == 0


def test_a_refused_key_stops_the_run_with_nothing_sent(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--token", "another")
    campaign_of(numbers(50))
    stopped = program(*send_to(server, "--concurrency", "4"))
    assert stopped.returncode == 3
    assert "refused the key" in stopped.stderr
    assert server.summary()["requests"] <= 4
    assert {row["status"] for row in program.results()} == {"pending"}


def test_internal_errors_are_tried_again_until_all_is_sent(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--fail", "500=0.2", "--seed", "7")
    campaign_of(numbers(60))
    sent = program(*send_to(server, "--retries", "10"))
    assert sent.returncode == 0, sent.stderr
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(60), 1)
    assert any(int(row["attempts"]) > 1 for row in program.results())


def test_lost_answers_are_asked_for_again_under_the_same_key(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--lose-answers", "0.2", "--seed", "7")
    campaign_of(numbers(60))
    sent = program(*send_to(server, "--retries", "10"))
    assert sent.returncode == 0, sent.stderr
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(60), 1)
    assert server.summary()["duplicates"] > 0


def test_lost_answers_of_a_server_without_dedup_are_unknown_and_never_sent_twice(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--lose-answers", "0.3", "--seed", "2")
    campaign_of(numbers(30))
    sent = program(*send_to(server))
    assert sent.returncode == 1
    lost = {record["to"] for record in server.log() if not record["answered"]}
    assert lost
    assert {row["to"] for row in program.results() if row["status"] == "unknown"} == lost
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(30), 1)


def test_rows_that_were_tried_and_none_of_which_was_accepted_end_with_3_and_say_so(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--fail", "400=1.0")
    campaign_of(numbers(3))
    sent = program(*send_to(server, "--json"))
    assert sent.returncode == 3
    assert "none was accepted" in sent.stderr
    told = json.loads(sent.stdout)
    assert (told["exit"], told["reason"], told["rejected"]) == (
        3,
        "Nothing was sent: of 3 requests none was accepted",
        3,
    )


def test_a_server_that_cannot_be_reached_is_waited_for_and_leaves_the_rows_pending(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    server.end()
    campaign_of(numbers(3))
    send = send_to(server, "--retries", "1")
    gone = program(*send, "--patience", "1s")
    assert gone.returncode == 3
    assert "The server is away; trying again in" in gone.stderr
    assert "Nothing was sent: server away" in gone.stderr
    assert "stopped    the server was away" in gone.stderr
    assert "could not be reached" in gone.stderr
    assert {row["status"] for row in program.results()} == {"pending"}
    sandbox("--port", server.port)
    assert program(*send).returncode == 0
    assert {row["status"] for row in program.results()} == {"sent"}


def test_a_second_process_is_told_who_has_the_run(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "200ms")
    campaign_of(numbers(60))
    send = send_to(server, "--concurrency", "4")
    process = program.start(*send)
    server.await_requests(5)
    process.send_signal(signal.SIGSTOP)  # so that it cannot be through before the others have looked
    second = program(*send)
    status = program("status", "campaign.run")
    process.send_signal(signal.SIGCONT)
    assert second.returncode == 4
    assert f"process {process.pid}" in second.stderr
    assert f"Process {process.pid}" in status.stderr
    assert "is at work on it" in status.stderr
    assert process.wait(timeout=60) == 0
    process.communicate()
    assert len(server.accepted()) == 60


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("send", "missing.csv", "--sandbox", "--yes"), "there is no such file"),
        (("send", "empty.csv", "--sandbox", "--yes"), "empty"),
        (("send", "nobody.csv", "--sandbox", "--yes"), "no column for the recipient"),
        (("send", "twice.csv", "--sandbox", "--yes"), "twice"),
        (("send", "good.csv", "--sandbox"), "--yes is needed"),
        (("send", "good.csv", "--sandbox", "--yes", "--message", "Hi {Nmae}"), "Nmae"),
        (("send", "good.csv", "--yes", "--base-url", "http://example.com"), "https://"),
        (("send", "good.csv", "--sandbox", "--yes", "--results", "out.docx"), ".csv, .jsonl or .xlsx"),
        (("send", "good.csv", "--sandbox", "--yes", "--cap", "63:5"), "63=5/60"),
        (("send", "good.csv", "--sandbox", "--yes", "--concurrency", "0"), "--concurrency"),
        (("status", "good.csv"), "not a run file"),
        (("results", "none.run", "-o", "x.csv"), "no such run file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_work_is_told_in_a_sentence_and_nothing_is_sent(
    program: Program, arguments: tuple[str, ...], says: str
) -> None:
    (program.folder / "empty.csv").write_text("")
    (program.folder / "nobody.csv").write_text("name,message\nAna,Hello\n")
    (program.folder / "twice.csv").write_text("to,To,message\n639171234567,639171234567,Hello\n")
    (program.folder / "good.csv").write_text("to,Name,message\n639171234567,Ana,Hello\n")
    ended = program(*arguments)
    assert ended.returncode == 2
    assert says in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_without_a_key_or_an_organization_nothing_starts(program: Program, campaign_of: CampaignOf) -> None:
    campaign_of(["639171234567"])
    no_key = program("send", "campaign.csv", "--yes", env={"BULKSEND_API_KEY": ""})
    no_organization = program("send", "campaign.csv", "--yes", env={"BULKSEND_ORG_ID": ""})
    assert (no_key.returncode, no_organization.returncode) == (2, 2)
    assert "BULKSEND_API_KEY" in no_key.stderr
    assert "--org-id" in no_organization.stderr
    assert sorted(path.name for path in program.folder.iterdir()) == ["campaign.csv"]


def test_a_begun_run_is_not_changed_by_an_edited_spreadsheet_or_other_options(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(5))
    send = send_to(server)
    assert program(*send, "--max-cost", "0.04").returncode == 3
    other_text = program(*send, "--message", "Other")
    other_server = program("send", "campaign.csv", "--sandbox", "--yes", "--run", "campaign.run")
    campaign_of(numbers(6))
    other_input = program(*send)
    assert [ended.returncode for ended in (other_text, other_server, other_input)] == [2, 2, 2]
    assert "another message" in other_text.stderr
    assert "another content" in other_input.stderr
    as_planned = program("send", "campaign.run", "--yes")
    assert as_planned.returncode == 0, as_planned.stderr
    assert len(server.accepted()) == 5


def test_an_unbegun_plan_follows_the_corrected_spreadsheet(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(["12"])
    send = send_to(server)
    assert program(*send).returncode == 1
    campaign_of(numbers(1))
    assert program(*send).returncode == 0
    assert len(server.accepted()) == 1


@pytest.mark.parametrize(("answer", "code", "sent"), [("y", 0, 1), ("n", 3, 0)])
def test_in_a_terminal_it_asks_before_money_is_spent(
    program: Program, sandbox: Start, campaign_of: CampaignOf, answer: str, code: int, sent: int
) -> None:
    server = sandbox()
    campaign_of(["639171234567"])
    ended, asked = program.answered("send", "campaign.csv", "--base-url", server.base_url, answer=answer)
    assert "$0.02" in asked
    assert ended == code
    assert len(server.accepted()) == sent


def test_the_results_of_a_killed_run_are_true_and_the_next_run_repairs_them(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "100ms")
    campaign_of(numbers(60))
    send = send_to(server, "--concurrency", "5")
    process = program.start(*send)
    server.await_requests(20)
    end(process, signal.SIGKILL)
    assert program("results", "campaign.run", "-o", "now.csv").returncode == 0
    statuses = Counter(row["status"] for row in program.results("now.csv"))
    assert sum(statuses.values()) == 60
    assert 1 <= statuses["unknown"] <= 2 * 5  # those under way, and as many that were ready to go
    accepted = {record["to"] for record in server.accepted()}
    assert {row["to"] for row in program.results("now.csv") if row["status"] == "sent"} <= accepted
    assert program(*send).returncode == 0
    assert {row["status"] for row in program.results()} == {"sent"}


def test_a_run_goes_on_when_nobody_reads_what_it_says(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "100ms")
    campaign_of(numbers(60))
    process = program.start(*send_to(server, "--concurrency", "4"))
    assert process.stderr is not None
    process.stderr.readline()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert len(server.accepted()) == 60
    assert {row["status"] for row in program.results()} == {"sent"}
    assert process.stdout is not None
    process.stdout.close()


def test_a_closed_terminal_ends_a_run_in_order(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "100ms")
    campaign_of(numbers(100))
    process = program.start(*send_to(server, "--concurrency", "4"))
    server.await_requests(8)
    assert end(process, signal.SIGHUP)[0] == 143
    assert {row["status"] for row in program.results()} == {"sent", "pending"}


def test_results_never_replace_the_spreadsheet(program: Program, campaign_of: CampaignOf, numbers: Numbers) -> None:
    path = campaign_of(numbers(3))
    assert program("send", "campaign.csv", "--sandbox", "--yes").returncode == 0
    before = path.read_bytes()
    refused = program("results", "campaign.sandbox.run", "-o", "campaign.csv")
    assert refused.returncode == 2
    assert path.read_bytes() == before


def test_results_that_cannot_be_written_in_the_end_are_told_after_the_report(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "200ms")
    campaign_of(numbers(20))
    folder = program.folder / "out"
    folder.mkdir()
    process = program.start(*send_to(server, "--results", "out/r.csv", "--concurrency", "4"))
    server.await_requests(5)
    folder.rmdir()
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "20  (accepted by the API)" in talk
    assert "bulksend results campaign.run -o campaign.all-results.csv" in talk


def test_a_wrong_address_can_be_corrected_when_nothing_was_accepted(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    wrong = program("send", "campaign.csv", "--base-url", f"{server.base_url}/elsewhere", "--yes")
    assert wrong.returncode == 3
    assert "check --base-url" in wrong.stderr
    assert program(*send_to(server)).returncode == 0
    assert len(server.accepted()) == 3


def test_a_damaged_run_file_is_told_in_a_sentence(program: Program, campaign_of: CampaignOf, numbers: Numbers) -> None:
    campaign_of(numbers(2_000))
    assert program("send", "campaign.csv", "--sandbox", "--yes", "--limit", "1").returncode == 0
    path = program.folder / "campaign.sandbox.run"
    content = bytearray(path.read_bytes())
    content[8_192:] = b"U" * (len(content) - 8_192)
    path.write_bytes(content)
    for ended in (program("results", path.name, "-o", "x.csv"), program("status", path.name)):
        assert ended.returncode in {2, 3}
        assert "Traceback" not in ended.stderr
        assert path.name in ended.stderr


def test_answers_that_came_while_it_stood_still_are_read(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--latency", "300ms")  # shows no keys, so that nothing could be repeated
    campaign_of(numbers(60))
    send = send_to(server, "--concurrency", "20", "--timeout", "1")
    process = program.start(*send)
    server.await_requests(25)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)  # longer than the time-out
    process.send_signal(signal.SIGCONT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 0, talk
    assert Counter(row["status"] for row in program.results()) == {"sent": 60}
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(60), 1)
