"""A program without some of its streams, or whose output nobody reads any more, does its work all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CampaignOf, Numbers, Program, Start, environment, send_to

from bulksend.cli.codes import ExitCode


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_campaign_is_sent_without_streams(
    closed: str, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "bulksend", *send_to(server, "--json")]
    done = subprocess.run(command, cwd=program.folder, env=environment(), capture_output=True, check=False, text=True)
    assert done.returncode == os.EX_OK, done.stderr
    assert (len(server.accepted()), "Traceback" in done.stderr) == (3, False)
    assert [row["status"] for row in program.results()] == ["sent"] * 3


def unread(program: Program, *arguments: str) -> tuple[int, str]:
    """The exit code of a command whose output's reader has gone, and what it says on stderr."""
    end, other_end = os.pipe()
    os.close(end)
    command = [sys.executable, "-m", "bulksend", *arguments]
    env = environment() | {"PYTHONUNBUFFERED": ""}
    done = subprocess.run(
        command, cwd=program.folder, env=env, stdout=other_end, stderr=subprocess.PIPE, check=False, text=True
    )
    os.close(other_end)
    return done.returncode, done.stderr


def test_a_send_whose_object_nobody_reads_ends_with_its_own_exit_code(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    campaign_of(numbers(1))
    code, says = unread(program, *send_to(sandbox(), "--json"))
    assert (code, "BrokenPipe" in says) == (os.EX_OK, False), says


@pytest.mark.parametrize("words", [("send", "--help"), ("config", "show"), ("optouts", "export", "-", "--org-id", "1")])
def test_a_command_that_nobody_listens_to_never_ends_with_a_code_that_speaks_of_rows(
    words: tuple[str, ...], program: Program
) -> None:
    assert unread(program, *words) == (ExitCode.STOPPED, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(("full", "says"), [("2", ""), ("1", "The summary is not told: standard output cannot be wri")])
def test_a_full_disk_under_a_log_of_its_words_ends_no_send(
    full: str, says: str, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    campaign_of(numbers(1))
    words = ["sh", "-c", f'exec "$@" {full}>/dev/full', "sh", sys.executable, "-m", "bulksend"]
    command = [*words, *send_to(sandbox(), "--json")]
    done = subprocess.run(command, cwd=program.folder, env=environment(), capture_output=True, check=False, text=True)
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (os.EX_OK, True, False), done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", ["config show", "config show --json", "--help", "estimate --help", "--version"])
def test_output_that_cannot_be_written_is_told_in_a_sentence(command: str, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        started = [sys.executable, "-m", "bulksend", *command.split()]
        done = subprocess.run(
            started, cwd=tmp_path, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False, text=True
        )
    assert done.stderr.startswith("Error: standard output cannot be written: No space left on device")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
