"""A command that is forked (`tests/forks.py`) does what one does that is started anew."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CampaignOf, Numbers, Program, Start, environment, send_to
from forks import can_fork, forks

from bulksend.web.drafts import Draft
from bulksend.web.jobs import Look, written

COMMANDS = {
    "settings": ("config", "show", "--json"),
    "an input by a pipe": ("send", "-", "--sandbox", "--yes"),
    "a misuse": ("send", "nothing.csv", "--nothing"),
}
FIGURES = re.compile(r"\d+(\.\d+)?")

pytestmark = pytest.mark.skipif(not can_fork({}, ""), reason="nothing is forked here")


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_forked_command_does_what_a_started_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    ended = []
    for number, anew in enumerate(("", "1")):
        monkeypatch.setenv("TESTS_START_ANEW", anew)
        program = Program(tmp_path / f"folder{number}")
        program.folder.mkdir()
        (program.folder / "bulksend.toml").write_text("country = 'PH'\n", encoding="utf-8")
        done = program(*arguments, stdin="to,message\n09171234560,Hi €\n", env={"BULKSEND_FROM": "ACME"})
        said = [FIGURES.sub("0", text) for text in (done.stdout, done.stderr)]
        ended.append((done.returncode, said, sorted(path.name for path in program.folder.iterdir())))
    assert ended[0] == ended[1]


def test_a_forked_command_that_does_not_end_is_killed(
    tmp_path: Path, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    campaign_of(numbers(2))
    with pytest.raises(subprocess.TimeoutExpired):
        forks().run(send_to(sandbox("--latency", "60s")), tmp_path, environment(), timeout_s=1)
    assert forks().run(("--version",), tmp_path, environment()).returncode == 0


def test_a_command_that_was_started_and_is_killed_ends_as_any_process(
    tmp_path: Path, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    campaign_of(numbers(2))
    server = sandbox("--latency", "60s")
    with forks().start(send_to(server), tmp_path, environment()) as sending:
        with pytest.raises(subprocess.TimeoutExpired):
            sending.communicate(timeout=0.2)
        assert (sending.poll(), sending.returncode) == (None, None)
        sending.kill()
        assert sending.wait(30) == sending.returncode == -signal.SIGKILL
    with forks().start(("send", "nothing.csv", "--nothing"), tmp_path, environment()) as refused:
        _, said = refused.communicate(timeout=30)
    assert (refused.returncode, "--nothing" in said) == (2, True)


@pytest.mark.parametrize("python", [lambda: sys.executable, lambda: forks().python()], ids=["anew", "forked"])
def test_a_module_that_is_forked_ends_and_speaks_as_one_that_is_started_anew(
    tmp_path: Path, python: Callable[[], str]
) -> None:
    command = (python(), "-P", "-m", "bulksend.web.child", "en")
    for job, code in ((Look(Draft("k1", "gone.csv")), 0), (None, 1)):
        with subprocess.Popen(
            command, cwd=tmp_path, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stdout
            if job is not None:
                process.stdin.write(written(job))
                process.stdin.flush()
                assert b"gone.csv" in process.stdout.readline()
            process.communicate(timeout=30)
            assert process.returncode == code
