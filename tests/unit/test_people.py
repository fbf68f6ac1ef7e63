"""What a log, or the mail that cron sends, is told of people: nothing, unless that is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bulksend import cli
from bulksend.cli import people
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console

SHEET = """\
to,Name,Code,message
639171234501,NULL,1,
639171234502,JosÃ© Rizal,2,
639171234504,Ana Santos,3,Dear Ana your code is secret
639171234505,Ben Reyes,4,
639171234505,Ben Reyes,5,
6391712345,Cy Cruz,6,
63281234567,Gus Lim,7,
"""
OF_PEOPLE = re.compile(r"6391712345|63281234567|Rizal|Ana|Ben|Cruz|Lim|secret|Hi ")
ARGUMENTS = ("--message", "Hi {Name}, {Code}", "--sandbox")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "june.csv").write_text(SHEET, encoding="utf-8")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(list(arguments))
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize("command", [("estimate",), ("send", "--yes"), ("send", "--yes", "--test-to", "639170000001")])
def test_without_a_terminal_nothing_of_people_is_told(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    name, *more = command
    code, out, err = said(capsys, name, "june.csv", *ARGUMENTS, *more)
    assert code == (ExitCode.OK if "--test-to" in command else ExitCode.NOT_ALL_SENT)
    assert not OF_PEOPLE.search(out + err), out + err
    assert (people.TEXT_LEFT_OUT if "--test-to" in command else people.LEFT_OUT) in err  # one's own number is told
    if "--test-to" in command:
        return
    assert "row 1 to 63•••••••501" in err
    assert "row 6, column to\n" in err
    assert "a word for no value in {Name}: row 1 (NULL)" in err
    assert "garbled letters in {Name}: row 2 (…)" in err
    assert "another text: row 5 (63•••••••505, as row 4)" in err
    assert "row 7 (63••••••567)" in err


def test_it_is_told_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = said(capsys, "estimate", "june.csv", *ARGUMENTS, "-v")
    for told in (
        "row 1 to 639171234501",
        "Hi NULL, 1",
        "column to: '6391712345'",
        "row 1 (NULL)",
        "row 7 (63281234567)",
    ):
        assert told in err
    assert people.LEFT_OUT not in err


def test_an_error_quotes_no_cell_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    Path("stop.csv").write_text("to,Name\n639171234501,Ana\nBen Reyes,Ben\n", encoding="utf-8")
    code, out, err = said(capsys, "estimate", "june.csv", *ARGUMENTS, "--exclude", "stop.csv", "--json")
    assert code == ExitCode.USAGE
    assert "stop.csv: row 2: '…' cannot be left out: " in err
    assert "Ben" not in out + err
    code, out, err = said(capsys, "estimate", "june.csv", *ARGUMENTS, "--exclude", "stop.csv", "-v")
    assert "stop.csv: row 2: 'Ben Reyes' cannot be left out: " in err


def test_numbers_in_what_the_server_said_are_masked() -> None:
    assert people.foreign("no route to 639171234567", console()) == "no route to 63•••••••567"
    assert people.foreign("no route to 639171234567", console(verbose=True)) == "no route to 639171234567"


@pytest.mark.parametrize(
    "arguments",
    [
        ("estimate", "june.csv", *ARGUMENTS),
        ("send", "june.csv", *ARGUMENTS, "--yes"),
        ("results", "june.sandbox.run", "-o", "again.csv"),
        ("retry", "june.sandbox.run", "-o", "mend.csv"),
        ("resolve", "june.sandbox.run", "--sandbox"),
        ("stop", "june.sandbox.run"),
    ],
)
def test_who_wants_quiet_hears_nothing(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    if arguments[0] not in {"estimate", "send"}:
        said(capsys, "send", "june.csv", *ARGUMENTS, "--yes")
    loud = said(capsys, *arguments)
    quiet = said(capsys, *arguments, "-q")
    assert (quiet[1], quiet[2]) == ("", "")
    assert loud[2] or arguments[0] == "results"


def test_who_wants_quiet_hears_of_errors_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "send", "june.csv", *ARGUMENTS, "--yes", "-q", "--max-cost", "0.02")
    assert code == ExitCode.STOPPED
    assert err.startswith("june.sandbox.run: stopped early: the next message would exceed --max-cost")
    assert said(capsys, "send", "gone.csv", *ARGUMENTS, "--yes", "-q")[2].startswith("Error: gone.csv: ")
    code, _, err = said(capsys, "send", "june.csv", *ARGUMENTS, "-q")
    assert code == ExitCode.USAGE
    assert "without a terminal to ask on, --yes is needed" in err


@pytest.mark.parametrize("command", [("estimate", "june.csv"), ("send", "june.csv", "--yes"), ("resolve", "x.run")])
def test_quiet_and_verbose_cannot_both_be(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, *command, "-q", "-v")
    assert code == ExitCode.USAGE
    assert err == "Error: -q says nothing but errors, and -v everything: leave one out\n"
