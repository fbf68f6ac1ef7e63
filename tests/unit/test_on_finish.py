"""The command that is run when a send has ended: its words, its environment, its time."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import click
import pytest

from bulksend.cli import COMMANDS, program
from bulksend.cli.on_finish import VARIABLES, run_command, words_of
from bulksend.errors import UsageError

TOLD = {"run": "june.run", "exit": 3, "sent": 12, "stop": None, "results": "june.results.csv", "seconds": 1.5}
BODY = json.dumps(TOLD).encode()


def script(folder: Path, text: str) -> list[str]:
    path = folder / "told.py"
    path.write_text(text)
    return [sys.executable, str(path)]


def test_it_finds_the_values_in_its_environment_and_the_summary_on_its_input(tmp_path: Path) -> None:
    words = script(
        tmp_path,
        "import json, os, sys\n"
        "seen = {name: value for name, value in os.environ.items() if name.startswith('BULKSEND_')}\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps([seen, json.load(sys.stdin)]))\n",
    )
    assert run_command(words, TOLD, BODY) == ""
    seen, told = json.loads((tmp_path / "seen").read_text())
    assert told == TOLD
    assert {name: seen[name] for name in VARIABLES} == dict.fromkeys(VARIABLES, "") | {
        "BULKSEND_RUN": "june.run",
        "BULKSEND_EXIT": "3",
        "BULKSEND_SENT": "12",
        "BULKSEND_SECONDS": "1.5",
        "BULKSEND_RESULTS_FILE": "june.results.csv",
    }


@pytest.mark.parametrize(
    "name", ["BULKSEND_API_KEY", "BULKSEND_API_KEY_COMMAND", "BULKSEND_WEBHOOK", "BULKSEND_ON_FINISH", "PGPASSWORD"]
)
def test_no_secret_is_in_its_environment(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "s3cret")
    words = script(tmp_path, f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(str(dict(os.environ)))")
    assert run_command(words, TOLD, BODY) == ""
    seen = (tmp_path / "seen").read_text()
    assert "s3cret" not in seen
    assert "PATH" in seen


def test_no_variable_of_its_sets_an_option_of_a_bulksend_that_it_runs_but_for_the_runs_name() -> None:
    found = (program.get_command(click.Context(program), name) for name in COMMANDS)
    read = {param.envvar for command in found if command for param in command.params}
    assert set(VARIABLES) & read == {"BULKSEND_RUN"}


def test_what_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    words = ["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"]
    began = time.monotonic()
    assert run_command(words, TOLD, BODY, limit_s=0.5) == (
        "the command sh of --on-finish was killed: it took longer than 0.5 s"
    )
    assert time.monotonic() - began < 5
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not _lives(child):
            return
        time.sleep(0.02)
    pytest.fail("its child lives")


def test_whoever_is_interrupted_meanwhile_leaves_no_child_behind(tmp_path: Path) -> None:
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run_command(["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 30"], TOLD, BODY)
    assert not _lives(int((tmp_path / "pid").read_text()))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_its_failure_is_a_sentence_that_shows_no_argument() -> None:
    assert run_command(["sh", "-c", "exit 7", "s3cret"], TOLD, BODY) == (
        "the command sh of --on-finish ended with exit code 7"
    )
    assert run_command(["sh", "-c", "kill -9 $$"], TOLD, BODY).endswith("ended with signal 9")


def test_one_that_reads_no_input_is_no_failure() -> None:
    assert run_command(["true"], TOLD, BODY * 10_000) == ""


def test_what_it_prints_is_no_data_of_ours(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(script(tmp_path, "print('told')"), TOLD, BODY) == ""
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "told\n")


def test_its_words_are_a_shells_but_no_shell_reads_them() -> None:
    assert words_of("echo 'a b' $HOME; true") == ["echo", "a b", "$HOME;", "true"]


@pytest.mark.parametrize(
    ("command", "says"),
    [("echo 'a", "cannot be read: No closing quotation"), ("  ", "is empty"), ("no-such-program x", "no program")],
)
def test_one_that_cannot_be_run_is_told_before_anything_is_sent(command: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        words_of(command)
