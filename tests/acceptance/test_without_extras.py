"""Without any extra a file is sent all the same, and every command tells of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from crashing import environment

EXTRAS = ("psycopg", "xlsxwriter", "python_calamine", "prometheus_client", "jinja2", "lets_plot", "aiohttp_sse")
WITHOUT = f"""
import sys
for extra in {EXTRAS}:
    sys.modules[extra] = None
from bulksend import cli
"""
HELP = """
from bulksend.cli.settings import every_command
for words in every_command():
    cli.run([*words.split(), "--help"])
"""


def run(folder: Path, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + script, *words], cwd=folder, env=environment(folder / "state"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_command_tells_of_itself(tmp_path: Path) -> None:
    told = run(tmp_path, HELP)
    assert (told.returncode, told.stderr) == (0, "")
    assert "bulksend worker" in told.stdout


def test_a_file_is_sent(tmp_path: Path) -> None:
    (tmp_path / "june.csv").write_text("to,message,from\n639171234567,Hi,ACME\n")
    ended = run(tmp_path, "sys.exit(cli.run(sys.argv[1:]))", "send", "june.csv", "--sandbox", "--yes", "--json", "-q")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["sent"] == 1


@pytest.mark.parametrize("words", ["worker postgresql://a@h/d --org-id 1", "runs postgresql://a@h/d", "web"])
def test_what_needs_one_says_so_in_a_sentence(tmp_path: Path, words: str) -> None:
    told = run(tmp_path, "sys.exit(cli.run(sys.argv[1:]))", *words.split())
    assert told.returncode == 2
    assert "pip install '.[" in told.stderr
    assert "Traceback" not in told.stderr
