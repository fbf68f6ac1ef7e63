"""The command that is told at the end works as it is pasted: it really is run, against a server."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from bulksend.cli import run
from bulksend.cli.codes import ExitCode
from bulksend.engagespark.sandbox import Sandbox, SandboxOptions, parse_fail
from bulksend.model import MicroUSD
from bulksend.sms import Rates

NUMBERS = [f"63917{row * 7_654_321 % 10_000_000:07}" for row in range(1, 21)]
MAPPED = ("--map", "to=Mobile", "--map", "message=Text")


Serving = Callable[[SandboxOptions | Sandbox], AbstractContextManager[Sandbox]]


@pytest.fixture
def serving(server_loop: asyncio.AbstractEventLoop) -> Serving:
    """Has a sandbox serve in another thread, for the program has its loop in this one."""

    @contextmanager
    def serve(what: SandboxOptions | Sandbox) -> Iterator[Sandbox]:
        server = what if isinstance(what, Sandbox) else Sandbox(what)
        asyncio.run_coroutine_threadsafe(server.__aenter__(), server_loop).result(30)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), server_loop).result(30)

    return serve


@pytest.fixture(autouse=True)
def folder(own_folder: Path) -> Path:
    """A folder with a blank in its campaign's name."""
    (own_folder / "the key.txt").write_text("sandbox")
    campaign(NUMBERS)
    return own_folder


def campaign(recipients: list[str]) -> None:
    lines = [f"{to},Message {row}" for row, to in enumerate(recipients, 1)]
    Path("the june.csv").write_text("\n".join(["Mobile,Text", *lines]), encoding="utf-8")


class Told:
    """What the program told."""

    def __init__(self, code: int, shown: str, out: str) -> None:
        self.code = code
        self.shown = shown
        self.json: dict[str, Any] = json.loads(out) if out else {}

    @property
    def commands(self) -> list[list[str]]:
        """Those that stand on a line of their own."""
        return [shlex.split(line) for line in self.shown.splitlines() if line.startswith("  bulksend ")]

    @property
    def next(self) -> list[str]:
        """The one that is told."""
        (command,) = self.commands
        assert command[0] == "bulksend"
        return command[1:]


class Program:
    """Runs the program in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Told:
        code = run([*arguments])
        shown = self._capsys.readouterr()
        return Told(code, shown.err, shown.out)

    def send(self, server: Sandbox, *more: str) -> Told:
        """Send the campaign with options of all kinds."""
        plan = (*MAPPED, "--from", "ACME & Co")
        pace = ("--concurrency", "2", "--retries", "1", "--api-key-file", "the key.txt", "--org-id", "1")
        return self("send", "the june.csv", *plan, *pace, "--base-url", server.base_url, "--yes", "--json", *more)


@pytest.fixture
def program(capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(capsys)


def test_out_of_funds_the_top_up_that_is_told_is_what_the_rest_takes(program: Program, serving: Serving) -> None:
    with serving(SandboxOptions(balance_micro=129_999)) as server:
        told = program.send(server)
        assert told.code == ExitCode.STOPPED
        assert "Stopped early: out of funds" in told.shown
        assert "to do      top up $0.28: the balance is $0.009999" in told.shown
        assert (told.json["topUpMicro"], told.json["leftMicro"], told.json["balanceMicro"]) == (280_000, 280_000, 9_999)
        assert "out of funds" in told.json["reason"]
        assert told.json["results"] == "the june.results.csv"
        assert told.json["next"] == shlex.join(["bulksend", *told.next])
        assert not {"--from", "--map", "--json"} & {*told.next}  # those stand in the run, or are no person's
        again = program(*told.next)
        assert again.code == ExitCode.STOPPED
        assert "Nothing more was sent: out of funds" in again.shown
        server.ledger.balance_micro += told.json["topUpMicro"]
        assert program(*again.next).code == ExitCode.OK
        assert server.summary().accepted == 20


def test_a_refused_key_is_said_before_anything_leaves(program: Program, serving: Serving) -> None:
    with serving(SandboxOptions(token="another")) as server:
        told = program.send(server)
        assert told.code == ExitCode.STOPPED
        assert "Nothing was sent: key refused" in told.shown
        assert server.summary().requests == 0
        assert told.json["exit"] == ExitCode.STOPPED
        assert "refused the key" in told.json["reason"]
        assert Path("the june.results.csv").exists()
        Path("the key.txt").write_text("another")
        assert program(*told.next).code == ExitCode.OK


class Withholding(Sandbox):
    """A server that answers otherwise when it is asked for the balance."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self._status = status

    def _app(self) -> web.Application:
        app = super()._app()
        app.middlewares.append(self._withhold)
        return app

    @web.middleware
    async def _withhold(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.endswith("balance.json"):
            return web.json_response({"error": "no"}, status=self._status)
        return await handler(request)


@pytest.mark.parametrize("status", [302, 400, 403, 404, 429, 500, 503])
def test_a_balance_that_cannot_be_asked_for_stops_nothing(status: int, program: Program, serving: Serving) -> None:
    with serving(Withholding(status)) as server:
        told = program.send(server)
        assert ("does not show the balance to this key (403)" in told.shown) == (status == 403)
        assert told.code == ExitCode.OK
        assert told.commands == []
        assert (told.json["reason"], told.json["next"], told.json["finish"]) == (None, None, "finished")


def test_a_filled_budget_goes_on_with_the_one_that_is_told_to_the_end(program: Program, serving: Serving) -> None:
    with serving(SandboxOptions(rates=Rates({"63": MicroUSD(12_500)}))) as server:
        told = program.send(server, "--max-cost", "0.1")
        assert told.code == ExitCode.STOPPED
        assert "Stopped early: the budget is filled" in told.shown
        assert program(*told.next).code == ExitCode.OK
        assert server.summary().accepted == 20


def test_too_many_errors_go_on_with_as_many_more(program: Program, serving: Serving) -> None:
    with serving(SandboxOptions(fail=(parse_fail("400=0.5"),), seed=1)) as server:
        told = program.send(server, "--max-errors", "2")
        assert told.code == ExitCode.STOPPED
        assert "Stopped early: too many errors" in told.shown
        before = server.summary().requests
        assert "--max-errors" in told.next
        program(*told.next)
        assert server.summary().requests > before


def interrupt(server: Sandbox) -> None:
    """Press Ctrl-C when messages arrive."""
    while server.summary().requests < 3:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_run_goes_on(program: Program, serving: Serving) -> None:
    with serving(SandboxOptions(latency_s=0.1)) as server:
        stop = threading.Thread(target=interrupt, args=(server,), daemon=True)
        stop.start()
        told = program.send(server, "--rate", "5")
        stop.join(10)
        assert told.code == ExitCode.INTERRUPTED
        assert "Stopped early: interrupted" in told.shown
        assert "run the same command again" in told.shown
        assert program(*[word if word != "5" else "100" for word in told.next]).code == ExitCode.OK
        assert server.summary().accepted == 20


def test_rows_in_doubt_are_settled_by_what_is_told(program: Program, serving: Serving) -> None:
    with serving(SandboxOptions(legacy=True, lose_answers=0.3, seed=6)) as server:
        told = program.send(server)
        assert told.code == ExitCode.NOT_ALL_SENT
        assert "in doubt" in told.shown
        assert told.next[:2] == ["resolve", "the june.run"]
        resolved = program(*told.next)
        assert resolved.code == ExitCode.NOT_ALL_SENT
        assert "left in doubt" in resolved.shown


def test_rows_that_were_refused_or_bad_are_mended_in_the_sheet_that_is_told(program: Program, serving: Serving) -> None:
    campaign([*NUMBERS, "12", "13", "14", "15"])
    with serving(SandboxOptions(fail=(parse_fail("400=0.2"),), seed=1)) as server:
        told = program.send(server)
        assert told.code == ExitCode.NOT_ALL_SENT
        rejected = told.json["rejected"]
        assert f"Finished, but {rejected + 4} rows were not sent" in told.shown
        (bad,) = [each for each in told.json["notSent"] if each["status"] == "invalid"]
        assert (bad["rows"], bad["first"], bad["lines"]) == (4, [21, 22, 23], [22, 23, 24])
        assert "rows 21, 22, 23 and 1 more" in told.shown
        assert told.next == ["retry", "the june.run", "-o", "the june.mend.csv"]
        (see,) = [line.partition(" or invalid: ")[2] for line in told.shown.splitlines() if "all that are " in line]
        assert program(*shlex.split(see)[1:]).code == ExitCode.OK
        assert len(Path("the june.rejected-invalid.csv").read_text().splitlines()) > 4
        assert program(*told.next).code == ExitCode.OK
        assert len(Path("the june.mend.csv").read_text().splitlines()) == 1 + rejected + 4
        again = program.send(server)
        assert again.next == ["retry", "the june.run", "-o", "the june.mend-2.csv"]


def test_rows_tried_and_none_accepted_are_exit_3(program: Program, serving: Serving) -> None:
    with serving(SandboxOptions(fail=(parse_fail("400=1"),))) as server:
        told = program.send(server)
        assert told.code == ExitCode.STOPPED
        assert "Nothing was sent: of 20 requests none was accepted" in told.shown
        assert told.next[0] == "retry"
    with serving(SandboxOptions(fail=(parse_fail("400=1"),))) as server:
        limited = program.send(server, "--new", "--limit", "2")
        assert limited.code == ExitCode.STOPPED


def test_results_that_cannot_be_written_are_written_by_what_is_told(program: Program, serving: Serving) -> None:
    Path("folder").mkdir()
    with serving(SandboxOptions()) as server:
        gone = threading.Thread(target=remove, args=(server, Path("folder")), daemon=True)
        gone.start()
        told = program.send(server, "--rate", "20", "--results", "folder/of.csv")
        gone.join(10)
        assert told.code == ExitCode.STOPPED
        assert "folder/of.csv" in told.json["reason"]
        assert told.next == ["results", "the june.run", "-o", "the june.all-results.csv"]
        assert program(*told.next).code == ExitCode.OK
        assert len(Path("the june.all-results.csv").read_text().splitlines()) == 21


def remove(server: Sandbox, folder: Path) -> None:
    """Take a folder away when messages arrive."""
    while server.summary().requests < 3:
        time.sleep(0.01)
    folder.rmdir()


def test_a_rehearsal_goes_on_as_one(program: Program) -> None:
    told = program("send", "the june.csv", *MAPPED, "--sandbox", "--yes", "--limit", "2", "--json")
    assert told.code == ExitCode.OK
    assert told.json["finish"] == "limit reached"
    assert told.next == ["send", "the june.sandbox.run", "--sandbox", "--limit", "2", "--yes"]
    assert "without --limit it sends all that is left" in told.shown
    assert program(*told.next).code == ExitCode.OK


def test_what_the_settings_would_say_otherwise_is_said_again(
    program: Program, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BULKSEND_FROM", "OTHER")
    with serving(SandboxOptions(balance_micro=100_000)) as server:
        told = program.send(server)
        assert told.next[told.next.index("--from") + 1] == "ACME & Co"
        assert program(*told.next).code == ExitCode.STOPPED


def test_a_kept_plan_is_sent_by_what_is_told_also_where_the_settings_say_otherwise(program: Program) -> None:
    Path("bulksend.toml").write_text('message = "Hi"\ncountry = "PH"\n')
    Path("text.txt").write_text("Hello")
    Path("plain.csv").write_text(f"to\n{NUMBERS[0]}\n")
    kept = program("estimate", "plain.csv", "--message-file", "text.txt", "--sandbox", "--save", "plain.run")
    command = kept.shown.partition("The plan is kept in plain.run: `")[2].partition("`")[0]
    assert command == "bulksend send plain.run --sandbox --message-file text.txt"
    refused = program("send", "plain.run", "--sandbox", "--yes")
    assert refused.code == ExitCode.USAGE
    assert (
        "a run is sent as it was planned, not with another message: leave it out; bulksend config show" in refused.shown
    )
    assert program(*shlex.split(command)[1:], "--yes").code == ExitCode.OK
