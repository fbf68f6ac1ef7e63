"""A page and a workbook of a real run, as somebody asks for them."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from conftest import Program, SandboxServer, Start
from python_calamine import CalamineWorkbook


@pytest.fixture
def june(program: Program, sandbox: Start) -> SandboxServer:
    """A campaign that was sent but for two bad rows."""
    server = sandbox()
    rows = [*((f"63917123450{n}", "Ana") for n in range(8)), ("12", "Ben"), ("", "<script>Cy")]
    with (program.folder / "june.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("to", "First Name"), *rows])
    how = ("--message", "Hi {First Name}", "--from", "ACME", "--base-url", server.base_url, "--yes")
    assert program("send", "june.csv", *how, "--results", "june.xlsx").returncode == 1
    return server


def age(program: Program) -> None:
    """Let the campaign have been sent three hours ago."""
    with closing(sqlite3.connect(program.folder / "june.run")) as db, db:
        db.execute("UPDATE sends SET started_at = started_at - 10800, ended_at = ended_at - 10800")


def summary(program: Program) -> dict[str, Any]:
    """The first sheet of the results."""
    sheet = CalamineWorkbook.from_path(str(program.folder / "june.xlsx")).get_sheet_by_name("Summary")
    return {str(name): value for name, value in sheet.to_python()}


def page(program: Program, name: str) -> str:
    return (program.folder / name).read_text(encoding="utf-8")


@pytest.mark.usefixtures("june")
def test_a_page_of_a_run_that_is_named_by_its_input(program: Program) -> None:
    told = program("report", "june.csv", "-o", "june.html")
    assert (told.returncode, told.stdout) == (0, "")
    assert "8 of 10 rows were accepted for sending on" in page(program, "june.html")
    assert "$0.16" in page(program, "june.html")
    assert "639171234501" not in page(program, "june.html")
    assert program("report", "june.run", "-o", "all.html", "--show-numbers").returncode == 0


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize("output", ["june.run", "june.csv", "june.pdf", "nowhere/june.html"])
def test_no_input_and_no_run_is_overwritten_by_a_page(program: Program, output: str) -> None:
    before = (program.folder / "june.run").read_bytes(), (program.folder / "june.csv").read_bytes()
    told = program("report", "june.csv", "-o", output)
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert ((program.folder / "june.run").read_bytes(), (program.folder / "june.csv").read_bytes()) == before


@pytest.mark.usefixtures("june")
def test_the_results_of_a_send_are_a_workbook_if_they_are_called_one(program: Program) -> None:
    book = CalamineWorkbook.from_path(str(program.folder / "june.xlsx"))
    rows = book.get_sheet_by_name("Rows").to_python()
    assert book.sheet_names == ["Summary", "Rows"]
    assert [row[1] for row in rows[1:]] == ["sent"] * 8 + ["invalid"] * 2
    assert rows[1][2] == "639171234500"


@pytest.mark.usefixtures("june")
def test_only_the_rows_that_are_asked_for_are_written(program: Program) -> None:
    assert program("results", "june.csv", "-o", "bad.csv", "--where", "status=invalid,failed").returncode == 0
    assert [row["row"] for row in program.results("bad.csv")] == ["9", "10"]
    both = ("--where", "status=invalid", "--where", "First Name=ben")
    assert program("results", "june.csv", "-o", "ben.csv", *both).returncode == 0
    assert [row["row"] for row in program.results("ben.csv")] == ["9"]


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("state=sent", "there is no column 'state'"),
        ("status=gone", "there is no status 'gone'"),
        ("status", "write COLUMN=VALUE"),
    ],
)
def test_a_column_or_a_status_that_there_is_not_is_told_in_a_sentence(program: Program, where: str, says: str) -> None:
    told = program("results", "june.csv", "-o", "out.csv", "--where", where)
    assert told.returncode == 2
    assert says in told.stderr
    assert not (program.folder / "out.csv").exists()


@pytest.mark.usefixtures("june")
def test_rows_to_mend_can_be_mended_in_a_workbook(program: Program) -> None:
    assert program("retry", "june.csv", "-o", "mend.xlsx").returncode == 0
    planned = program("estimate", "mend.xlsx", "--message", "Hi {First Name}")
    assert "too short" in planned.stderr
    assert "Rows" not in planned.stderr.replace("(Rows are counted", "")


def test_a_workbook_of_a_run_whose_file_is_gone_is_heeded(june: SandboxServer, program: Program) -> None:
    (program.folder / "june.run").unlink()
    how = ("--message", "Hi {First Name}", "--from", "ACME", "--base-url", june.base_url, "--yes")
    told = program("send", "june.csv", *how, "--results", "june.xlsx")
    assert told.returncode == 2
    assert "june.xlsx: a run whose file is gone has sent to 8 rows" in told.stderr
    assert len(june.accepted()) == 8


def test_why_a_send_ended_early_is_told(program: Program, sandbox: Start) -> None:
    server = sandbox("--balance", "0.05")
    with (program.folder / "june.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("to",), *((f"63917123450{n}",) for n in range(8))])
    sent = program(
        "send", "june.csv", "--message", "Hi", "--base-url", server.base_url, "--yes", "--results", "june.xlsx"
    )
    assert sent.returncode == 3
    told = summary(program)
    assert "funds" in told["last send ended"]
    assert program("report", "june.csv", "-o", "june.html").returncode == 0
    assert f"{told['last send ended']}.</li>" in page(program, "june.html")
    assert "It has not come to its end: 6 rows can still be sent." in page(program, "june.html")


@pytest.mark.usefixtures("june")
def test_a_purged_runs_workbook_and_page_hold_figures_alone(program: Program) -> None:
    age(program)
    purged = program("purge", "june.run", "--older-than", "2h", "--repeat-after", "2h")
    assert purged.returncode == 0, purged.stderr
    assert "june.xlsx: rewritten without them." in purged.stderr
    book = CalamineWorkbook.from_path(str(program.folder / "june.xlsx"))
    assert "Ana" not in str(book.get_sheet_by_name("Rows").to_python())
    assert summary(program)["sent"] == 8
    assert program("report", "june.csv", "-o", "june.html", "--show-numbers").returncode == 0
    assert "Its numbers and texts were taken out of it on" in page(program, "june.html")
    assert "8 of 10 rows were accepted for sending on" in page(program, "june.html")
    assert "63917123450" not in page(program, "june.html")


@pytest.mark.usefixtures("june")
def test_a_workbook_of_another_run_is_not_purged_with_this_one(program: Program) -> None:
    age(program)
    (program.folder / "june.csv").rename(program.folder / "july.csv")
    with (program.folder / "july.csv").open("a", encoding="utf-8") as file:
        file.write("639171234599,Di\n")
    how = ("--message", "Hello {First Name}", "--from", "ACME", "--sandbox", "--yes", "--results", "july.xlsx")
    assert program("send", "july.csv", *how).returncode == 1
    refused = program("purge", "june.run", "--older-than", "2h", "--repeat-after", "2h", "--also", "july.xlsx")
    assert refused.returncode == 2
    assert "july.xlsx: this is not what the run june.run wrote" in refused.stderr
