"""Who gets it, by columns: nothing is chosen in silence against the obvious."""

from __future__ import annotations

import csv

from conftest import Program, Start, warnings_in

from bulksend.cli.codes import ExitCode

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
        "warning: 2 rows go to the engageSPARK contacts whose ids stand in 'Contact ID', not to the numbers in "
        "'Phone': --map to=COLUMN says otherwise"
    ) in told


def test_who_opted_out_is_told_before_the_question_and_left_out_on_request(program: Program, sandbox: Start) -> None:
    server = sandbox()
    write(program, ("to", "Name", "Unsubscribed"), (ANA, "Ana", "FALSE"), (BEN, "Ben", "TRUE"), (CY, "Cy", ""))
    send = ("send", "campaign.csv", "--message", "Hi {Name}", "--from", "ACME", "--base-url", server.base_url)
    code, seen = program.answered(*send, answer="n")
    assert code == ExitCode.STOPPED
    assert (
        "warning: 1 message goes to people who may not want them, by 'Unsubscribed': 'FALSE' in 1, 'TRUE' in 1, "
        "nothing in 1: --skip 'Unsubscribed=TRUE' leaves them out"
    ) in seen
    sent = program(*send, "--yes", "--skip", "Unsubscribed=true")
    assert sent.returncode == ExitCode.OK
    assert warnings_in(sent.stderr) == []
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
    assert program(*send, "--only", "City=Cebu", "--max-cost", "0.02").returncode == ExitCode.STOPPED
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


def test_a_form_export_sends_the_given_text_where_that_is_said(program: Program) -> None:
    write(program, ("Name", "Phone", "From", "Message"), ("Ana", ANA, "Facebook ad", "I would like to come"))
    estimate = ("estimate", "campaign.csv", "--message", "Dear {Name}", "--from", "ACME", "-v")
    told = program(*estimate).stderr
    assert "1 row has its own text in 'Message', sent in place of the given one: row 1 (I would like to come)" in told
    assert "1 row has its own sender id in 'From', used in place of the given one: row 1 (Facebook ad)" in told
    told = program(*estimate, "--map", "message=", "--map", "from=").stderr
    assert warnings_in(told) == []
    assert f"row 1 to {ANA} from ACME\n  Dear Ana" in "\n".join(map(str.rstrip, told.splitlines()))


def test_without_any_text_it_is_one_line(program: Program) -> None:
    write(program, ("to", "Name"), *[(f"63917{row:07}", "Ana") for row in range(50)])
    for command in ("estimate", "send"):
        refused = program(command, "campaign.csv", *(["--yes"] if command == "send" else []))
        assert refused.returncode == ExitCode.USAGE
        assert refused.stderr.strip() == (
            "Error: there is no text to send: none is given for all rows, and there is no column 'message': give one "
            "with --message, or name another column with --map message=COLUMN"
        )


def test_blank_rows_are_neither_counted_nor_invalid(program: Program) -> None:
    write(program, ("to", "Name"), (ANA, "Ana"), (" ", "\xa0"), ("", "Nobody"), (" ", " "), (BEN, "Ben"))
    told = program("estimate", "campaign.csv", "--message", "Hi {Name}", "-o", "rows.csv")
    assert told.returncode == ExitCode.NOT_ALL_SENT
    assert [(row["row"], row["status"]) for row in program.results("rows.csv")] == [
        ("1", "pending"),
        ("2", "invalid"),
        ("3", "pending"),
    ]


def test_numbers_come_from_the_first_column_that_has_one(program: Program, sandbox: Start) -> None:
    server = sandbox()
    write(program, ("Name", "Mobile", "Home"), ("Ana", ANA, CY), ("Ben", "", BEN))
    mapped = ("--map", "to=Mobile", "--map", "to=Home")
    sent = program("send", "campaign.csv", "--message", "Hi", "--base-url", server.base_url, "--yes", *mapped)
    assert sent.returncode == ExitCode.OK
    assert "note: the numbers are taken from 'Mobile' in 1 row, 'Home' in 1 row" in sent.stderr
    assert [each["to"] for each in server.accepted()] == [ANA, BEN]
