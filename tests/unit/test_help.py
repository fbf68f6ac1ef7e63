"""The help of each command: by what its options are about, with examples that can be typed, and its exit codes."""

from __future__ import annotations

import shlex

import click
import pytest

from bulksend import __version__, cli
from bulksend.cli.codes import ExitCode
from bulksend.cli.sections import SECTIONS
from bulksend.cli.settings import Command, every_command

COMMANDS = every_command()
TITLES = [*SECTIONS, "Examples", "Exit codes"]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert cli.run([*arguments, "--help"]) == ExitCode.OK
    return capsys.readouterr().out.splitlines()


def titles(lines: list[str]) -> list[str]:
    return [line.removesuffix(":") for line in lines if line.endswith(":") and not line.startswith(" ")]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_help_ends_with_examples_and_exit_codes_and_fits_80_columns(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(capsys, *name.split())
    assert titles(lines)[-2:] == ["Examples", "Exit codes"]
    assert max(map(len, lines)) <= 80
    codes = [int(line.split()[0]) for line in lines[lines.index("Exit codes:") + 1 :] if line[2:3].isdigit()]
    assert codes == sorted(codes)
    assert {ExitCode.OK, ExitCode.USAGE} <= set(codes) <= set(ExitCode)


@pytest.mark.parametrize(
    ("name", "example"), [(name, each) for name, command in COMMANDS.items() for each in vars(command)["examples"]]
)
def test_an_example_can_be_typed(name: str, example: str) -> None:
    program, *words = shlex.split(example)
    assert program == "bulksend"
    assert words[: len(name.split())] == name.split()
    with COMMANDS[name].make_context(name, words[len(name.split()) :]) as ctx:
        assert ctx.command is COMMANDS[name]


def test_the_options_of_a_campaign_stand_under_what_they_are_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert titles(shown(capsys, "send")) == titles(shown(capsys, "estimate")) == TITLES


def test_each_option_stands_under_one_title() -> None:
    named = [name for names in SECTIONS.values() for name in names]
    assert len(set(named)) == len(named)


def test_of_a_few_options_there_is_one_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert titles(shown(capsys, "status")) == ["Options", "Examples", "Exit codes"]


def test_every_command_says_what_it_ends_with() -> None:
    assert all(isinstance(command, Command) and command.exits for command in COMMANDS.values())


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_is_told(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([flag]) == ExitCode.OK
    assert capsys.readouterr().out == f"bulksend, version {__version__}\n"


def test_options_that_nobody_put_under_a_title_come_first() -> None:
    made = Command("name", params=[click.Option([f"--x{number}"]) for number in range(30)])
    lines = made.get_help(click.Context(made)).splitlines()
    assert titles(lines)[:2] == ["Options", "Output"]
