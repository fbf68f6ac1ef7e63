"""The page before the question, as a person sees it in a terminal of 80 columns and 40 lines."""

# ruff: noqa: RUF001 -- one of the faults

from __future__ import annotations

import os
import pty
import re
import subprocess
from contextlib import suppress

from conftest import PROGRAM, Program, environment

WIDTH, HEIGHT = 80, 40
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
FAULTS = """\
to,Name,Code,message
639171234501,NULL,="00123",
639171234502,JosÃ©,"A&amp;B",
639171234503,#N/A,1,
639171234504,Ana,1,Dear [Name]
639171234505,Ana,2,
639171234505,Anna,3,
639171234506,Ben,4,
639171234506,Ben,4,
6.39E+11,Cy,5,
63917123,Di,6,
639171234508,Flo ’x’,8,
63281234567,Gus,9,
639171234509,Hal,10,see bit.ly/x
"""


def seen(program: Program, *arguments: str) -> list[str]:
    """What the terminal shows, a line each as the program sent it."""
    terminal, other_end = pty.openpty()
    size = {"COLUMNS": str(WIDTH), "LINES": str(HEIGHT), "TERM": "xterm"}
    with subprocess.Popen(
        [*PROGRAM, *arguments], cwd=program.folder, env=environment(**size), stdout=other_end, stderr=other_end
    ) as process:
        os.close(other_end)
        shown = b""
        with suppress(OSError):  # the program has closed its end
            while more := os.read(terminal, 1024):
                shown += more
        os.close(terminal)
    assert process.returncode in {0, 1}
    return COLOURS.sub("", shown.decode()).rstrip().splitlines()


def sentences(lines: list[str]) -> list[str]:
    """The same, with what was set in for the terminal's width put back on one line."""
    return "\n".join(lines).replace("\n    ", " ").splitlines()


def height(lines: list[str]) -> int:
    return sum(max(1, -(-len(line.rstrip()) // WIDTH)) for line in lines)


def test_a_sheet_with_ten_faults_is_told_on_one_page_and_the_worst_first(program: Program) -> None:
    (program.folder / "c.csv").write_text(FAULTS, encoding="utf-8")
    lines = seen(program, "estimate", "c.csv", "--message", "Hi {Name}, {Code}", "--from", "Globe", "--sandbox")
    assert height(lines) <= HEIGHT
    told = [line for line in sentences(lines) if line.startswith(("warning", "invalid", "note"))]
    assert len(told) >= 10
    kinds = [
        "texts of their own in 'message', sent in place of the given one: row 4 (Dear [Name])",
        "no value in {Name}: row 1 (NULL)",
        "garbled letters in {Name}: row 2 (JosÃ©)",
        "a placeholder in the row's own message that nobody fills in: row 4 ([Name])",
    ]
    wrong_texts, left_out, money = told[:5], told[5:8], told[8:]
    assert all(any(kind in line for line in wrong_texts) for kind in kinds)
    assert all(line.startswith("invalid: 1 row: ") for line in left_out)
    assert any("with another text: row 6 (639171234505, as row 5)" in line for line in money)
    first = lines.index("row 1 to 639171234501 from Globe")
    assert lines[first - 1 : first + 2] == ["", "row 1 to 639171234501 from Globe", "  Hi NULL, 00123"]


def test_what_does_not_fit_is_counted_and_told_with_v(program: Program) -> None:
    columns = [f"Column {number}" for number in range(30)]
    row = ["639171234501", *["NULL"] * len(columns)]
    (program.folder / "c.csv").write_text(f"to,{','.join(columns)}\n{','.join(row)}\n")
    message = " ".join(f"{{{column}}}" for column in columns)
    lines = seen(program, "estimate", "c.csv", "--message", message)
    assert height(lines) <= HEIGHT
    left = next(int(line.split()[0]) for line in lines if line.endswith("more remarks: -v tells all."))
    told = [line for line in lines if line.startswith("warning")]
    everything = seen(program, "estimate", "c.csv", "--message", message, "-v")
    assert len([line for line in everything if line.startswith("warning")]) == len(told) + left > 30
