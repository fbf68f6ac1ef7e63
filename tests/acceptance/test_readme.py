"""What the README and the pages of docs claim is what the program does."""

from __future__ import annotations

import re
import shlex
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT, Program
from options_page import PAGE, page

from bulksend import cli
from bulksend.cli import COMMANDS
from bulksend.cli.codes import ExitCode

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAPERS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def command_block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```sh\n(.+)\n```", README)
    assert found
    return found[1]


def test_the_command_to_try_it_sends_the_sample_campaign(program: Program) -> None:
    program.take_samples("campaign.csv", "template.txt", into="sample_data")
    words = shlex.split(command_block("try").rpartition("&&")[2])
    assert words[0] == ".venv/bin/bulksend"
    sent = program(*words[1:], env={"BULKSEND_API_KEY": "", "BULKSEND_ORG_ID": ""})
    assert sent.returncode == 0, sent.stderr
    results = program.results("sample_data/campaign.sandbox.results.csv")
    assert len(results) == 200
    assert {row["status"] for row in results} == {"sent"}


def test_the_page_of_options_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python tests/options_page.py writes it anew"


def test_the_page_of_options_has_every_exit_code() -> None:
    table = page().partition("| code | meaning |")[2].partition("\n\n")[0]
    codes = ",".join(re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE))
    assert {int(code) for code in codes.split(",")} == {int(code) for code in ExitCode}


def test_every_option_that_the_papers_name_exists() -> None:
    known = set(re.findall(r"--[a-z][a-z-]+", page()))
    others = {
        "--hypothesis-seed",
        "--seed",
        "--workers",
        "--quiet",
        "--check",
        "--reinstall",
    }  # pytest, benchmarks, pip, ruff, uv
    for paper in PAPERS:
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", paper.read_text(encoding="utf-8")))
        assert named <= known | others, paper.name


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("| dependency | why |")[2]
    for requirement in wanted:
        name = re.split(r"[>=;\[ ]", requirement)[0]
        assert name in table, name


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if "://" in link:
            continue
        name, _, heading = link.partition("#")
        target = (paper.parent / name).resolve() if name else paper
        assert target.exists(), link
        if heading:
            assert heading in _anchors(target), link


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    shown = CliRunner().invoke(cli.program, [name, "--help"], prog_name="bulksend")
    assert shown.exit_code == 0
    assert f"Usage: bulksend {name}" in shown.stdout


def _anchors(paper: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", paper.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
