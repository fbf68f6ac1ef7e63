"""The key by a command: run when it is wanted, once, without secrets, and told of without any."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click
import pytest

from bulksend import cli
from bulksend.cli import key as keys
from bulksend.cli import options, program
from bulksend.cli.codes import ExitCode
from bulksend.errors import UsageError

KEY = "k3y-that-nobody-may-see"
COUNT = Path("count")
PROGRAM = f"""\
import os, sys
open({str(COUNT)!r}, "a").write("x")
"""


@pytest.fixture(autouse=True)
def folder(own_folder: Path) -> Path:
    Path("in.csv").write_text("to,message\n639171234567,hello\n", encoding="utf-8")
    return own_folder


def printing(code: str) -> str:
    """A command that runs this Python, and counts how often it is run."""
    Path("key.py").write_text(PROGRAM + code, encoding="utf-8")
    return shlex.join([sys.executable, "key.py"])


def send(*arguments: str) -> click.Context:
    command = program.get_command(click.Context(program), "send")
    assert command is not None
    return command.make_context("send", ["in.csv", *arguments])


def key(*arguments: str) -> str:
    with send(*arguments) as opened:
        return options.TARGET.take(opened.params).key()


def runs() -> int:
    return len(COUNT.read_text(encoding="utf-8")) if COUNT.exists() else 0


def test_the_first_line_that_it_prints_is_the_key() -> None:
    assert key("--api-key-command", printing(f"print('  {KEY} \\nlogin: me')")) == KEY


def test_it_is_run_when_the_key_is_wanted_and_once() -> None:
    with send("--api-key-command", printing(f"print('{KEY}')")) as opened:
        to = options.TARGET.take(opened.params)
        assert runs() == 0
        assert [to.key(), to.key()] == [KEY, KEY]
    assert runs() == 1


def test_it_is_not_run_where_no_key_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_API_KEY_COMMAND", printing(f"print('{KEY}')"))
    assert cli.run(["send", "--help"]) == ExitCode.OK
    assert cli.run(["estimate", "in.csv"]) == ExitCode.OK
    assert cli.run(["send", "in.csv", "--sandbox", "--yes"]) == ExitCode.OK
    assert runs() == 0


def test_its_program_gets_no_secrets_and_not_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_API_KEY", "another")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("BULKSEND_ORG_ID", "7")
    held, campaign = os.dup(0), os.open("in.csv", os.O_RDONLY)
    os.dup2(campaign, 0)
    code = "print([os.environ.get('BULKSEND_API_KEY'), os.environ.get('PGPASSWORD'), os.environ['BULKSEND_ORG_ID'], "
    code += "sys.stdin.read()].__repr__().replace(' ', ''))"
    try:
        assert key("--api-key-command", printing(code)) == "[None,None,'7','']"
    finally:
        os.dup2(held, 0)
        os.close(held)
        os.close(campaign)


def test_no_shell_reads_it() -> None:
    assert key("--api-key-command", "printf '%s' 'a;$HOME|b'") == "a;$HOME|b"


def test_a_more_specific_place_goes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path("bulksend.toml")
    file.write_text('api-key-command = "echo file"', encoding="utf-8")
    assert key() == "file"
    monkeypatch.setenv("BULKSEND_API_KEY", "environment")
    assert key() == "environment"
    assert key("--api-key-command", "echo flag") == "flag"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (f"print('{KEY}'); print('warning', file=sys.stderr); sys.exit('no such\\x1b entry')", "exit code 1: no such"),
        (f"print('{KEY}'); sys.exit(7)", "exit code 7$"),
        (f"print('{KEY}', flush=True); os.abort()", "signal 6$"),
    ],
)
def test_one_that_fails_is_told_with_its_exit_code_and_the_last_it_said(code: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"the API key's command, .*, failed: {says}") as raised:
        key("--api-key-command", printing(code) + " s3cret-argument")
    assert KEY not in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("no-such-program-anywhere x", "no-such-program-anywhere, cannot be started: No such file or directory"),
        ("'not closed", "--api-key-command: a quote in it is not closed"),
        (" ", "--api-key-command: it is empty"),
        ("true", "true, printed no key in its first line"),
        ("echo two words", "--api-key-command: the API key in it holds spaces or other characters that no key has"),
    ],
)
def test_one_that_cannot_be_used_is_told_in_a_sentence(command: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        key("--api-key-command", command)


def test_one_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_COMMAND_S", 0.2)
    with pytest.raises(UsageError, match=r"did not end within 0\.2 seconds"):
        key("--api-key-command", "sleep 60")


def test_one_that_fails_ends_a_send_before_anything_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["send", "in.csv", "--org-id", "1", "--yes", "--api-key-command", "false"]) == ExitCode.USAGE
    assert capsys.readouterr().err == "Error: the API key's command, false, failed: exit code 1\n"
    assert not Path("in.run").exists()
