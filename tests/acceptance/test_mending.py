"""What was not sent is written into a sheet, mended, and sent: nobody gets anything twice by that."""

from __future__ import annotations

import csv
import json
from collections import Counter

import pytest
from conftest import Program, SandboxServer, Start, warnings_in

from bulksend.planning.usual import fit_of

TEXT = ("--message", "Hi {First Name}, {Points}")
ROWS = (
    ("639171234501", "Ana", "10"),
    ("12", "Ben", "20"),
    ("639171234503", "Cy", "'=1+2"),
    ("", "", ""),
    ("639171234505", "Ed", "50"),
    ("none", "Fe", "60"),
    ("639171234507", "Gus", "70"),
)


def write(program: Program, name: str, *rows: tuple[str, ...], header: tuple[str, ...]) -> None:
    with (program.folder / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def june(program: Program, sandbox: Start) -> tuple[SandboxServer, tuple[str, ...]]:
    """A campaign of which two rows are invalid and one is pending; the server, and how to send to it."""
    server = sandbox()
    write(program, "june.csv", *ROWS, header=("to", "First Name", "Points"))
    how = ("--base-url", server.base_url, "--yes")
    assert program("send", "june.csv", *TEXT, *how, "--limit", "3").returncode == 1
    return server, how


Sent = tuple[SandboxServer, tuple[str, ...]]


@pytest.mark.usefixtures("june")
def test_bad_rows_are_written_in_their_own_columns_with_error_and_line(program: Program) -> None:
    told = program("retry", "june.csv", "-o", "mend.csv")
    assert told.returncode == 0
    first, second = program.results("mend.csv")
    assert list(first) == ["to", "First Name", "Points", "error", "line"]
    assert (first["to"], first["First Name"], first["Points"], first["line"]) == ("12", "Ben", "20", "3")
    assert first["error"].startswith("too short")
    assert (second["to"], second["line"]) == ("none", "7")  # an empty line stands before it
    assert "mend.csv holds 2 rows to mend: 2 invalid" in told.stderr
    assert "Not among them: 3 sent, 1 pending (bulksend send june.run sends them" in told.stderr


def test_the_mended_sheet_is_an_input_like_any_other_and_nobody_gets_a_text_twice(june: Sent, program: Program) -> None:
    server, how = june
    assert program("retry", "june.run", "-o", "mend.csv").returncode == 0
    sheet = (program.folder / "mend.csv").read_text("utf-8-sig").replace("12,Ben", "639171234502,Ben")
    sheet = sheet.replace("none,Fe", "639171234506,Fe") + "639171234501,Ana,10,,2\n"  # one too many, by mistake
    (program.folder / "mend.csv").write_text(sheet)
    sent = program("send", "mend.csv", *TEXT, *how)
    assert "1 of these got this very text from june.run" in sent.stderr
    assert all(line.startswith("warning: no sender id") for line in warnings_in(sent.stderr))
    assert program("send", "june.csv", *TEXT, *how).returncode == 1
    assert Counter(record["to"] for record in server.accepted()) == {f"63917123450{n}": 1 for n in (1, 2, 3, 5, 6, 7)}
    assert {record["message"] for record in server.accepted()} >= {"Hi Cy, =1+2", "Hi Ben, 20"}


def test_a_closed_run_sends_nothing_more_and_says_so(june: Sent, program: Program) -> None:
    server, how = june
    assert program("retry", "june.run", "-o", "mend.csv", "--close").returncode == 0
    assert [row["to"] for row in program.results("mend.csv")] == ["12", "none", "639171234507"]
    for command in (("send", "june.csv", *TEXT), ("send", "june.run"), ("status", "june.run")):
        told = program(*command, *(how if command[0] == "send" else ()))
        assert "This run was closed at" in told.stderr
    assert len(server.accepted()) == 3
    row = program.results("june.results.csv")[-1]
    assert row["status"] == "skipped"
    assert row["error"].startswith("not sent: the run was closed on ")
    again = program("retry", "june.run", "-o", "again.csv")
    assert "1 not sent before the run was closed" in again.stderr
    assert (program.folder / "again.csv").read_text() == (program.folder / "mend.csv").read_text()


def test_a_run_that_was_closed_before_anything_was_accepted_is_not_planned_anew(
    program: Program, sandbox: Start
) -> None:
    server = sandbox("--fail", "400=1")
    write(program, "june.csv", *ROWS, header=("to", "First Name", "Points"))
    how = ("--base-url", server.base_url, "--yes")
    assert program("send", "june.csv", *TEXT, *how, "--limit", "2").returncode == 3
    assert program("retry", "june.run", "-o", "mend.csv", "--close").returncode == 0
    assert len(program.results("mend.csv")) == 6
    before = server.summary()["requests"]
    assert "This run was closed" in program("send", "june.csv", *TEXT, *how).stderr
    assert server.summary()["requests"] == before


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize(("answer", "rows", "closed"), [("y", 3, True), ("n", 2, False)])
def test_on_a_terminal_closing_is_asked(program: Program, answer: str, rows: int, closed: bool) -> None:
    ended, asked = program.answered("retry", "june.run", "-o", "mend.csv", answer=answer)
    assert ended == 0
    assert "june.run can still send 1 pending row. Close it, so that it is sent from mend.csv alone?" in asked
    assert len(program.results("mend.csv")) == rows
    assert ("was closed" in program("status", "june.run").stderr) is closed


def test_rows_in_doubt_are_never_among_them(program: Program, sandbox: Start) -> None:
    server = sandbox("--legacy", "--lose-answers", "1")
    write(program, "june.csv", *ROWS, header=("to", "First Name", "Points"))
    sent = program("send", "june.csv", *TEXT, "--base-url", server.base_url, "--yes", "--patience", "0s")
    doubts = sum(row["status"] == "unknown" for row in program.results("june.results.csv"))
    assert doubts, sent.stderr
    told = program("retry", "june.run", "-o", "mend.csv", "--close")
    assert f"{doubts} in doubt (bulksend resolve june.run settles them)" in told.stderr
    assert len(program.results("mend.csv")) == 6 - doubts
    after = [row["status"] for row in json_lines(program, "june.run")]
    assert Counter(after)["unknown"] == doubts


def json_lines(program: Program, run: str) -> list[dict[str, str]]:
    assert program("results", run, "-o", "now.jsonl").returncode == 0
    return [json.loads(line) for line in (program.folder / "now.jsonl").read_text().splitlines()]


def test_a_run_under_way_is_not_closed(program: Program, sandbox: Start) -> None:
    server = sandbox("--latency", "60s")
    write(program, "june.csv", *ROWS, header=("to", "First Name", "Points"))
    process = program.start("send", "june.csv", *TEXT, "--base-url", server.base_url, "--yes")
    server.await_requests(1)
    assert program("retry", "june.run", "-o", "mend.csv", "--close").returncode == 4
    assert not (program.folder / "mend.csv").exists()
    server.answer(at_once=True)
    process.communicate(timeout=60)
    assert len(server.accepted()) == 4


def test_columns_of_the_input_keep_their_names_and_ours_yield(program: Program, sandbox: Start) -> None:
    write(program, "june.csv", ("12", "E1", "L1"), header=("to", "Error", "line"))
    text = ("--message", "{error} {line}", "--base-url", sandbox().base_url, "--yes")
    program("send", "june.csv", *text)
    assert program("retry", "june.run", "-o", "mend.csv").returncode == 0
    (row,) = program.results("mend.csv")
    assert list(row) == ["to", "Error", "line", "retry_error", "retry_line"]
    assert (row["Error"], row["line"], row["retry_line"]) == ("E1", "L1", "2")
    program("send", "mend.csv", *text)
    assert program("retry", "mend.run", "-o", "again.csv").returncode == 0


def test_a_sheet_to_mend_that_is_mended_in_vain_has_each_of_our_columns_once(june: Sent, program: Program) -> None:
    _, how = june
    assert program("retry", "june.run", "-o", "mend.csv").returncode == 0
    program("send", "mend.csv", *TEXT, *how)
    assert program("retry", "mend.run", "-o", "again.csv").returncode == 0
    again = program.results("again.csv")
    assert list(again[0]) == ["to", "First Name", "Points", "error", "line"]
    assert [row["line"] for row in again] == ["2", "3"]


def test_our_columns_are_taken_for_no_number() -> None:
    assert fit_of("error") is fit_of("line") is fit_of("retry_line") is None


@pytest.mark.parametrize("output", ["june.csv", "june.run", "mend.csv"])
def test_no_input_and_no_run_is_overwritten(june: Sent, program: Program, output: str) -> None:
    _, how = june
    assert program("retry", "june.run", "-o", "mend.csv").returncode == 0
    program("send", "mend.csv", *TEXT, *how)
    before = (program.folder / output).read_bytes()
    assert program("retry", "june.run", "-o", output).returncode == 2
    assert (program.folder / output).read_bytes() == before


def test_where_all_was_sent_nothing_is_written(program: Program, sandbox: Start) -> None:
    write(program, "june.csv", ROWS[0], header=("to", "First Name", "Points"))
    assert program("send", "june.csv", *TEXT, "--base-url", sandbox().base_url, "--yes").returncode == 0
    told = program("retry", "june.run", "-o", "mend.csv")
    assert told.returncode == 0
    assert "No row of june.run is to be mended: mend.csv is not written." in told.stderr
    assert not (program.folder / "mend.csv").exists()


# ---- results as an input ----


@pytest.mark.parametrize("kind", ["as it is", "without BOM", "semicolons", "jsonl"])
@pytest.mark.parametrize("command", ["send", "estimate"])
def test_results_are_no_input(june: Sent, program: Program, kind: str, command: str) -> None:
    server, how = june
    name = "june.results.csv"
    text = (program.folder / name).read_text("utf-8-sig")
    cells = list(csv.reader(text.splitlines()))
    match kind:
        case "without BOM":
            (program.folder / name).write_text(text)
        case "semicolons":
            (program.folder / name).write_text("\n".join(";".join(row) for row in cells))
        case "jsonl":
            name = "june.results.jsonl"
            assert program("results", "june.run", "-o", name).returncode == 0
    refused = program(command, name, "--message", "Hi", *(how if command == "send" else ()))
    assert refused.returncode == 2
    assert f"{name}: these are the results of a run" in refused.stderr
    assert "bulksend retry june.run -o FILE" in refused.stderr
    assert len(server.accepted()) == 3
