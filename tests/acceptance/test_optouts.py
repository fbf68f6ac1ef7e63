"""Who opted out gets nothing more: kept by the real program, heeded by plans, and by runs that go on or are sent."""

from __future__ import annotations

import csv
import json
import signal
import stat
import time
import urllib.request
from collections import Counter

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, send_to

LATE_S = 1.5  # from when somebody was told that they are on the list


@pytest.fixture
def server(sandbox: Start, program: Program) -> SandboxServer:
    """A server with time to change one's mind; the settings name it, so that every command means its account."""
    started = sandbox("--latency", "100ms")
    (program.folder / "bulksend.toml").write_text(f'base-url = "{started.base_url}"\n')
    return started


def statuses(program: Program) -> Counter[str]:
    return Counter(row["status"] for row in program.results())


def contact_of(server: SandboxServer, number: str) -> int:
    asked = urllib.request.Request(f"{server.base_url}/sandbox/contacts", json.dumps({"number": number}).encode())
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return int(json.load(answer)["contactId"])


def ok(program: Program, *arguments: str) -> str:
    ended = program(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr + ended.stdout


# -- The list


def test_the_list_is_added_to_shown_written_out_and_read_in(program: Program) -> None:
    said = ok(program, "optouts", "add", "0917 123 4567", "+54 9 11 2345-6789", "--country", "PH", "--reason", "asked")
    assert "2 added." in said
    assert "1 added, 1 was on the list already." in ok(
        program, "optouts", "add", "+54 11 2345-6789", "--contact", "12", "--reason", "=1+1"
    )
    today = time.strftime("%Y-%m-%d")
    assert ok(program, "optouts", "list").splitlines() == [
        f"5491123456789     {today}  asked",
        f"639171234567      {today}  asked",
        f"contact 12        {today}  =1+1",
    ]
    said = ok(program, "optouts", "export", "mine.csv")
    assert "Written to mine.csv." in said
    path = program.folder / "mine.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["to"], row["contactId"], row["reason"]) for row in rows] == [
        ("5491123456789", "", "asked"), ("639171234567", "", "asked"), ("", "12", "'=1+1"),
    ]  # fmt: skip
    assert program("optouts", "export", "-").stdout.splitlines()[0] == "to,contactId,optedOutAt,reason"
    assert "2 removed, 1 was not on the list." in ok(
        program, "optouts", "remove", "5491123456789", "639181234567", "--contact", "12"
    )
    assert "2 added, 1 was on the list already." in ok(program, "optouts", "import", "mine.csv")
    assert "from mine.csv" in ok(program, "optouts", "list")


def test_what_cannot_be_read_is_refused_and_changes_nothing(program: Program) -> None:
    (program.folder / "list.csv").write_text("phone\n639171234567\n0917-BAD\n")
    for arguments, says in [
        (("add", "639171234567", "0917"), "'0917' is no phone number: "),
        (("add", "n/a"), "'n/a' is no phone number: it says nothing"),
        (("add",), "nobody is named"),
        (("remove", "63"), "'63' is no phone number: "),
        (("import", "list.csv"), "list.csv: row 2: '…' cannot be left out: letters in it"),  # no cell in a log
        (("import", "nowhere.csv"), "nowhere.csv: there is no such file"),
    ]:
        refused = program("optouts", *arguments)
        assert refused.returncode == 2, refused.stderr
        assert says in refused.stderr
    assert "Nobody opted out." in ok(program, "optouts", "list")


def test_whose_list_it_is_must_be_said(program: Program) -> None:
    refused = program("optouts", "list", env={"BULKSEND_ORG_ID": ""})
    assert refused.returncode == 2
    assert "--org-id" in refused.stderr


# -- Plans


def test_a_plan_leaves_them_out_and_says_so_before_the_question(
    program: Program, server: SandboxServer, campaign_of: CampaignOf
) -> None:
    campaign_of(["639171000001", "+63 917 100 0002", "5491123456789", "639171000004"])
    ok(program, "optouts", "add", "639171000002", "541123456789")
    told = json.loads(program("estimate", "campaign.csv", "--json", env={"BULKSEND_BASE_URL": server.base_url}).stdout)
    assert (told["rows"], told["sendable"], told["skipped"]) == (4, 2, 2)
    code, seen = program.answered("send", "campaign.csv", answer="y")
    assert code == 0
    now = time.localtime()
    day = f"{now.tm_mday} {time.strftime('%B %Y', now)}"
    assert f"skipped: 2 rows: opted out on {day}" in seen
    assert "Send 2 messages" in seen
    assert sorted(each["to"] for each in server.accepted()) == ["639171000001", "639171000004"]
    errors = [(row["status"], row["error"]) for row in program.results()]
    assert errors == [("sent", ""), *[("skipped", f"opted out on {day}")] * 2, ("sent", "")]


def test_a_trial_goes_to_nobody_who_opted_out(program: Program, server: SandboxServer, campaign_of: CampaignOf) -> None:
    campaign_of(["639171000001"])
    ok(program, "optouts", "add", "639181000009")
    refused = program("send", "campaign.csv", "--test-to", "639181000009", "--yes")
    assert refused.returncode == 2, refused.stderr
    assert "639181000009: opted out on " in refused.stderr
    assert server.log() == []


def test_a_private_sandbox_is_nobodys_account(program: Program, campaign_of: CampaignOf) -> None:
    campaign_of(["639171000001"])
    ok(program, "optouts", "add", "639171000001")
    ok(program, "send", "campaign.csv", "--sandbox", "--yes")
    assert [row["status"] for row in program.results("campaign.sandbox.results.csv")] == ["sent"]


def test_contacts_of_unknown_number_are_told_and_checked_once_it_is_known(
    program: Program, server: SandboxServer
) -> None:
    people = [contact_of(server, f"63918123456{digit}") for digit in range(4)]

    def write(name: str, *contacts: int) -> None:
        lines = ["contactId,message", *(f"{contact},Hello of {name}" for contact in contacts)]
        (program.folder / name).write_text("\n".join(lines))

    write("first.csv", *people[:2])
    ok(program, "send", "first.csv", "--yes")
    ok(program, "optouts", "add", "639181234560")
    write("second.csv", *people[:2])
    assert "could not be checked" not in ok(program, "send", "second.csv", "--yes")
    assert [row["status"] for row in program.results("second.results.csv")] == ["skipped", "sent"]
    write("third.csv", *people[1:])
    said = program("send", "third.csv", "--yes").stderr
    assert (
        "2 rows go to contacts whose number is not known here: they could not be checked against the opt-outs" in said
    )


# -- A run that is being sent


def test_who_opts_out_while_a_run_sends_gets_nothing_more_and_the_others_theirs(
    program: Program, server: SandboxServer, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    everybody = numbers(300)  # for a quarter of a minute: a busy machine takes its time to note them
    campaign_of(everybody)
    sending = program.start("send", "campaign.csv", "--yes", "--concurrency", "2")
    server.await_requests(4)
    ok(program, "optouts", "add", *everybody[100:])
    returned = time.time()
    _, said = sending.communicate(timeout=60)
    assert sending.returncode == 0, said
    late = [
        each["to"] for each in server.log() if each["to"] in everybody[100:] and each["arrived"] > returned + LATE_S
    ]
    assert not late
    told = statuses(program)
    assert set(told) == {"sent", "skipped"}
    assert told["skipped"] >= 10
    assert f"{told['skipped']} rows left out since the plan: for opt-outs" in said


def test_whoever_opted_out_since_a_run_began_is_told_and_left_out_when_it_goes_on(
    program: Program, server: SandboxServer, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    everybody = numbers(40)
    campaign_of(everybody)
    ok(program, "send", "campaign.csv", "--yes", "--limit", "5")
    ok(program, "optouts", "add", *everybody[30:], everybody[0])
    code, seen = program.answered("send", "campaign.csv", answer="y")
    assert code == 0, seen
    assert "10 more rows are left out: they go to who opted out since this was planned." in seen
    assert "Send 25 messages" in seen
    assert statuses(program) == {"sent": 30, "skipped": 10}
    assert "more rows" not in program("send", "campaign.csv", "--yes").stderr
    assert {each["to"] for each in server.log()} == {*everybody[:30]}


# -- Longer lists


def test_another_or_longer_list_is_heeded_when_a_run_goes_on_and_a_shorter_one_takes_nobody_up(
    program: Program, server: SandboxServer, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    everybody = numbers(20)
    campaign_of(everybody)
    for name, some in (("one.txt", everybody[19:]), ("two.txt", everybody[17:]), ("three.txt", everybody[10:12])):
        (program.folder / name).write_text("\n".join(some) + "\n")
    send = ("send", "campaign.csv", "--yes")
    assert "skipped: 1 row: on the list" in ok(program, *send, "--exclude", "one.txt", "--limit", "3")
    said = ok(program, *send, "--exclude", "two.txt", "--limit", "3")
    assert "2 more rows are left out: on the lists of those to leave out that are given now." in said
    assert "Whom an earlier --exclude left out of this run stays left out." in said
    said = ok(program, "send", "campaign.run", "--yes", "--exclude", "three.txt", "--limit", "3")
    assert "2 more rows are left out" in said
    assert [row["error"] for row in program.results()][17:] == ["on the list of those to leave out"] * 3
    for again in (("--exclude", "one.txt"), ()):
        said = ok(program, *send, *again, "--limit", "1")
        assert "stays left out" in said
        assert "more row" not in said
    assert "stays left out" not in ok(program, "send", "campaign.run", "--yes")
    assert statuses(program) == {"sent": 15, "skipped": 5}
    assert len({each["to"] for each in server.log()}) == 15


def test_a_saved_plan_can_leave_more_out(
    program: Program, server: SandboxServer, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    everybody = numbers(4)
    campaign_of(everybody)
    (program.folder / "list.txt").write_text(f"{everybody[1]}\n{everybody[2]}\n")
    program("estimate", "campaign.csv", "--save", "june.run", env={"BULKSEND_BASE_URL": server.base_url})
    said = ok(program, "send", "june.run", "--yes", "--exclude", "list.txt", "--results", "campaign.results.csv")
    assert "2 more rows are left out" in said
    assert statuses(program) == {"sent": 2, "skipped": 2}


# -- Rows in doubt


@pytest.mark.long
def test_a_row_in_doubt_is_neither_repeated_nor_resent_to_who_opted_out_or_is_on_a_list_given_later(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    everybody = numbers(8)
    campaign_of(everybody)
    lossy = sandbox("--legacy", "--lose-answers", "1")
    send = send_to(lossy, "--concurrency", "8")
    for _ in range(8):  # a server that says nothing is asked a few at a time
        program(*send, "--patience", "0s")
    assert statuses(program) == {"unknown": 8}
    lossy.end()
    server = sandbox("--port", lossy.port, "--legacy")
    (program.folder / "list.txt").write_text(f"{everybody[1]}\n")
    said = program(*send, "--exclude", "list.txt").stderr
    assert "1 row in doubt is not repeated: who opted out, or is on a list of those to leave out" in said
    ok(program, "optouts", "add", everybody[0], "--base-url", lossy.base_url)
    resolved = program("resolve", "campaign.run", "--resend", "--yes")
    assert "2 rows in doubt are not repeated" in resolved.stderr, resolved.stderr
    assert {each["to"] for each in server.log()} == {*everybody[2:]}
    assert [row["status"] for row in program.results()] == ["unknown"] * 2 + ["sent"] * 6
    assert "it may have been accepted before, and is not repeated" in program.results()[0]["error"]
    ok_or_not = program("resolve", "campaign.run", "--resend", "--yes")
    assert "Nothing is sent again." in ok_or_not.stderr
    assert ok_or_not.returncode == 1
    assert len(server.log()) == 6


def test_a_run_that_is_killed_leaves_them_out_when_it_goes_on(
    program: Program, server: SandboxServer, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    everybody = numbers(60)
    campaign_of(everybody)
    sending = program.start("send", "campaign.csv", "--yes", "--concurrency", "2")
    server.await_requests(6)
    sending.send_signal(signal.SIGKILL)
    sending.communicate(timeout=10)
    asked = {each["to"] for each in server.log()}
    left = [number for number in everybody if number not in asked]
    ok(program, "optouts", "add", *left[10:])
    program("send", "campaign.csv", "--yes")
    assert not {each["to"] for each in server.log()} & {*left[10:]}
    assert {row["status"] for row in program.results() if row["to"] in left[10:]} == {"skipped"}
    assert {row["status"] for row in program.results() if row["to"] in left[:10]} == {"sent"}


# -- What people wrote


def receive(server: SandboxServer, number: str, message: str) -> None:
    body = json.dumps({"number": number, "message": message}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{server.base_url}/sandbox/received", body), timeout=10).close()


def test_who_asked_for_no_more_is_shown_and_added_on_a_word_of_its_own(program: Program, server: SandboxServer) -> None:
    assert "Nobody asked for no more who is not on the list already." in ok(program, "optouts", "fetch")
    for digit, text in enumerate(
        ["STOP", "Tama na po!", "No m\u00e1s", "Stop by the shop?", "Hi", "stop, please", "basta pls"]
    ):
        receive(server, f"63917123456{digit % 6}", text)
    refused = program("optouts", "fetch")
    assert refused.returncode == 2
    assert "without a terminal to ask on, --add is needed" in refused.stderr
    assert [line.split()[0] for line in refused.stdout.splitlines()] == [
        "639171234560", "639171234561", "639171234562", "639171234565",
    ]  # fmt: skip
    assert "63•••••••563" in refused.stderr  # a log is told no more
    assert "Stop by the shop?" not in refused.stderr
    told = program("optouts", "fetch", "--verbose")
    assert "639171234563" in told.stderr
    assert "Stop by the shop?" in told.stderr
    assert "Nobody opted out." in ok(program, "optouts", "list")
    code, _ = program.answered("optouts", "fetch", answer="n")
    assert code == 0
    assert "Nobody opted out." in ok(program, "optouts", "list")
    assert "5 added." in ok(program, "optouts", "fetch", "--add", "--word", "hi")
    assert "5 more asked who are on the list already." in ok(program, "optouts", "fetch", "--word", "HI!")
    assert "said: Tama na po!" in ok(program, "optouts", "list")


def test_that_it_could_not_look_is_never_told_as_nobody(program: Program, sandbox: Start) -> None:
    modern, legacy = sandbox(), sandbox("--legacy")
    for url, key, says in [
        (modern.base_url, "wrong", "the server refused the key"),
        (legacy.base_url, "sandbox", "This server has no list of messages to look in"),
        ("http://127.0.0.1:9", "sandbox", "the server did not answer"),
    ]:
        fetched = program("optouts", "fetch", "--base-url", url, env={"BULKSEND_API_KEY": key})
        assert fetched.returncode == 3
        assert says in fetched.stderr
        assert "there may be others who asked for no more" in fetched.stderr
        assert "Nobody" not in fetched.stderr
