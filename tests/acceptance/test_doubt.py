"""Rows that may or may not have been accepted: looked up, sent again, or left; and what other runs have to know."""

from __future__ import annotations

import json
import signal
from collections import Counter

from conftest import CampaignOf, Numbers, Program, Start, send_to


def statuses(program: Program) -> Counter[str]:
    return Counter(row["status"] for row in program.results())


def test_lost_answers_are_found_in_the_apis_list_at_the_end_of_a_run(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--lose-answers", "0.3", "--seed", "2")
    campaign_of(numbers(40))
    sent = program(*send_to(server, "--no-dedup"))
    assert sent.returncode == 0, sent.stderr
    lost = [record for record in server.log() if not record["answered"]]
    assert lost
    assert all(record["clientDedup"] in {None, ""} for record in server.log())
    ids = {record["to"]: record["messageId"] for record in server.accepted()}
    assert all(row["messageId"] == ids[row["to"]] for row in program.results())
    assert len(server.accepted()) == 40


def test_resolve_without_a_list_leaves_what_it_cannot_know_and_resend_sends_it_again(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--lose-answers", "0.3", "--seed", "2")
    campaign_of(numbers(30))
    assert program(*send_to(server)).returncode == 1
    unknown = statuses(program)["unknown"]
    assert unknown == len([record for record in server.log() if not record["answered"]])

    looked = program("resolve", "campaign.run")
    assert looked.returncode == 1
    assert f"{unknown} rows in doubt" in looked.stderr
    assert statuses(program)["unknown"] == unknown
    unasked = program("resolve", "campaign.run", "--resend")
    assert unasked.returncode == 2
    assert "--yes is needed" in unasked.stderr
    assert len(server.accepted()) == 30

    program("resolve", "campaign.run", "--resend", "--yes")
    assert len(server.accepted()) == 30 + unknown
    assert statuses(program)["unknown"] < unknown


def test_rows_that_are_left_stay_unknown_and_are_not_asked_about_again(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--lose-answers", "0.3", "--seed", "2")
    campaign_of(numbers(30))
    program(*send_to(server))
    unknown = statuses(program)["unknown"]
    assert program("resolve", "campaign.run", "--leave").returncode == 0
    assert statuses(program)["unknown"] == unknown
    again = program("resolve", "campaign.run")
    assert again.returncode == 0
    assert "No row is in doubt" in again.stderr
    assert len(server.accepted()) == 30


def test_the_cap_holds_across_runs_of_one_account(program: Program, sandbox: Start, campaign_of: CampaignOf) -> None:
    server = sandbox("--cap", "63=5/3")
    for name in ("first", "second"):
        campaign_of(["639171234567"] * 4, f"{name}.csv")
        sent = program(*send_to(server, "--cap", "63=5/3", "--repeat", of=f"{name}.csv"))
        assert sent.returncode == 0, sent.stderr
        (program.folder / f"{name}.run").unlink()  # what it sent is remembered all the same
    assert server.summary()["lost"] == 0
    assert server.summary()["accepted"] == 8


def test_the_cap_holds_for_the_run_after_one_that_was_killed(
    program: Program, sandbox: Start, campaign_of: CampaignOf
) -> None:
    server = sandbox("--cap", "63=5/3", "--latency", "300ms")
    campaign_of(["639171234567"] * 10, "first.csv")
    campaign_of(["+63 917 123 4567"] * 3, "second.csv")
    process = program.start(*send_to(server, "--cap", "63=5/3", of="first.csv"))
    server.await_requests(5)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    sent = program(*send_to(server, "--cap", "63=5/3", of="second.csv"))
    assert sent.returncode == 0, sent.stderr
    assert server.summary()["lost"] == 0


def test_after_a_killed_run_whose_file_is_gone_the_next_one_waits_a_whole_window(
    program: Program, sandbox: Start, campaign_of: CampaignOf
) -> None:
    server = sandbox("--cap", "63=5/3", "--latency", "300ms")
    campaign_of(["639171234567"] * 10, "first.csv")
    campaign_of(["639171234567"] * 3, "second.csv")
    process = program.start(*send_to(server, "--cap", "63=5/3", of="first.csv"))
    server.await_requests(5)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    for left in program.folder.glob("first.run*"):
        left.unlink()
    command = send_to(server, "--cap", "63=5/3", of="second.csv")
    refused = program(*command)
    assert refused.returncode == 2, refused.stderr
    assert "first.run: this run of the account was cut off and its run file is gone" in refused.stderr
    sent = program(*command, "--repeat")
    assert sent.returncode == 0, sent.stderr
    assert "cut off" in sent.stderr
    assert server.summary()["lost"] == 0


def test_the_number_of_a_contact_is_remembered_by_the_next_run(program: Program, sandbox: Start) -> None:
    server = sandbox("--cap", "63=5/3")
    (program.folder / "first.csv").write_text("contactId,message\n1001,Hello\n")
    (program.folder / "second.csv").write_text(
        "to,contactId,message\n" + "639170001001,,To the number\n" * 4 + ",1001,To the contact\n" * 4
    )
    for name in ("first.csv", "second.csv"):
        sent = program(*send_to(server, "--cap", "63=5/3", of=name))
        assert sent.returncode == 0, sent.stderr
    assert server.summary()["lost"] == 0
    assert server.summary()["accepted"] == 9


def test_two_runs_of_one_account_do_not_send_at_once(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "200ms")
    campaign_of(numbers(60), "first.csv")
    campaign_of(numbers(3), "second.csv")
    first = program.start(*send_to(server, "--concurrency", "4", of="first.csv"))
    server.await_requests(4)
    first.send_signal(signal.SIGSTOP)  # so that it cannot be through before the other comes
    refused = program(*send_to(server, "--repeat", of="second.csv"))
    first.send_signal(signal.SIGCONT)
    assert refused.returncode == 4
    assert f"process {first.pid}" in refused.stderr
    assert "first.run" in refused.stderr
    waited = program(*send_to(server, "--wait", "--repeat", of="second.csv"))
    assert waited.returncode == 0, waited.stderr
    assert "Waiting" in waited.stderr
    assert first.wait(timeout=30) == 0
    first.communicate()
    assert len(server.accepted()) == 63


def test_a_filled_budget_stops_the_run_and_is_never_overshot(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "50ms")
    campaign_of(numbers(100))
    send = send_to(server)
    stopped = program(*send, "--max-cost", "0.50")
    assert stopped.returncode == 3
    assert "--max-cost" in stopped.stderr
    assert len(server.log()) == 25
    assert statuses(program) == {"sent": 25, "pending": 75}
    assert program(*send, "--max-cost", "0.51").returncode == 3
    assert len(server.log()) == 25
    assert program(*send).returncode == 0
    assert len(server.accepted()) == 100


def test_too_many_errors_stop_the_run(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--fail", "400=0.5", "--seed", "1")
    campaign_of(numbers(200))
    send = send_to(server, "--concurrency", "4")
    stopped = program(*send, "--max-errors", "10")
    assert stopped.returncode == 3
    assert "more than --max-errors 10" in stopped.stderr
    assert 11 <= statuses(program)["rejected"] <= 11 + 4
    shared = program(*send, "--max-errors", "20%")
    assert shared.returncode == 3
    assert statuses(program)["pending"] > 0


def test_when_everything_fails_the_run_stops_and_its_rows_stay_pending(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--fail", "500=1")
    campaign_of(numbers(500))
    send = send_to(server, "--concurrency", "10")
    stopped = program(*send, "--patience", "3s")
    assert stopped.returncode == 3
    assert "Nothing was sent: server away" in stopped.stderr
    assert "stopped    the server was away: nothing got through" in stopped.stderr
    assert "internal service error" in stopped.stderr
    assert len(server.log()) <= 50 + 10
    assert statuses(program) == {"pending": 500}


def test_a_row_inserted_on_top_under_the_same_campaign_is_sent_and_the_others_are_skipped(
    program: Program, sandbox: Start, numbers: Numbers
) -> None:
    server = sandbox()
    new, *others = numbers(4)
    for name, people in (("first.csv", others), ("second.csv", [new, *reversed(others)])):
        (program.folder / name).write_text("to,message\n" + "".join(f"{number},Hello {number}\n" for number in people))
    send = ("--base-url", server.base_url, "--yes", "--campaign", "spring")
    assert program("send", "first.csv", *send).returncode == 0
    elsewhere = {"BULKSEND_STATE_DIR": str(program.folder / "another machine's")}
    assert program("send", "second.csv", *send, env=elsewhere).returncode == 0
    ids = {record["to"]: record["messageId"] for record in server.accepted()}
    told = {row["to"]: row for row in program.results("second.results.csv")}
    assert {to: row["status"] for to, row in told.items()} == {new: "sent"} | dict.fromkeys(others, "skipped")
    assert {to: row["messageId"] for to, row in told.items()} == ids
    assert all(told[to]["error"] == f"accepted before ({ids[to]}), not charged again" for to in others)
    assert len(server.accepted()) == 4


def test_the_same_campaign_from_another_machine_is_not_sent_twice(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(20))
    send = send_to(server, "--campaign", "spring")
    assert program(*send).returncode == 0
    ids = [row["messageId"] for row in program.results()]
    (program.folder / "campaign.run").unlink()
    (program.folder / "campaign.results.csv").unlink()
    elsewhere = {"BULKSEND_STATE_DIR": str(program.folder / "another machine's")}
    again = program(*send, "--json", env=elsewhere)
    assert again.returncode == 0, again.stderr
    assert [row["messageId"] for row in program.results()] == ids
    assert statuses(program) == {"skipped": 20}
    assert json.loads(again.stdout)["estimateMicro"] == 0
    assert program(*send_to(server), env=elsewhere).returncode == 0
    assert len(server.accepted()) == 20


def test_what_was_accepted_before_under_a_campaign_is_counted_apart_and_told_with_its_run_where_that_is_known(
    program: Program, sandbox: Start, numbers: Numbers
) -> None:
    server = sandbox()
    here, elsewhere, new = numbers(3)
    send = ("--base-url", server.base_url, "--yes", "--campaign", "spring")
    other = {"BULKSEND_STATE_DIR": str(program.folder / "another machine's")}
    for name, people, env in (
        ("first", [here], {}),
        ("second", [elsewhere], other),
        ("third", [here, elsewhere, new], {}),
    ):
        sheet = "to,message\n12,bad\n" + "".join(f"{number},Hello {number}\n" for number in people)
        (program.folder / f"{name}.csv").write_text(sheet)
        told = program("send", f"{name}.csv", *send, "--repeat-after", "0s", "--skip", "to=12", env=env)
        assert told.returncode == 0, told.stderr
        assert ("accepted before" in told.stderr) is (name == "third")
    words = " ".join(told.stderr.split())
    assert "skipped 3 (left out on purpose; 2 accepted before, not charged again)" in words
    assert (
        "2 rows were accepted before under the campaign spring, and neither sent again nor charged; of 1 nobody"
        in words
    )
    assert "give another --campaign" in words
    errors = {row["to"]: row["error"] for row in program.results("third.results.csv")}
    ids = {record["to"]: record["messageId"] for record in server.accepted()}
    assert errors[here].startswith(f"accepted before ({ids[here]}, from first.run on ")
    assert errors[here].endswith("), not charged again")
    assert errors[elsewhere] == f"accepted before ({ids[elsewhere]}), not charged again"
    assert "2 accepted before" in program("status", "third.run").stderr
    assert len(server.accepted()) == 3


def test_a_campaign_that_is_repeated_on_purpose_has_keys_of_its_own(program: Program, sandbox: Start) -> None:
    server = sandbox()
    send = ("--base-url", server.base_url, "--yes", "--campaign", "spring")
    for name, more in (("first.csv", ()), ("second.csv", ("--repeat",))):
        (program.folder / name).write_text("to,message\n" + "639171234567,Hi\n" * 2 + "639171234568,Hi\n")
        assert program("send", name, *send, *more).returncode == 0
    accepted = server.accepted()
    assert len({record["clientDedup"] for record in accepted}) == len(accepted) == 6


def test_a_busy_server_slows_the_whole_run(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--fail", "429=0.1", "--seed", "5")
    campaign_of(numbers(40))
    sent = program(*send_to(server, "--concurrency", "2", "--retries", "10"))
    assert sent.returncode == 0, sent.stderr
    log = server.log()
    refused_at = next(record["arrived"] for record in log if record["status"] == 429)
    after = [record["arrived"] - refused_at for record in log if record["arrived"] > refused_at]
    assert not [gap for gap in after if 0.4 < gap < 0.9]  # one may have been under way already
