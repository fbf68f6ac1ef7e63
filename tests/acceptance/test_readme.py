"""What the README claims is what the program does."""

from __future__ import annotations

import re
import shlex
from itertools import chain
from typing import Any

import click
import pytest
from conftest import ROOT, Program

from bulksend.cli import COMMANDS, program

README = (ROOT / "README.md").read_text(encoding="utf-8")


def command_block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```sh\n(.+)\n```", README)
    assert found
    return found[1]


def options_of(command: click.Command) -> set[str]:
    return {
        spelling
        for param in command.params
        for spelling in (*param.opts, *param.secondary_opts)
        if spelling.startswith("--") and not getattr(param, "hidden", False)
    }


def command_named(name: str) -> click.Command:
    found = program.get_command(click.Context(program), name)
    assert found is not None
    return found


def test_the_command_to_try_it_sends_the_sample_campaign(program: Program) -> None:
    program.take_samples("campaign.csv", "template.txt", into="sample_data")
    words = shlex.split(command_block("try").rpartition("&&")[2])
    assert words[0] == ".venv/bin/bulksend"
    sent = program(*words[1:], env={"BULKSEND_API_KEY": "", "BULKSEND_ORG_ID": ""})
    assert sent.returncode == 0, sent.stderr
    results = program.results("sample_data/campaign.sandbox.results.csv")
    assert len(results) == 200
    assert {row["status"] for row in results} == {"sent"}


def test_every_option_of_send_is_in_the_readme_and_the_other_way_round() -> None:
    table = README.partition("| option | meaning | default |")[2].partition("\n\n")[0]
    named = set(re.findall(r"--[a-z][a-z-]+", "".join(line.split("|")[1] for line in table.splitlines() if line)))
    assert named == options_of(command_named("send"))


def test_every_command_is_in_the_readme() -> None:
    table = README.partition("| command | what it does |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`bulksend ([a-z]+)", table)) == set(COMMANDS)


def test_every_dependency_is_in_the_readme() -> None:
    project: dict[str, Any] = pytest.importorskip("tomllib").loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    table = README.partition("| dependency | why |")[2]
    for requirement in wanted:
        name = re.split(r"[>=;\[ ]", requirement)[0]
        assert name in table, name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(program: Program, name: str) -> None:
    shown = program(name, "--help")
    assert shown.returncode == 0
    assert "Usage: bulksend" in shown.stdout
