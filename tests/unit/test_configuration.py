"""bulksend.toml: where it is looked for, whom it is trusted from, and what may stand in it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import ROOT

from bulksend import cli
from bulksend.cli import program
from bulksend.cli.codes import ExitCode
from bulksend.cli.configuration import Configuration, read_configuration
from bulksend.cli.settings import configuration
from bulksend.errors import UsageError

KEY = "k3y-that-nobody-may-see"


@pytest.fixture(autouse=True)
def home(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a folder for campaigns, in which commands are run without settings."""
    home = own_folder / "home"
    campaigns = home / "work" / "campaigns"
    campaigns.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(campaigns)
    return home


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def context(name: str, *arguments: str) -> click.Context:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    return command.make_context(name, ["in.csv", *arguments])


def values(*arguments: str) -> dict[str, Any]:
    return context("send", *arguments).params


# ---- where it is looked for ----


def test_the_nearest_file_up_to_the_home_holds_and_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_configuration() == Configuration()
    write(home.parent / "bulksend.toml", "rate = 1")
    assert read_configuration() == Configuration()
    write(home / "bulksend.toml", "rate = 2\nretries = 7")
    assert read_configuration() == Configuration(home / "bulksend.toml", home, {"rate": 2, "retries": 7})
    write(home / "work" / "bulksend.toml", "rate = 3")
    assert read_configuration().settings == {"rate": 3}
    write(Path("bulksend.toml"), "rate = 4")
    assert read_configuration() == Configuration(Path("bulksend.toml"), Path(), {"rate": 4})
    monkeypatch.chdir(home)
    assert read_configuration() == Configuration(Path("bulksend.toml"), Path(), {"rate": 2, "retries": 7})


def test_outside_the_home_only_the_current_folder_is_looked_at(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere" / "inner"
    elsewhere.mkdir(parents=True)
    write(elsewhere.parent / "bulksend.toml", "rate = 1")
    write(home / "bulksend.toml", "rate = 2")
    monkeypatch.chdir(elsewhere)
    assert read_configuration().path is None
    monkeypatch.chdir(elsewhere.parent)
    assert read_configuration().settings == {"rate": 1}


def test_a_file_that_is_named_holds_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path("bulksend.toml"), "rate = 1")
    named, other = write(tmp_path / "named.toml", "rate = 2"), write(tmp_path / "other.toml", "rate = 3")
    assert values("--config", str(named))["rate"] == 2
    monkeypatch.setenv("BULKSEND_CONFIG", str(other))
    assert values()["rate"] == 3
    assert values("--config", str(named))["rate"] == 2
    assert values("--config", os.devnull)["rate"] is None


def test_a_file_that_is_named_and_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing.toml"
    assert cli.run(["runs", "--config", str(missing)]) == ExitCode.USAGE
    assert capsys.readouterr().err == f"Error: {missing}: cannot be read: No such file or directory\n"


def test_no_file_keeps_the_help_from_being_shown(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("bulksend.toml"), "this is no TOML")
    assert cli.run(["send", "--help"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("Usage: bulksend send ")


# ---- whom it is trusted from ----


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o664])
@pytest.mark.parametrize("is_named", [False, True])
def test_a_file_that_others_can_write_is_refused(
    mode: int, home: Path, capsys: pytest.CaptureFixture[str], *, is_named: bool
) -> None:
    path = write(home / "bulksend.toml", "rate = 1", mode)
    arguments = ["--config", str(path)] if is_named else []
    assert cli.run(["runs", *arguments]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        f"Error: {path}: others can write this file, and could change what is sent: chmod go-w {path}\n"
    )


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o1777])
def test_a_file_in_a_folder_that_others_can_write_is_refused_unless_it_is_named(mode: int, home: Path) -> None:
    path = write(home / "bulksend.toml", "rate = 1")
    home.chmod(mode)
    says = f"others can write its folder, and could put another file there: chmod go-w {home}"
    with pytest.raises(UsageError, match=re.escape(says)):
        read_configuration()
    assert read_configuration(path).settings == {"rate": 1}


def test_a_link_is_trusted_as_what_it_leads_to_is(home: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    path = write(shared / "ours.toml", "rate = 1")
    (home / "bulksend.toml").symlink_to(path)
    assert read_configuration().settings == {"rate": 1}
    shared.chmod(0o777)
    with pytest.raises(UsageError, match=f"others can write its folder.*{shared}"):
        read_configuration()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_of_somebody_else_is_refused(what: str, home: Path) -> None:
    path = write(home / "bulksend.toml", "rate = 1")
    os.chown(path if what == "file" else home, 65534, -1)
    with pytest.raises(UsageError, match=r"belongs to somebody else \(user 65534\)"):
        read_configuration()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_holds_the_key_is_read_by_its_owner_alone(mode: int, capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("bulksend.toml"), f'api_key = "{KEY}"', mode)
    assert cli.run(["runs"]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        "Error: bulksend.toml: others can read this file, and the API key stands in it: chmod 600 bulksend.toml\n"
    )


def test_something_that_is_no_file_is_not_waited_for() -> None:
    os.mkfifo("bulksend.toml")
    with pytest.raises(UsageError, match=r"bulksend\.toml: cannot be read: it is no regular file"):
        read_configuration()


# ---- what may stand in it ----


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("retries = '5'", "'retries' (--retries) takes a whole number, without quotes, not '5'"),
        ("retries = true", "'retries' (--retries) takes a whole number, without quotes, not true"),
        ("retries = 1.5", "'retries' (--retries) takes a whole number, without quotes, not 1.5"),
        ("rate = '9'", "'rate' (--rate) takes a number, without quotes, not '9'"),
        ("yes = 'no'", "'yes' (--yes) takes true or false, not 'no'"),
        ("yes = 1", "'yes' (--yes) takes true or false, not 1"),
        ("country = ['PH']", "'country' (--country) takes text, in quotes, not an array"),
        ("country = true", "'country' (--country) takes text, in quotes, not true"),
        ("message = {}", "'message' (--message) takes text, in quotes, not a table"),
        ("only = [['a=b']]", "'only' (--only) takes text, in quotes, not an array"),
        ("only = true", "'only' (--only) takes text, in quotes, or an array of them, not true"),
        ("exclude = [3]", "'exclude' (--exclude) takes a path, in quotes, or an array of them, not 3"),
        ("api-key = 3", "'api-key' takes text, in quotes"),
        ("lint = 3", "'lint' is a table: write [lint] above what belongs to it"),
        ("config = 'x'", "there is no option 'config'; known are add, "),
        ("[send]\nyes = true", "there is no option 'send', and no table [send]: options stand above all tables, for "),
        ("base-url = 'a'\nbase_url = 'b'", "'base-url' and 'base_url' are the same option: leave one out"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(text: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("bulksend.toml"), text)
    assert cli.run(["send", "in.csv"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert told.startswith(f"Error: bulksend.toml: {says}"), told
    assert told.count("\n") == 1


def test_a_value_that_is_refused_is_told_with_the_file_it_stands_in(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(home / "bulksend.toml", "retries = -1")
    assert cli.run(["send", "in.csv"]) == ExitCode.USAGE
    assert f"Invalid value for '--retries' in {path}: -1 is not in the range" in " ".join(
        capsys.readouterr().err.split()
    ).replace("'--retries' (env var: 'BULKSEND_RETRIES')", "'--retries'")


def test_numbers_and_moments_may_be_written_where_text_is_wanted() -> None:
    write(Path("bulksend.toml"), "sheet = 2\ncampaign = 2026-12-24\nmax-cost = 12.5\nmax-errors = 5")
    given = values()
    assert (given["sheet"], given["campaign"], given["max_cost"]) == ("2", "2026-12-24", 12_500_000)


def test_options_of_commands_within_commands_may_stand_in_it() -> None:
    write(Path("bulksend.toml"), 'since = "7d"\nreason = "asked"\nolder-than = "90d"')
    assert values()["rate"] is None


def test_the_table_of_what_texts_are_held_against_is_left_to_those_who_look(home: Path) -> None:
    write(home / "bulksend.toml", 'rate = 2\n[lint]\ncompany = "Acme"')
    with context("send") as opened:
        assert configuration(opened).lint == {"company": "Acme"}
        assert opened.params["rate"] == 2


def test_paths_are_meant_from_where_the_file_lies(home: Path) -> None:
    write(
        home / "bulksend.toml",
        'rates = "prices/rates.csv"\nmessage-file = "~/text.txt"\napi-key-file = "/etc/key"\n'
        'exclude = ["stop.csv", "postgresql://db.example/sms#june"]',
    )
    given = values()
    assert given["rates"] == home / "prices" / "rates.csv"
    assert given["message_file"] == home / "text.txt"
    assert given["api_key_file"] == Path("/etc/key")
    assert given["exclude"][0] == home / "stop.csv"
    assert str(given["exclude"][1]).endswith("db.example/sms#june")
    assert not str(given["exclude"][1]).startswith(str(home))
    assert values("--rates", "mine.csv")["rates"] == Path("mine.csv")


def test_a_program_that_is_named_by_its_path_is_the_one_beside_the_file(home: Path) -> None:
    write(home / "bulksend.toml", "api-key-command = \"./key.sh 'a b'\"")
    assert values()["api_key_command"] == f"{home}/key.sh 'a b'"
    write(home / "bulksend.toml", 'api-key-command = "pass show sms/key"')
    assert values()["api_key_command"] == "pass show sms/key"


# ---- the page about it ----


def test_the_example_of_the_page_is_taken(home: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    written = re.search(r"<!-- example -->\n```toml\n(.+?)```", page, re.DOTALL)
    assert written
    write(home / "bulksend.toml", written[1])
    given = values()
    assert (given["org_id"], given["sender"], given["country"], given["patience"]) == (123, "ACME", "PH", 1_800.0)
    assert given["exclude"] == (home / "stop.csv", home / "staff.csv")
    assert (given["max_cost"], given["rates"]) == (250_000_000, home / "rates.csv")
    assert given["only"] == ((("Consent", "yes"),),)
