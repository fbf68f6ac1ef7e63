"""The main job, as a user has it: the real program against the sandbox."""

from __future__ import annotations

import json
import stat
from collections import Counter

import pytest
from conftest import CampaignOf, Numbers, Program, Start, send_to


def test_a_thousand_rows_are_each_sent_once_and_the_same_again_sends_nothing(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(1_000))
    send = send_to(server, "--json")

    first = program(*send)
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    assert (summary["rows"], summary["sent"], summary["attempts"]) == (1_000, 1_000, 1_000)
    assert summary["estimateMicro"] == 1_000 * 20_000

    accepted = server.accepted()
    assert Counter(record["to"] for record in accepted) == dict.fromkeys(numbers(1_000), 1)
    ids = {record["to"]: record["messageId"] for record in accepted}
    results = program.results()
    assert [int(row["row"]) for row in results] == list(range(1, 1_001))
    assert all(row["status"] == "sent" and row["messageId"] == ids[row["to"]] for row in results)

    again = program(*send)
    assert again.returncode == 0, again.stderr
    assert "Nothing is left to send" in again.stderr
    assert server.summary()["requests"] == 1_000


def test_the_sample_campaign_is_sent_whole_and_nothing_is_lost_to_the_cap(program: Program) -> None:
    program.take_samples("campaign.csv", "template.txt")
    sandboxed = ("send", "campaign.csv", "--sandbox", "--message-file", "template.txt", "--cap", "63=5/2")
    sent = program(*sandboxed, "--yes", "--json", "-v")
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["sent"] == 200
    assert "lost 0 of them" in sent.stderr
    busiest, times = Counter(row["to"] for row in program.results("campaign.sandbox.results.csv")).most_common(1)[0]
    assert times == 8
    assert busiest in sent.stderr


def test_a_number_over_the_cap_waits_and_holds_up_nobody(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--cap", "63=5/1")
    campaign_of(["639171234567"] * 12 + numbers(50))
    sent = program("send", "campaign.csv", "--base-url", server.base_url, "--cap", "63=5/1", "--yes", "--json")
    assert sent.returncode == 0, sent.stderr
    assert server.summary()["lost"] == 0
    assert server.summary()["worst"] == 5
    arrived = {record["to"]: record["arrived"] for record in server.log()}
    hot = sorted(record["arrived"] for record in server.log() if record["to"] == "639171234567")
    assert hot[-1] - hot[0] > 2
    assert max(arrived[number] for number in numbers(50)) < hot[5]


def test_rows_with_mistakes_are_told_and_the_rest_goes_out(program: Program) -> None:
    program.take_samples("campaign-with-mistakes.csv", "template.txt")
    sent = program("send", "campaign-with-mistakes.csv", "--sandbox", "--message-file", "template.txt", "--yes")
    assert sent.returncode == 1
    results = program.results("campaign-with-mistakes.sandbox.results.csv")
    bad = [row for row in results if row["status"] != "sent"]
    assert len(results) == 20
    assert [row["status"] for row in bad] == ["invalid", "invalid"]
    assert len({row["error"] for row in bad}) == 2
    assert all(row["error"] in sent.stderr for row in bad)


def test_jsonl_goes_out_and_comes_back(program: Program) -> None:
    program.take_samples("campaign.jsonl", "template.txt")
    sent = program(
        "send", "campaign.jsonl", "--sandbox", "--message-file", "template.txt", "--yes", "--results", "out.jsonl"
    )
    assert sent.returncode == 0, sent.stderr
    records = [json.loads(line) for line in (program.folder / "out.jsonl").read_text().splitlines()]
    given = [json.loads(line) for line in (program.folder / "campaign.jsonl").read_text().splitlines()]
    assert len(records) == len(given)
    assert all(record["status"] == "sent" and isinstance(record["estimateMicro"], int) for record in records)
    assert [record["First Name"] for record in records] == [record["First Name"] for record in given]


@pytest.mark.parametrize(
    "rows",
    ["to,message\n639171234567,Hello\n", '{"to": 639171234567, "message": "Hello"}\n'],
    ids=["csv", "jsonl"],
)
def test_standard_input_is_read_and_its_files_are_named_after_it(program: Program, sandbox: Start, rows: str) -> None:
    server = sandbox()
    send = send_to(server, of="-")
    assert program(*send, stdin=rows).returncode == 0
    assert [row["status"] for row in program.results("stdin.results.csv")] == ["sent"]
    assert program(*send, stdin=rows).returncode == 0
    assert [record["message"] for record in server.accepted()] == ["Hello"]


def test_contacts_and_merge_fields_and_own_senders_reach_the_api(program: Program, sandbox: Start) -> None:
    server = sandbox()
    (program.folder / "campaign.csv").write_text(
        "Mobile,contactId,First Name,from\n+63 (917) 123-4567,,Niño,\n,1001,Ana,STORE\n", encoding="utf-8"
    )
    sent = program(*send_to(server, "--map", "to=Mobile",
        "--from", "engageSPARK", "--message", "Hi {first_name}, {{contact.firstName}}!"))  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    by_row = sorted(server.accepted(), key=lambda record: str(record["to"]), reverse=True)
    assert [(r["number"], r["from"], r["message"]) for r in by_row if r["to"]] == [
        ("639171234567", "engageSPARK", "Hi Niño, {{contact.firstName}}!")
    ]
    assert [(r["contactId"], r["from"], r["message"]) for r in by_row if not r["to"]] == [
        (1001, "STORE", "Hi Ana, {{contact.firstName}}!")
    ]
    first, second = program.results()
    assert (first["to"], second["contactId"], second["to"]) == ("639171234567", "1001", "639170001001")


def test_the_phonenumber_endpoint_is_the_one_that_is_asked(
    program: Program, sandbox: Start, campaign_of: CampaignOf
) -> None:
    server = sandbox()
    campaign_of(["639171234567"])
    sent = program(*send_to(server, "--endpoint", "phonenumber"))
    assert sent.returncode == 0, sent.stderr
    assert [record["path"] for record in server.log()] == ["/v1/sms/phonenumber"]


def test_limit_sends_the_first_rows_and_the_same_command_without_it_the_rest(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(10))
    send = send_to(server)
    assert program(*send, "--limit", "3").returncode == 0
    assert [row["status"] for row in program.results()] == ["sent"] * 3 + ["pending"] * 7
    assert program(*send).returncode == 0
    assert sorted(record["to"] for record in server.accepted()[:3]) == numbers(3)
    assert sorted(record["to"] for record in server.accepted()) == numbers(10)


def test_an_estimate_sends_nothing_and_leaves_nothing(program: Program, campaign_of: CampaignOf) -> None:
    campaign_of([*["639171234567"] * 11, "12", "14155552671"])
    estimated = program("estimate", "campaign.csv", "--json", "-o", "rows.csv")
    assert estimated.returncode == 1
    summary = json.loads(estimated.stdout)
    assert (summary["rows"], summary["sendable"], summary["invalid"], summary["parts"]) == (13, 12, 1, 12)
    assert (summary["estimateMicro"], summary["minSeconds"], summary["currency"]) == (11 * 20_000, 120, "USD")
    assert "without a known rate" in estimated.stderr
    rows = program.results("rows.csv")
    assert [row["status"] for row in rows] == ["pending"] * 11 + ["invalid", "pending"]
    assert (rows[0]["estimateMicro"], rows[12]["estimateMicro"]) == ("20000", "")
    assert sorted(path.name for path in program.folder.iterdir()) == ["campaign.csv", "rows.csv"]


def test_personal_data_is_private_and_the_key_is_nowhere(
    program: Program, sandbox: Start, campaign_of: CampaignOf
) -> None:
    key = "s3cret-k3y-of-the-account"
    server = sandbox("--token", key)
    campaign_of(["639171234567", "12"])
    sent = program(*send_to(server), env={"BULKSEND_API_KEY": key})
    assert sent.returncode == 1
    refused = program(*send_to(server, "--api-key", key))
    assert refused.returncode == 2
    assert key not in sent.stdout + sent.stderr + refused.stdout + refused.stderr
    for name in ("campaign.run", "campaign.results.csv"):
        path = program.folder / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert key.encode() not in path.read_bytes()
