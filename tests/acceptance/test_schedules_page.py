"""What docs/schedules.md says to write into crontabs, units, workflows and DAGs works as it stands there."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import click
import pytest
from conftest import ROOT, CampaignOf, Numbers, Start, environment

from bulksend.cli import program as bulksend

PAGE = (ROOT / "docs" / "schedules.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w*\n(.+?)\n```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def run_line(line: str, folder: Path, ahead_s: float = 0.0, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the page by the shell that cron uses, in a folder of its own and by a clock of its own."""
    (folder / "ahead").write_text(f"{ahead_s}", encoding="ascii")
    program = folder / "bulksend"
    clocks = Path(__file__).with_name("clocks.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{clocks}" "{folder}/ahead" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    line = line.replace("/srv/sms", str(folder)).replace("/home/ana/.local/bin/bulksend", str(program))
    line = re.sub(r"(?<!/)\bbulksend send", f"{program} send", line)
    env = environment(**settings)
    return subprocess.run(["/bin/sh", "-c", line], env=env, capture_output=True, text=True, timeout=60, check=False)


def test_every_command_of_the_page_has_the_options_it_is_given() -> None:
    lines = [line for line in re.sub(r"\\\n", " ", PAGE).splitlines() if re.search(r"\bbulksend \w+ .*--", line)]
    assert len(lines) >= 8
    for line in lines:
        name = line.partition("bulksend ")[2].split()[0]
        command = bulksend.get_command(click.Context(bulksend), name)
        assert command is not None, line
        known = {spelling for param in command.params for spelling in param.opts}
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)) <= known, line


def noon_in_manila() -> float:
    """How far a clock is ahead that shows the next noon there, which is in any window."""
    now_s = time.time()
    return (4 * 3_600 - now_s) % 86_400


def test_the_cron_line_sends_the_campaign_once(
    sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, tmp_path: Path
) -> None:
    *settings, line = block("cron").splitlines()
    given = dict(setting.split("=", 1) for setting in settings)
    assert set(given) == {"BULKSEND_ORG_ID", "BULKSEND_API_KEY_FILE"}
    minute, hour, *_, weekdays, command = line.split(maxsplit=5)
    assert (minute, hour, weekdays) == ("*/15", "8-19", "1-5")
    assert "%" not in command  # which cron takes for the end of the line
    key = tmp_path / "bulksend.key"
    key.write_text("sandbox\n")
    server = sandbox()
    campaign_of(numbers(4))
    mine = {"BULKSEND_API_KEY": "", "BULKSEND_API_KEY_FILE": str(key), "BULKSEND_BASE_URL": server.base_url}
    for _ in range(2):
        done = run_line(command, tmp_path, noon_in_manila(), **(given | mine | {"BULKSEND_ORG_ID": "1"}))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), (tmp_path / "campaign.log").read_text()
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(4), 1)


@pytest.mark.long
def test_the_daily_line_sends_the_same_again_each_day_and_once_a_day(
    sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, tmp_path: Path
) -> None:
    line = block("repeat")
    server = sandbox()
    campaign_of(numbers(3), "reminder.csv")
    for day, sent in ((0, 3), (0, 3), (1, 6)):
        today = f"2026-11-{26 + day}"
        done = run_line(line.replace("$(date +%F)", today), tmp_path, day * 86_400.0, BULKSEND_BASE_URL=server.base_url)
        assert done.returncode == 0, done.stderr
        assert len(server.accepted()) == sent
        assert (tmp_path / f"reminder-{today}.results.csv").exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = []
    for name in ("bulksend-campaign.service", "bulksend-campaign.timer"):
        unit = tmp_path / name
        unit.write_text(block(name).replace("/usr/local/bin/bulksend", "/usr/bin/env") + "\n", encoding="utf-8")
        units.append(str(unit))
    seen = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert (seen.returncode, seen.stderr) == (0, "")


def test_the_workflow_is_yaml_with_the_steps_that_github_expects() -> None:
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load(block("actions"))
    assert found[True]["schedule"] == [{"cron": "0 1 * * 1-5"}]  # `on` is a truth value in YAML
    steps = found["jobs"]["send"]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)


def test_the_dag_compiles() -> None:
    ast.parse(block("airflow"))
    compile(block("airflow"), "dag.py", "exec")
