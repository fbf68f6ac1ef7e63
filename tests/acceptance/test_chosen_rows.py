"""Who gets it, by columns: nothing is chosen in silence against the obvious."""

from __future__ import annotations

import csv
from collections.abc import Callable

from conftest import Program, SandboxProcess

from bulksend.cli.codes import ExitCode

Start = Callable[..., SandboxProcess]
ANA, BEN, CY = "639171234567", "639181234567", "639191234567"


def write(program: Program, *rows: tuple[str, ...]) -> None:
    with (program.folder / "campaign.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_another_programs_contact_ids_are_a_question_and_either_answer_is_heeded(
    program: Program, sandbox: Start
) -> None:
    server = sandbox()
    write(program, ("Contact ID", "First Name", "Phone"), ("202", "Ana", f"+{ANA}"), ("203", "Ben", f"+{BEN}"))
    send = ("send", "campaign.csv", "--message", "Hi {First Name}", "--base-url", server.base_url, "--yes")
    asked = program(*send)
    assert asked.returncode == ExitCode.USAGE
    assert asked.stderr.strip() == (
        "Error: campaign.csv: the recipient could be the number in 'Phone', or the engageSPARK contact whose id is in "
        "'Contact ID': say which with --map to='Phone' or --map contactId='Contact ID'"
    )
    assert server.summary()["requests"] == 0
    assert program(*send, "--map", "to=Phone").returncode == ExitCode.OK
    assert [each["to"] for each in server.accepted()] == [ANA, BEN]
    told = program("estimate", "campaign.csv", "--message", "Hi", "--map", "contactId=Contact ID").stderr
    assert (
        "note: 2 rows go to the engageSPARK contacts whose ids stand in 'Contact ID', not to the numbers in 'Phone': "
        "--map to=COLUMN says otherwise"
    ) in told


def test_who_opted_out_is_told_before_the_question_and_left_out_on_request(program: Program, sandbox: Start) -> None:
    server = sandbox()
    write(program, ("to", "Name", "Unsubscribed"), (ANA, "Ana", "FALSE"), (BEN, "Ben", "TRUE"), (CY, "Cy", ""))
    send = ("send", "campaign.csv", "--message", "Hi {Name}", "--from", "ACME", "--base-url", server.base_url)
    sent = program(*send, "--yes", "--skip", "Unsubscribed=true")
    assert sent.returncode == ExitCode.OK
    assert "skipped: 1 row: left out: its 'Unsubscribed' is 'true'" in sent.stderr
    assert [each["to"] for each in server.accepted()] == [ANA, CY]
    assert [(row["status"], row["error"]) for row in program.results()] == [
        ("sent", ""),
        ("skipped", "left out: its 'Unsubscribed' is 'true'"),
        ("sent", ""),
    ]


def test_a_run_goes_on_only_with_the_same_choice_of_rows(program: Program, sandbox: Start) -> None:
    server = sandbox()
    write(program, ("to", "City"), (ANA, "Cebu"), (BEN, "Davao"), (CY, "Cebu"))
    send = ("send", "campaign.csv", "--message", "Hi", "--base-url", server.base_url, "--yes")
    assert program(*send, "--only", "City=Cebu", "--limit", "1").returncode == ExitCode.OK
    for flags, says in (
        ((), "another choice of rows to keep"),
        (("--only", "City=Davao"), "another choice of rows to keep"),
        (("--only", "City=Cebu", "--skip", "City=Manila"), "another choice of rows to leave out"),
    ):
        refused = program(*send, *flags)
        assert refused.returncode == ExitCode.USAGE
        assert f"this run has begun with {says}" in refused.stderr
    assert program(*send, env={"BULKSEND_ONLY": "City=Cebu\n"}).returncode == ExitCode.OK
    assert [each["to"] for each in server.accepted()] == [ANA, CY]


def test_a_column_that_is_not_there_and_a_value_that_no_row_has_are_told(program: Program) -> None:
    write(program, ("to", "City"), (ANA, "Cebu"))
    refused = program("estimate", "campaign.csv", "--message", "Hi", "--only", "Town=Cebu")
    assert refused.returncode == ExitCode.USAGE
    assert "there is no column 'Town' to choose rows by; the columns are 'to', 'City'" in refused.stderr
    told = program("estimate", "campaign.csv", "--message", "Hi", "--skip", "City=Cebbu")
    assert told.returncode == ExitCode.OK
    assert "no row has 'Cebbu' in 'City', which holds 'Cebu': see how it is written in --only or --skip" in told.stderr


def test_numbers_come_from_the_first_column_that_has_one(program: Program, sandbox: Start) -> None:
    server = sandbox()
    write(program, ("Name", "Mobile", "Home"), ("Ana", ANA, CY), ("Ben", "", BEN))
    mapped = ("--map", "to=Mobile", "--map", "to=Home")
    sent = program("send", "campaign.csv", "--message", "Hi", "--base-url", server.base_url, "--yes", *mapped)
    assert sent.returncode == ExitCode.OK
    assert "note: the numbers are taken from 'Mobile' in 1 row, 'Home' in 1 row" in sent.stderr
    assert [each["to"] for each in server.accepted()] == [ANA, BEN]
