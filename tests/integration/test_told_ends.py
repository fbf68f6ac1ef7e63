"""Programs are told of every end of a send that began, after its results were written; its exit code stays."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from receiver import Receiver, receiving
from rich.console import Console

from bulksend import cli
from bulksend.campaign import Started
from bulksend.cli.codes import ExitCode
from bulksend.cli.monitors import Monitors
from bulksend.errors import OwnedError, RunFileError

KEY = "k3y-that-nobody-may-see"


@pytest.fixture(autouse=True)
def folder(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in, an environment without settings, and a command that notes what it is told."""
    monkeypatch.setenv("BULKSEND_API_KEY", KEY)
    Path("in.csv").write_text("to,message\n639171234567,hello there\n12,too short\n")
    Path("note.py").write_text(
        "import json, os, sys\n"
        "told = json.load(sys.stdin) | {'env': dict(os.environ)}\n"
        "told['hasResults'] = os.path.exists('in.sandbox.results.csv')\n"
        "json.dump(told, open('told.json', 'w'))\n"
    )
    return own_folder


def run(*arguments: str) -> int:
    return cli.run(list(arguments))


def noted() -> dict[str, object]:
    told: dict[str, object] = json.loads(Path("told.json").read_text())
    return told


NOTE = f"{sys.executable} note.py"


def test_a_finished_run_is_told_with_counts_and_nothing_of_anybody(capsys: pytest.CaptureFixture[str]) -> None:
    Path("secret.txt").write_text("signs\n")
    with receiving() as receiver:
        code = run("send", "in.csv", "--sandbox", "--yes", "--json", "--on-finish", NOTE, "--webhook", receiver.url,
                   "--webhook-secret-file", "secret.txt")  # fmt: skip
    assert code == ExitCode.NOT_ALL_SENT
    (seen,) = receiver.seen
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    assert summary.items() >= {name: value for name, value in seen.said.items() if name != "sandbox"}.items()
    assert seen.said["sandbox"] is True
    assert set(summary) - set(seen.said) == {"reason", "notSent", "next"}  # sentences, commands, lists
    assert (seen.said["sent"], seen.said["invalid"], seen.said["exit"]) == (1, 1, 1)
    assert seen.fields["X-Bulksend-Signature"].startswith("sha256=")
    for nobodys in (b"639171234567", b"hello", KEY.encode()):
        assert nobodys not in seen.body
    told = noted()
    assert told["hasResults"]
    assert KEY not in json.dumps(told)
    env = told.pop("env")
    assert isinstance(env, dict)
    assert (env["BULKSEND_SENT"], env["BULKSEND_EXIT"]) == ("1", "1")
    assert "s3cret" not in printed.err + json.dumps(env)
    assert all(b"s3cret" not in path.read_bytes() for path in Path().iterdir())


def test_neither_changes_the_exit_code_and_each_failure_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in.csv").write_text("to,message\n639171234567,hello there\n")
    with receiving(302) as receiver:
        code = run("send", "in.csv", "--sandbox", "--yes", "--on-finish", "false", "--webhook", receiver.url)
    assert code == ExitCode.OK
    said = capsys.readouterr().err.splitlines()
    assert said[-2:] == [
        "The webhook at http://127.0.0.1/… was not told: it points elsewhere (302), which is not followed.",
        "The command false of --on-finish ended with exit code 1.",
    ]


def test_a_run_that_stopped_early_is_told() -> None:
    with receiving() as receiver:
        code = run("send", "in.csv", "--org-id", "1", "--yes", "--patience", "0s", "--base-url", "http://127.0.0.1:9",
                   "--webhook", receiver.url)  # fmt: skip
    assert code == ExitCode.STOPPED
    assert (receiver.seen[0].said["exit"], receiver.seen[0].said["stop"]) == (3, "server away")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_is_told(number: signal.Signals, code: int) -> None:
    with receiving() as receiver, receiving(wait_s=2.0) as api:
        _after_its_first_request(api, number)
        ended = run("send", "in.csv", "--org-id", "1", "--yes", "--timeout", "0.5", "--base-url", api.base_url,
                    "--webhook", receiver.url, "--on-finish", NOTE)  # fmt: skip
    assert ended == code
    assert receiver.seen[0].said["exit"] == code
    assert noted()["exit"] == code


def _after_its_first_request(api: Receiver, number: signal.Signals) -> None:
    """Send this process a signal once a message has come there."""

    def wait() -> None:
        while not any(seen.path.startswith("/v1/sms") for seen in api.seen):
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.parametrize(
    ("error", "code"),
    [(RunFileError("x"), 3), (OwnedError("x"), 4), (KeyboardInterrupt(), 130), (SystemExit(143), 143)],
)
def test_an_end_by_an_error_is_told_with_what_the_run_knows(error: BaseException, code: int) -> None:
    run("send", "in.csv", "--sandbox", "--yes")
    monitors = Monitors(Console(stderr=True), on_finish=[sys.executable, "note.py"])
    monitors.hear(Started(1))
    with pytest.raises(type(error)), monitors.telling("in.sandbox.run"):
        raise error
    told = noted()
    assert (told["exit"], told["finish"], told["sent"], told["invalid"]) == (code, "error", 1, 1)


def test_an_error_before_anything_was_to_leave_is_told_to_nobody() -> None:
    monitors = Monitors(Console(stderr=True), on_finish=[sys.executable, "note.py"])
    with pytest.raises(OwnedError), monitors.telling("in.run"):
        raise OwnedError("x")
    assert not Path("told.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--yes", "--max-cost", "x"),
        ("--yes", "--org-id", "1", "--base-url", "http://x.example"),
        ("--sandbox", "--yes", "--dry-run"),
        ("--sandbox", "--yes", "--test-to", "639171234567"),
        ("--sandbox",),
    ],
)
def test_a_command_that_sends_nothing_of_the_run_tells_nobody(arguments: tuple[str, ...]) -> None:
    with receiving() as receiver:
        run("send", "in.csv", *arguments, "--webhook", receiver.url, "--on-finish", NOTE)
    assert receiver.seen == []
    assert not Path("told.json").exists()


def test_a_finished_run_that_is_sent_once_more_tells_nobody() -> None:
    Path("in.csv").write_text("to,message\n639171234567,hello there\n")
    assert run("send", "in.csv", "--sandbox", "--yes") == ExitCode.OK
    with receiving() as receiver:
        run("send", "in.sandbox.run", "--sandbox", "--yes", "--webhook", receiver.url)
    assert receiver.seen == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--webhook", "http://hooks.example.com/s3cret-part"), "must start with https://"),
        (("--webhook", "https://x.test/s3cret-part", "--webhook-secret-file", "none"), "none: the webhook's secret"),
        (("--webhook", "https://x.test/s3cret-part", "--webhook-secret-file", "empty"), "the file is empty"),
        (("--webhook-secret-file", "empty"), "--webhook"),
        (("--on-finish", "no-such-program s3cret-part"), "no program no-such-program"),
    ],
)
def test_what_cannot_be_told_is_refused_before_anything_is_planned(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").touch()
    assert run("send", "in.csv", "--sandbox", "--yes", *arguments) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert says in said
    assert "s3cret" not in said
    assert not Path("in.sandbox.run").exists()


def test_what_is_sent_again_is_told_and_logged_as_well() -> None:
    with receiving(200, wait_s=1.0) as api:
        brief = ("--yes", "--timeout", "0.3", "--patience", "0s")
        run("send", "in.csv", "--org-id", "1", "--base-url", api.base_url, *brief)
        code = run("resolve", "in.csv", "--resend", "--unseen", *brief, "--on-finish", NOTE, "--log-file", "in.log")
    told = noted()
    assert (told["run"], told["unknown"], told["exit"]) == ("in.run", 1, code)
    lines = [json.loads(line) for line in Path("in.log").read_text().splitlines()]
    assert [(line["event"], line.get("attempt")) for line in lines if "row" in line] == [("attempt", 2)]
    assert lines[-1]["exit"] == code


def test_where_nothing_is_sent_again_nobody_is_told() -> None:
    with receiving(200, wait_s=1.0) as api:
        brief = ("--timeout", "0.3", "--patience", "0s")
        run("send", "in.csv", "--org-id", "1", "--base-url", api.base_url, "--yes", *brief)
        run("resolve", "in.csv", "--leave", *brief, "--on-finish", NOTE)
    assert not Path("told.json").exists()
