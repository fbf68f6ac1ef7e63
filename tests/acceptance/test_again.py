"""The same command after an edit, or next month: it goes on, or another run begins beside the first if that is said."""

from __future__ import annotations

import sqlite3
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing

import pytest
from conftest import ROOT, Program, SandboxServer, Start, send_to

PEOPLE = [f"63917123456{digit}" for digit in range(10)]
OTHERS = [f"63918123456{digit}" for digit in range(10)]


@pytest.fixture
def server(sandbox: Start) -> SandboxServer:
    return sandbox()


@pytest.fixture
def send(server: SandboxServer) -> tuple[str, ...]:
    """The command."""
    return send_to(server, of="june.csv")


def write(program: Program, *people: str, text: str = "Hi {who}", name: str = "june.csv") -> None:
    lines = "".join(f"{who},{text.format(who=who)}\n" for who in people)
    (program.folder / name).write_text(f"to,message\n{lines}")


def sent(server: SandboxServer) -> Counter[str]:
    return Counter(record["to"] for record in server.accepted())


def names(program: Program) -> list[str]:
    return sorted(path.name for path in program.folder.iterdir())


def stop_early(program: Program, send: tuple[str, ...], rows: int) -> None:
    """Send so many rows, by a command that would have sent all."""
    stopped = program(*send, "--max-cost", f"{rows * 0.02:.2f}")
    assert stopped.returncode == 3, stopped.stderr


def edited(program: Program) -> None:
    """One row corrected, two new, one gone."""
    write(program, PEOPLE[0], *PEOPLE[2:5], *OTHERS[:2])
    sheet = program.folder / "june.csv"
    sheet.write_text(sheet.read_text().replace(f"Hi {PEOPLE[4]}", "Hello"))


def test_an_edited_sheet_is_compared_and_refused_without_a_terminal_unless_another_run_is_said(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:5])
    stop_early(program, send, 3)
    edited(program)
    files = {name: (program.folder / name).read_bytes() for name in names(program) if not name.endswith(".run")}
    refused = program(*send)
    assert refused.returncode == 2
    words, _, advice = refused.stderr.strip().partition("): ")
    assert words.startswith("Error: june.run: this run has begun with another content of the input (since ")
    assert words.endswith(": 1 row corrected, 2 new, 1 gone, 3 sent")
    assert advice == (
        "--new begins another run beside it, june-2.run; to go on with it as it was planned: bulksend send june.run"
    )
    assert names(program) == sorted([*files, "june.run"])
    assert all((program.folder / name).read_bytes() == content for name, content in files.items())

    begun = program(*send, "--new")
    assert begun.returncode == 1, begun.stderr  # what history left out is no row that was sent
    assert "1 row corrected, 2 new, 1 gone, 3 sent" in begun.stderr
    assert sent(server) == dict.fromkeys([*PEOPLE[:5], *OTHERS[:2]], 1)
    assert names(program) == ["june-2.results.csv", "june-2.run", "june.csv", "june.results.csv", "june.run"]
    assert (program.folder / "june.results.csv").read_bytes() == files["june.results.csv"]
    assert Counter(row["status"] for row in program.results("june-2.results.csv")) == {"sent": 4, "skipped": 2}


@pytest.mark.parametrize(("reply", "code", "rows"), [("y", 1, 7), ("n", 3, 3)])
def test_on_a_terminal_another_run_is_a_question(
    program: Program, server: SandboxServer, send: tuple[str, ...], reply: str, code: int, rows: int
) -> None:
    write(program, *PEOPLE[:5])
    stop_early(program, send, 3)
    edited(program)
    ended, asked = program.answered(*send, answer=reply)
    assert "june.run has begun with another content of the input. Since " in asked
    assert "1 row corrected, 2 new, 1 gone, 3 sent." in asked
    assert asked.endswith("Begin another run beside it, june-2.run? [y/N]:")
    assert (ended, sent(server).total()) == (code, rows)
    assert ("june-2.run" in names(program)) == (reply == "y")


def test_who_does_not_agree_to_the_price_has_begun_nothing(program: Program, send: tuple[str, ...]) -> None:
    write(program, *PEOPLE[:5])
    stop_early(program, send, 3)
    edited(program)
    before = names(program)
    ended, asked = program.answered(*send[:-1], "--new", answer="n")
    assert "Send 4 messages" in asked
    assert (ended, names(program)) == (3, before)


@pytest.mark.parametrize(
    "saved",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n63917", "\n+63 917 "),
        lambda text: text.replace("to,message", "To,Message,Notes").replace("\n", ",\n").replace("Notes,", "Notes"),
        lambda text: "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])]),
    ],
    ids=["BOM", "line ends", "numbers as written", "another column", "another order"],
)
def test_the_same_rows_saved_again_are_no_edit(
    program: Program, server: SandboxServer, send: tuple[str, ...], saved: Callable[[str], str]
) -> None:
    write(program, *PEOPLE)
    stop_early(program, send, 4)
    sheet = program.folder / "june.csv"
    content = saved(sheet.read_text())
    sheet.write_bytes(content.encode())
    gone_on = program(*send)
    assert gone_on.returncode == 0, gone_on.stderr
    assert "Going on with june.run, which began on " in gone_on.stderr
    assert ("another order" in gone_on.stderr) == ("\n" + PEOPLE[9] in content.partition("\n" + PEOPLE[0])[0])
    assert sent(server) == dict.fromkeys(PEOPLE, 1)
    assert names(program) == ["june.csv", "june.results.csv", "june.run"]


def test_a_workbook_saved_again_is_no_edit(program: Program, server: SandboxServer) -> None:
    send = send_to(server, "--country", "PH", of="june.xlsx")
    sheet = program.folder / "june.xlsx"
    sheet.write_bytes((ROOT / "tests" / "golden" / "openpyxl.xlsx").read_bytes())
    stop_early(program, send, 2)
    with zipfile.ZipFile(sheet) as archive:
        parts = {part.filename: archive.read(part) for part in archive.infolist()}
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    gone_on = program(*send)
    assert gone_on.returncode == 0, gone_on.stderr
    assert set(sent(server).values()) == {1}
    assert sent(server).total() == 4


def test_standard_input_is_compared_too_though_it_can_be_read_once(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    command = ("send", "-", *send[2:])
    write(program, *PEOPLE[:5])
    text = (program.folder / "june.csv").read_text()
    assert program(*command, "--max-cost", "0.06", stdin=text).returncode == 3
    assert program(*command, stdin=text.replace("Hi", "Hello")).returncode == 2
    assert program(*command, stdin="\ufeff" + text).returncode == 0
    assert sent(server) == dict.fromkeys(PEOPLE[:5], 1)
    assert program(*command, "--new", stdin=text.replace("Hi", "Hello")).returncode == 0
    assert sent(server) == dict.fromkeys(PEOPLE[:5], 2)
    assert "stdin-2.run" in names(program)
    assert program(*command, stdin=text).returncode == 0  # it is finished
    assert program(*command, "--new", "--repeat-after", "0s", stdin=text).returncode == 0
    assert sent(server) == dict.fromkeys(PEOPLE[:5], 3)
    assert names(program).count("stdin-3.run") == 1
    assert not [name for name in names(program) if name.endswith(".planning")]


def test_another_text_is_compared_and_asked_about_like_another_sheet(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    (program.folder / "june.csv").write_text("to\n" + "\n".join(PEOPLE[:3]) + "\n")
    stop_early(program, (*send, "--message", "Hi"), 1)
    refused = program(*send, "--message", "Hello")
    assert refused.returncode == 2
    assert "june.run: this run has begun with another message (since " in refused.stderr
    assert ": 3 rows corrected, 1 sent)" in refused.stderr
    assert program(*send, "--message", "Hello", "--new").returncode == 0
    assert sent(server) == {PEOPLE[0]: 2, PEOPLE[1]: 1, PEOPLE[2]: 1}


def test_a_finished_run_stays_what_it_is_without_a_terminal_and_says_since_when(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:3], "12")
    assert program(*send).returncode == 1
    results = (program.folder / "june.results.csv").read_bytes()
    (program.folder / "june.results.csv").unlink()
    again = program(*send)
    assert again.returncode == 1, again.stderr
    assert "june.run was finished on " in again.stderr
    assert ": 3 messages sent, 1 invalid." in again.stderr
    assert "--new begins another run beside it, june-2.run." in again.stderr
    assert "Nothing is left to send." in again.stderr
    assert (program.folder / "june.results.csv").read_bytes() == results
    assert sent(server).total() == 3


@pytest.mark.parametrize(("reply", "rows"), [("y", 6), ("n", 3)])
def test_next_month_a_finished_run_is_a_question(
    program: Program, server: SandboxServer, send: tuple[str, ...], reply: str, rows: int
) -> None:
    write(program, *PEOPLE[:3])
    assert program(*send).returncode == 0
    code, asked = program.answered(*send, "--repeat-after", "0s", answer=reply)
    assert ": 3 messages sent." in asked
    assert asked.endswith("Begin another run beside it, june-2.run? [y/N]:")
    assert (code, sent(server).total()) == (0, rows)
    assert ("june-2.run" in names(program)) == (reply == "y")


def test_another_run_of_what_was_just_sent_leaves_it_out(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:3])
    assert program(*send).returncode == 0
    again = program(*send, "--new")
    assert again.returncode == 1, again.stderr
    assert "3 of these got this very text from june.run" in again.stderr
    assert sent(server).total() == 3


def test_the_newest_run_that_fits_is_gone_on_with_and_no_flag_is_needed_for_it(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:5])
    assert program(*send).returncode == 0
    write(program, *PEOPLE[:5], text="July for {who}")
    stop_early(program, (*send, "--new"), 2)
    gone_on = program(*send)
    assert gone_on.returncode == 0, gone_on.stderr
    assert "Going on with june-2.run" in gone_on.stderr
    assert sent(server) == dict.fromkeys(PEOPLE[:5], 2)
    assert "june-2.run was finished on " in program(*send).stderr
    write(program, *PEOPLE[:5])
    assert "june.run was finished on " in program(*send).stderr  # the sheet of june is june's run
    write(program, *PEOPLE[:5], text="August for {who}")
    assert program(*send, "--new").returncode == 0
    assert "june-3.run" in names(program)
    assert sent(server) == dict.fromkeys(PEOPLE[:5], 3)


def test_the_same_command_with_new_goes_on_where_it_was_stopped(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:5])
    assert program(*send, "--new").returncode == 0
    write(program, *PEOPLE[:5], text="July for {who}")
    for rows in (2, 3):
        stop_early(program, (*send, "--new"), rows)
    assert program(*send, "--new").returncode == 0
    assert sent(server) == dict.fromkeys(PEOPLE[:5], 2)
    assert "june-3.run" not in names(program)


def test_another_inputs_run_is_neither_taken_nor_gone_on_with(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:2])
    write(program, *OTHERS[:2], name="june-2.csv")
    write(program, *OTHERS[2:4], name="june-3.csv")
    assert program(*send).returncode == 0
    assert program("send", "june-2.csv", *send[2:]).returncode == 0
    write(program, *PEOPLE[2:4])
    refused = program(*send).stderr
    assert "june.run: this run has begun with another content" in refused
    assert "begins another run beside it, june-4.run" in refused
    assert program(*send, "--new").returncode == 0
    assert "june-4.results.csv" in names(program)
    assert sent(server).total() == 6


def test_a_rehearsal_is_no_run_that_the_real_one_is_compared_with_if_there_is_one(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:3])
    rehearse = ("send", "june.csv", "--sandbox", "--yes", "--run", "june.run")
    assert program(*rehearse).returncode == 0
    refused = program(*send)
    assert refused.returncode == 2
    assert "june.run: this run has begun with another server (since " in refused.stderr
    assert ": no row is another, 3 sent)" in refused.stderr
    assert "--new begins it beside, june-2.run" in refused.stderr
    assert program(*send, "--new").returncode == 0
    assert program(*rehearse).returncode == 0  # the rehearsal is finished
    assert sent(server) == dict.fromkeys(PEOPLE[:3], 1)
    assert program(*rehearse, "--new").returncode == 0
    assert "june-3.run" in names(program)
    write(program, *PEOPLE[:4])
    assert "june-2.run: this run has begun with another content" in program(*send).stderr


def test_of_an_inputs_runs_the_newest_is_meant_where_they_are_looked_at(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:3])
    assert program(*send).returncode == 0
    write(program, *PEOPLE[:4], text="July for {who}")
    assert program(*send, "--new", "--max-cost", "0.04").returncode == 3
    told = program("status", "june.csv")
    assert "june.csv: of its runs this is the newest, june-2.run." in told.stderr
    assert program("results", "june.csv", "-o", "now.csv").returncode == 0
    assert [row["status"] for row in program.results("now.csv")] == ["sent", "sent", "pending", "pending"]
    write(program, *PEOPLE, text="Hello {who}", name="july.csv")
    left_out = program("send", "july.csv", *send[2:], "--exclude", "june.csv")
    assert left_out.returncode == 0, left_out.stderr
    assert "june.csv: 2 recipients of its run june-2.run to leave out" in left_out.stderr
    assert sent(server) == dict.fromkeys(PEOPLE[:2], 2) | dict.fromkeys(PEOPLE[2:], 1) | {PEOPLE[2]: 2}


def test_a_plan_beside_of_which_nothing_was_sent_is_planned_anew_and_no_question(
    program: Program, server: SandboxServer, send: tuple[str, ...]
) -> None:
    write(program, *PEOPLE[:3])
    assert program(*send).returncode == 0
    write(program, *PEOPLE[:3], text="July for {who}")
    assert program(*send, "--new", env={"BULKSEND_API_KEY": "wrong"}).returncode == 3
    write(program, *PEOPLE[:3], text="August for {who}")
    assert program(*send).returncode == 0
    assert names(program) == ["june-2.results.csv", "june-2.run", "june.csv", "june.results.csv", "june.run"]
    assert {record["message"].split()[0] for record in server.accepted()} == {"Hi", "August"}


def test_a_sheet_that_was_saved_again_is_known_at_once_the_next_time(program: Program, send: tuple[str, ...]) -> None:
    write(program, *PEOPLE[:3])
    assert program(*send).returncode == 0
    sheet = program.folder / "june.csv"
    sheet.write_text("\ufeff" + sheet.read_text())
    assert program(*send).returncode == 0
    with closing(sqlite3.connect(program.folder / "june.run")) as db, db:
        db.execute("UPDATE messages SET text = 'spoilt'")  # so that rows would differ, if they were compared
    assert program(*send).returncode == 0
