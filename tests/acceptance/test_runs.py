"""``bulksend runs``: the campaigns of a folder, or all that history knows; nothing is passed over in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, send_to


@pytest.fixture
def sent(program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers) -> SandboxServer:
    """Two runs of a folder: one that ran out of funds, and one that is done."""
    server = sandbox("--balance", "0.14")
    for name, rows in (("done", 3), ("poor", 6)):
        campaign_of(numbers(rows + (name == "poor") * 10)[-rows:], f"{name}.csv")
        files = ("--results", f"{name}.results.csv")
        program(*send_to(server, *files, of=f"{name}.csv"))
    return server


def listed(program: Program, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    shown = program("runs", *arguments, "--json")
    assert shown.returncode == code, shown.stderr
    found: list[dict[str, Any]] = json.loads(shown.stdout)
    return found


def test_the_runs_of_a_folder_are_shown_and_what_cannot_be_read_beside_them(
    sent: SandboxServer, program: Program
) -> None:
    assert sent.summary()["accepted"] == 7
    assert program("estimate", "poor.csv", "--save", "later.run").returncode == 0
    (program.folder / "broken.run").write_bytes((program.folder / "done.run").read_bytes()[:5000])
    (program.folder / "done.run").rename(program.folder / "renamed")  # a run file all the same
    shown = program("runs")
    assert shown.returncode == 3
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "    broken.run: this is not a run file (database disk image is malformed)" in shown.stdout
    assert [line.split()[2:] for line in lines if line.startswith("20")] == [
        ["stopped", "early", "4", "2", "$0.08"],
        ["finished", "3", "0", "$0.06"],
    ]
    assert any(line.split() == ["planned", "0", "6", "$0.00"] for line in lines)
    assert "    renamed, of done.csv: all was done that could be" in lines
    assert "    poor.run, of poor.csv: the account is out of funds" in shown.stdout

    found = {each["run"]: each for each in listed(program, code=3)}
    assert {run: each["state"] for run, each in found.items()} == {
        "broken.run": "unreadable", "later.run": "planned", "poor.run": "stopped early", "renamed": "finished",
    }  # fmt: skip
    assert (found["poor.run"]["reason"], found["poor.run"]["input"]) == ("out of funds", "poor.csv")
    assert (found["renamed"]["sent"], found["renamed"]["estimateMicro"]) == (3, 60_000)


def test_a_folder_without_runs_says_so_and_one_that_is_not_there_is_refused(program: Program) -> None:
    shown = program("runs")
    assert (shown.returncode, shown.stdout) == (0, "")
    assert shown.stderr.startswith("No runs in /")
    assert listed(program) == []
    assert program("runs", "nowhere").returncode == 2


@pytest.mark.usefixtures("sent")
def test_all_that_history_knows_is_shown_from_anywhere_and_what_is_gone_as_that(
    program: Program, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Program(tmp_path / "elsewhere")
    assert listed(elsewhere) == []
    (tmp_path / "done.run").rename(tmp_path / "renamed.run")
    (tmp_path / "poor.run").unlink()
    found = listed(elsewhere, "--all")
    assert [(each["run"], each["state"]) for each in found] == [
        (str(tmp_path / "poor.run"), "gone"),
        (str(tmp_path / "renamed.run"), "finished"),
    ]
    assert "this run file is gone" in elsewhere("runs", "--all").stdout
    assert program("runs", ".", "--all").returncode == 2


@pytest.mark.usefixtures("sent")
def test_a_history_that_cannot_be_read_is_told(program: Program, sandbox: Start, state_folder: Path) -> None:
    server = sandbox()
    files = ("--run", "again.run", "--results", "again.results.csv")
    assert program(*send_to(server, *files, of="done.csv")).returncode == 0
    [key] = state_folder.glob(f"*{server.port}*.key")
    key.unlink()
    found = listed(program, "--all", code=3)
    assert [each["state"] for each in found] == ["unreadable", "stopped early", "finished"]
    assert "the key of the history is gone" in found[0]["error"]
