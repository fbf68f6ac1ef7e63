"""A command that comes to nothing: what is missing is said at once, and scripts get an object all the same."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from bulksend.cli import COMMANDS, program, run
from bulksend.cli.codes import ExitCode
from bulksend.cli.question import tells_a_no

KEY_AT = "https://app.engagespark.com/account/profile/info"
ORGANIZATION_AT = "https://app.engagespark.com/account/organization/info"


@pytest.fixture(autouse=True)
def folder(own_folder: Path) -> Path:
    """A folder of its own to work in, and an environment without settings."""
    (own_folder / "in.csv").write_text("to,message\n639171234567,hello\n")
    return own_folder


def command(name: str) -> click.Command:
    found = program.get_command(click.Context(program), name)
    assert found is not None
    return found


TELLING = [name for name in COMMANDS if any(param.name == "as_json" for param in command(name).params)]


# ---- what is missing ----


def test_key_and_organization_are_asked_for_in_one_error_with_where_they_are_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["send", "in.csv", "--yes"]) == ExitCode.USAGE
    says = capsys.readouterr().err
    assert says.startswith("Error: there is no API key and no organization id: ")
    for told in (KEY_AT, "BULKSEND_API_KEY", "--api-key-file", ORGANIZATION_AT, "--org-id", "BULKSEND_ORG_ID"):
        assert told in says
    assert not Path("in.run").exists()


def test_of_the_two_only_what_is_missing_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["send", "in.csv", "--yes", "--org-id", "1"]) == ExitCode.USAGE
    says = capsys.readouterr().err
    assert says.startswith("Error: there is no API key: ")
    assert KEY_AT in says
    assert "--org-id" not in says
    monkeypatch.setenv("BULKSEND_API_KEY", "key")
    assert run(["send", "in.csv", "--yes"]) == ExitCode.USAGE
    says = capsys.readouterr().err
    assert says.startswith("Error: there is no organization id: ")
    assert ORGANIZATION_AT in says
    assert "--api-key-file" not in says


@pytest.mark.parametrize(
    "arguments", [["send", "kept.run", "--yes"], ["send", "in.csv", "--test-to", "639171234567", "--yes"]]
)
def test_so_is_a_kept_plan_and_a_trial(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["estimate", "in.csv", "--save", "kept.run", "--base-url", "http://127.0.0.1:9"]) == ExitCode.OK
    capsys.readouterr()
    assert run(arguments) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("Error: there is no API key and no organization id: ")


def test_who_asks_whom_else_is_told_the_same_without_a_rehearsal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["optouts", "fetch"]) == ExitCode.USAGE
    says = capsys.readouterr().err
    assert says.startswith("Error: there is no API key and no organization id: ")


# ---- --json ----


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize("how", ["option", "environment", "settings"])
def test_a_wrong_use_is_an_object_on_stdout(
    name: str, how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if how == "environment":
        monkeypatch.setenv("BULKSEND_JSON", "1")
    if how == "settings":
        Path("bulksend.toml").write_text("json = true\n")
    said = ["--json"] if how == "option" else []
    for wrong in (["--no-such-option"], ["in.csv", "a", "b", "c"], ["in.csv", "--country"], []):
        if wrong or name not in {"runs", "find"}:
            assert run([name, *said, *wrong]) == ExitCode.USAGE
            shown = capsys.readouterr()
            told = json.loads(shown.out)
            assert told.keys() == {"exit", "reason"}
            assert told["exit"] == ExitCode.USAGE
            assert told["reason"] in shown.err


def test_nobody_who_did_not_ask_for_an_object_gets_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["send", "--no-such-option"]) == ExitCode.USAGE
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("BULKSEND_JSON", "0")
    assert run(["send", "--no-such-option"]) == ExitCode.USAGE
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["send", "in.csv", "--yes"], "no API key"),
        (["send", "none.csv", "--yes", "--sandbox"], "none.csv"),
        (["send", "in.csv", "--yes", "--sandbox", "--map", "to=Nothing"], "Nothing"),
        (["send", "in.csv", "--sandbox"], "--yes"),
        (["status", "none.run"], "none.run"),
        (["estimate", "none.csv"], "none.csv"),
        (["receipts", "none.run"], "none.run"),
        (["show", "none.run", "--row", "1"], "none.run"),
        (["stop", "none.run"], "none.run"),
    ],
)
def test_what_cannot_be_used_is_an_object_too(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--json"]) == ExitCode.USAGE
    told = json.loads(capsys.readouterr().out)
    assert told["exit"] == ExitCode.USAGE
    assert says in told["reason"]


def test_a_no_to_the_question_is_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (True, False):
        with pytest.raises(click.exceptions.Exit), tells_a_no(as_json=as_json):
            raise click.exceptions.Exit(ExitCode.STOPPED)
        out = capsys.readouterr().out
        told = {"exit": 3, "reason": "nothing was sent: the answer was no"}
        assert (json.loads(out) if out else None) == (told if as_json else None)
