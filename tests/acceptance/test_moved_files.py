"""The run file is the truth, wherever it is: moved, removed, replaced or without its log, it sends nothing twice."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, send_to
from forks import Process

Begun = Callable[..., tuple[SandboxServer, Process, tuple[str, ...]]]

ROWS = 120
LOG = "campaign.run-wal"


@pytest.fixture
def begun(program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers) -> Begun:
    """Begins to send; the server, the process, and the command."""

    def begin(*flags: str) -> tuple[SandboxServer, Process, tuple[str, ...]]:
        server = sandbox("--latency", "100ms", *flags)
        campaign_of(numbers(ROWS))
        assert program("estimate", "campaign.csv", "--save", "other.run").returncode == 0
        command = send_to(server, "--concurrency", "4")
        process = program.start(*command)
        server.await_requests(20)
        return server, process, command

    return begin


def killed(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)


def twice(server: SandboxServer) -> list[str]:
    """Who got more than one message."""
    return [to for to, count in Counter(record["to"] for record in server.accepted()).items() if count > 1]


@pytest.mark.long
@pytest.mark.parametrize("how", ["moved", "copied", "log deleted", "log emptied", "moved within"])
def test_a_killed_runs_file_without_its_log_is_refused_whatever_is_asked(
    begun: Begun, program: Program, how: str
) -> None:
    server, process, (_, _, *options) = begun()
    killed(process)
    folder = program.folder / "elsewhere"
    folder.mkdir()
    run = program.folder / "campaign.run"
    if how == "moved":
        run = run.rename(folder / "campaign.run")
    elif how == "copied":
        run = Path(shutil.copy(run, folder))
    elif how == "moved within":
        run = run.rename(program.folder / "renamed.run")
    elif how == "log deleted":
        (program.folder / LOG).unlink()
    else:
        (program.folder / LOG).write_bytes(b"")
    if not run.with_suffix(".csv").exists():
        shutil.copy(program.folder / "campaign.csv", run.with_suffix(".csv"))
    before = server.summary()["requests"]
    for command in (
        ("send", str(run), *options),
        ("send", str(run.with_suffix(".csv")), *options),
        ("status", str(run)),
        ("results", str(run), "-o", "now.csv"),
        ("resolve", str(run), "--leave"),
        ("estimate", str(run.with_suffix(".csv")), "--save", str(run)),
    ):
        refused = program(*command)
        assert refused.returncode == 2, (command, refused.stderr)
        assert "a part of this run is missing" in refused.stderr
        assert f"{run.name}-wal" in refused.stderr
    assert server.summary()["requests"] == before
    assert not run.with_name(f"{run.name}-shm").exists() or how.startswith("log")


@pytest.mark.long
def test_with_its_log_put_back_the_run_goes_on(begun: Begun, program: Program) -> None:
    server, process, command = begun()
    killed(process)
    folder = program.folder / "elsewhere"
    folder.mkdir()
    for name in ("campaign.run", "campaign.csv"):
        (program.folder / name).rename(folder / name)
    assert program("send", "elsewhere/campaign.csv", *command[2:]).returncode == 2
    (program.folder / LOG).rename(folder / LOG)
    ended = program("send", "elsewhere/campaign.csv", *command[2:])
    assert ended.returncode in {0, 1}, ended.stderr
    assert not twice(server)


@pytest.mark.long
def test_a_log_whose_file_is_gone_is_not_planned_over(begun: Begun, program: Program) -> None:
    server, process, command = begun()
    killed(process)
    (program.folder / "campaign.run").rename(program.folder / "kept.run")
    before = server.summary()["requests"]
    refused = program(*command)
    assert refused.returncode == 2, refused.stderr
    assert LOG in refused.stderr
    assert server.summary()["requests"] == before
    (program.folder / "kept.run").rename(program.folder / "campaign.run")
    assert program(*command).returncode in {0, 1}
    assert not twice(server)


@pytest.mark.long
def test_a_links_log_lies_beside_what_it_leads_to(begun: Begun, program: Program) -> None:
    server, process, command = begun()
    killed(process)
    folder = program.folder / "real"
    folder.mkdir()
    for name in ("campaign.run", LOG):
        (program.folder / name).rename(folder / name)
    (program.folder / "campaign.run").symlink_to(folder / "campaign.run")
    assert program("status", "campaign.run").returncode == 0
    assert program(*command).returncode in {0, 1}
    assert not twice(server)


def test_a_killed_run_that_another_program_has_brought_into_one_file_goes_on(begun: Begun, program: Program) -> None:
    server, process, command = begun()
    killed(process)
    with closing(sqlite3.connect(program.folder / "campaign.run")) as db:
        db.execute("SELECT count(*) FROM sends").fetchone()
    assert not (program.folder / LOG).exists()
    ended = program(*command)
    assert ended.returncode in {0, 1}, ended.stderr
    assert not twice(server)


def removed(folder: Path) -> None:
    for file in folder.glob("campaign.run*"):
        file.unlink()


def moved(folder: Path) -> None:
    (folder / "campaign.run").rename(folder / "moved.run")


def log_removed(folder: Path) -> None:
    (folder / LOG).unlink()


def replaced(folder: Path) -> None:
    removed(folder)
    (folder / "campaign.run").write_bytes((folder / "other.run").read_bytes())


@pytest.mark.long
@pytest.mark.parametrize("what", [removed, moved, log_removed, replaced], ids=lambda what: what.__name__)
def test_a_run_whose_file_goes_while_it_is_sent_stops_and_writes_what_is_known(
    begun: Begun, program: Program, what: Callable[[Path], None]
) -> None:
    server, process, command = begun()
    seen = server.summary()["accepted"]
    what(program.folder)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 3, talk
    assert "Stopped early: " in talk
    assert "moved, removed or replaced while it was sent" in talk
    statuses = Counter(row["status"] for row in program.results())
    accepted = server.summary()["accepted"]
    assert statuses == {"sent": accepted, "pending": ROWS - accepted}
    assert accepted <= seen + 20  # what was under way
    if what is moved:
        (program.folder / "moved.run").rename(program.folder / "campaign.run")
    if what in {moved, log_removed}:
        assert program(*command).returncode == 0
        assert not twice(server)
    if what is replaced:
        assert (program.folder / "campaign.run").read_bytes() == (program.folder / "other.run").read_bytes()
