"""What docs/python.md shows is run as it stands there, against a sandbox."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from conftest import ROOT, SandboxServer

import bulksend
from bulksend import errors

PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
CELLS = dict(re.findall(r"^```python ?(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))

Start = Callable[..., SandboxServer]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sheet of the page, and nothing that leads anywhere else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BULKSEND_API_KEY", "sandbox")
    monkeypatch.setenv("BULKSEND_ORG_ID", "123")
    sheet = "".join(f"0917123{row:04},Ana {row}\n" for row in range(1000, 1040))
    (tmp_path / "june.csv").write_text(f"to,Name\n{sheet}")
    return tmp_path


@pytest.fixture
def here(sandbox: Start, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """A sandbox where the page has the API itself."""
    server = sandbox("--org-id", "123", "--latency", "20ms")
    monkeypatch.setattr("bulksend.python.accounts.Account.__init__.__defaults__", (server.base_url,))
    return server


def ran(cell: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "docs"}
    exec(compile(CELLS[cell], f"docs/python.md ({cell})", "exec"), names)  # noqa: S102 -- our own page
    return names


def test_the_first_example_sends(here: SandboxServer, capsys: pytest.CaptureFixture[str]) -> None:
    ran("")
    assert capsys.readouterr().out == "40 of 40 rows, 0.80 USD\njune.results.csv True None\n"
    assert len(here.accepted()) == 40


async def test_the_cell_of_a_notebook_runs_under_its_loop(folder: Path) -> None:
    (folder / "june.csv").write_text("to,Name\n639171234567,Ana\n12,Ben\n")
    code = compile(CELLS["notebook"], "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}
    cell: Awaitable[None] = eval(code, names)  # noqa: S307 -- as a notebook does
    await cell
    ((row, to, error),) = names["not_sent"]
    assert (row, to) == (2, None)
    assert "12" in error or "short" in error


def test_the_task_of_a_scheduler_is_repeated_without_harm(
    here: SandboxServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "june.csv").write_text("to,Name\n639171234567,Ana\n639181234567,Ben\n")
    send_june = ran("task")["send_june"]
    assert send_june() == send_june() == "june.results.csv"
    assert len(here.accepted()) == 2
    (folder / "june.run").unlink()
    (folder / "june.results.csv").unlink()
    monkeypatch.setenv("BULKSEND_API_KEY", "another")
    (folder / "june.csv").write_text("to,Name\n639191234567,Cai\n")
    with pytest.raises(RuntimeError, match="the next try goes on"):
        send_june()


async def test_a_web_handler_streams_and_is_stopped(sandbox: Start, folder: Path) -> None:
    server = sandbox("--org-id", "1", "--latency", "100ms")
    rows = "".join(f"639171{row:06},Hello\n" for row in range(2_000))
    (folder / "july.csv").write_text(f"to,message\n{rows}")
    runner = web.AppRunner(ran("web")["app"](bulksend.Account(1, "sandbox", server.base_url)))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    at = f"http://127.0.0.1:{runner.addresses[0][1]}/july"
    async with ClientSession() as client, client.post(f"{at}/send") as stream:
        async for line in stream.content:
            if not line.startswith(b"0 "):
                break
        async with client.post(f"{at}/stop") as stopped:
            told = await stopped.json()
        rest = [line async for line in stream.content]
    await runner.cleanup()
    assert told == {"sent": len(server.accepted()), "state": "stopped early"}
    assert 0 < told["sent"] < 2_000
    assert rest[-1] == b"ended: the task that sent it was cancelled\n"


def test_every_error_and_call_has_its_line() -> None:
    names = [name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)]
    assert {name for name in names if f"`{name}`" not in PAGE and f".{name}`" not in PAGE} == set()
    calls = [name for name in vars(bulksend)["__all__"] if inspect.isfunction(getattr(bulksend, name))]
    assert sorted(calls) == sorted(re.findall(r"^\| `(?:await )?(\w+)\(", PAGE, re.MULTILINE))


def test_what_a_call_raises_stands_in_its_docstring() -> None:
    table = re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| ([^|]*) \|$", PAGE, re.MULTILINE)
    assert len(table) == 7
    calls = {"estimate", "plan", "send", "resolve", "receipts", "open_run"}
    for error, raised_by in table:
        for call in calls if raised_by == "all" else re.findall(r"\w+", raised_by):
            assert f"{error}:" in (inspect.getdoc(getattr(bulksend, call)) or ""), (error, call)
