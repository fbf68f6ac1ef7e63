"""What tests share: the real program in a subprocess, and the sandbox as a server of its own."""

from __future__ import annotations

import asyncio
import csv
import importlib
import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from databases import RUN, Server, is_emptied, shared, stop_shared
from forks import Process, at_terminal, can_fork, end_forks, forks, start
from hypothesis import settings
from starts import quick

from bulksend.cli import interrupts
from bulksend.cli.commands.sandbox import SERVER
from bulksend.cli.commands.sandbox import command as sandbox_command
from bulksend.engagespark import Sandbox
from bulksend.patience import Patience
from bulksend.runs.postgres import install

ROOT = Path(__file__).parents[1]
_WAITING = ("integration", "acceptance", "browser")
"""Folders of tests that wait for most of their time."""
_LONGEST = ("browser", "crash")
"""Where the longest of them are; told by folders and names."""
PROGRAM = (sys.executable, "-m", "bulksend")
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 -- pytest makes a folder of its own there
_ROOM = 2 << 30  # bytes


# How thoroughly properties are tested. Neither has a deadline: the machine may be busy with something else.
_PLAIN = settings.get_profile("default")  # not what Hypothesis makes of it by itself where CI is set
settings.register_profile("quick", _PLAIN, max_examples=20, deadline=None, print_blob=True)
settings.register_profile("thorough", _PLAIN, max_examples=300, deadline=None, print_blob=True)
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or "quick"
settings.load_profile(_PROFILE)


def examples(percent: int) -> int:
    """How many examples a property gets that is to have so many percent of what the profile gives."""
    return max(1, percent * settings().max_examples // 100)


def pytest_configure(config: pytest.Config) -> None:
    _inherit_no_ignored_signals()
    _keep_files_in_memory()
    sys.dont_write_bytecode = False  # see `quick`
    if not hasattr(config, "workerinput"):
        config.option.testrunuid = os.environ[RUN] = config.getoption("testrunuid", None) or uuid.uuid4().hex
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = _seed()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        stop_shared()


def _seed() -> str:
    """Of our choice, so that it can be shown. In CI always the same: there a change is judged, and not one's luck."""
    return "1" if os.environ.get("CI") else str(random.getrandbits(32))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Five workers for two cores, as tests wait half of the time: for caps, answers, the disk. None for a few files."""
    if any(".py" in argument for argument in config.args):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 5 * cores // 2


def pytest_collection(session: pytest.Session) -> None:
    """Have workers begin to load the tests at different ones, where all are meant.

    What one has compiled, with its assertions made to tell, the others take over: else each would do all, for as long
    as a tenth of the tests' time.
    """
    config = session.config
    if not hasattr(config, "workerinput") or any(".py" in argument for argument in config.args):
        return
    modules = sorted(Path(__file__).parent.glob("*/test_*.py"))
    sys.path[:0] = sorted({str(module.parent) for module in modules} - {*sys.path})
    begin = len(modules) * int(config.workerinput["workerid"][2:]) // config.workerinput["workercount"]
    for module in modules[begin:] + modules[:begin]:
        with suppress(Exception, pytest.skip.Exception):  # it is told of where it is collected
            importlib.import_module(module.stem)


def pytest_sessionfinish() -> None:
    end_forks()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that wait stand evenly among those that compute, so that there is something to do while they wait.

    Workers take tests in this order. The longest are in its first third, so that no worker is left with one when the
    others are done, and not all have one at once. The long ones are left out where all are meant, for CI to run them.
    """
    if not config.option.markexpr and not any(".py" in argument for argument in config.args):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    longest = [item for item in items if any(word in f"{item.path.parent.name}/{item.path.name}" for word in _LONGEST)]
    waiting = [item for item in items if item.path.parent.name in _WAITING and item not in longest]
    computing = [item for item in items if item.path.parent.name not in _WAITING]
    place = {
        item: part * nth / len(those)
        for part, those in ((1 / 3, longest), (1, waiting), (1, computing))
        for nth, item in enumerate(those)
    }
    items.sort(key=place.__getitem__)


def pytest_report_header(config: pytest.Config) -> str:
    again = f"HYPOTHESIS_PROFILE={_PROFILE} python -m pytest --hypothesis-seed={config.option.hypothesis_seed}"
    return f"properties: {_PROFILE}, {examples(100)} examples; the same again: {again}"


def _inherit_no_ignored_signals() -> None:
    """Let the programs that tests start take the signals that they are sent.

    A child inherits which signals are ignored, as under nohup or a script's ``&``, but no handlers: where we ignore a
    signal by a handler that does nothing, we go on as before and every child starts with the default.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def _keep_files_in_memory() -> None:
    """Have tests' folders in memory, where there is enough of it, unless they are wanted elsewhere.

    What is committed is flushed to the disk, for which tests would wait for most of their time. None could tell: whom
    they kill is a process, whose writes the system keeps, and not the machine.
    """
    with suppress(OSError):
        room = os.statvfs(_IN_MEMORY)
        if room.f_bavail * room.f_frsize >= _ROOM and os.access(_IN_MEMORY, os.W_OK | os.X_OK):
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))


def environment(**more: str) -> dict[str, str]:
    """An environment without settings of whoever runs the tests."""
    kept = "BULKSEND_STATE_DIR"
    clean = {name: value for name, value in os.environ.items() if name == kept or not name.startswith("BULKSEND_")}
    mine = {"BULKSEND_API_KEY": "sandbox", "BULKSEND_ORG_ID": "1", "PYTHONPATH": str(ROOT)}
    return quick(clean) | mine | more


class Latency:
    """How a sandbox waits before its answers: for its latency, or until it is told not to wait any longer."""

    def __init__(self) -> None:
        self.is_on = True
        self._waiting: set[asyncio.Future[None]] = set()

    async def sleep(self, seconds: float) -> None:
        """Wait for so long at most."""
        if not self.is_on:
            return
        answered = asyncio.get_running_loop().create_future()
        self._waiting.add(answered)
        await asyncio.wait([answered], timeout=seconds)
        self._waiting.discard(answered)

    async def end(self) -> None:
        """Wait no longer with what has come."""
        for answered in self._waiting:
            answered.set_result(None)
        self._waiting.clear()


@dataclass(frozen=True)
class SandboxServer:
    """A sandbox, as ``bulksend sandbox`` runs it, in a thread of the tests: so many of them start that it pays."""

    sandbox: Sandbox
    loop: asyncio.AbstractEventLoop
    latency: Latency

    @property
    def base_url(self) -> str:
        """Its address."""
        return self.sandbox.base_url

    @property
    def port(self) -> str:
        """Where it listens."""
        return self.base_url.rsplit(":", 1)[1]

    def end(self) -> None:
        """End it before the test does."""
        asyncio.run_coroutine_threadsafe(self.sandbox.__aexit__(None, None, None), self.loop).result(timeout=30)

    def answer(self, *, at_once: bool = False) -> None:
        """Let the answers go that it waits with; from now on it waits before each again, or answers at once."""
        self.latency.is_on = not at_once
        asyncio.run_coroutine_threadsafe(self.latency.end(), self.loop).result(timeout=30)

    def log(self) -> list[dict[str, Any]]:
        """What arrived, one record per POST."""
        with urllib.request.urlopen(f"{self.base_url}/sandbox/log", timeout=10) as answer:
            return [json.loads(line) for line in answer]

    def accepted(self) -> list[dict[str, Any]]:
        """What of it was accepted."""
        return [record for record in self.log() if record["accepted"]]

    def await_requests(self, count: int) -> None:
        """Wait until so many requests have come."""
        deadline = time.monotonic() + 30
        while self.summary()["requests"] < count:
            assert time.monotonic() < deadline, "the program sends nothing"
            time.sleep(0.02)

    def summary(self) -> dict[str, Any]:
        """The counts."""
        with urllib.request.urlopen(f"{self.base_url}/sandbox/summary", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


def warnings_in(said: str) -> list[str]:
    """What is warned of, but for the hour at which a test happens to run."""
    return [line for line in said.splitlines() if line.startswith("warning") and "[PH-HOURS]" not in line]


Start = Callable[..., SandboxServer]
"""What the fixture ``sandbox`` gives."""
CampaignOf = Callable[..., Path]
"""What the fixture ``campaign_of`` gives."""
Numbers = Callable[[int], list[str]]
"""What the fixture ``numbers`` gives."""


def send_to(server: SandboxServer, *options: str, of: str = "campaign.csv") -> tuple[str, ...]:
    """The words of a send to a sandbox, of which nothing is asked."""
    return ("send", of, "--base-url", server.base_url, "--yes", *options)


@dataclass(frozen=True)
class Program:
    """Runs bulksend in a folder."""

    folder: Path

    def __call__(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] = {}
    ) -> subprocess.CompletedProcess[str]:
        if arguments[:1] == ("estimate",) or "--dry-run" in arguments:
            env = {"BULKSEND_BASE_URL": "http://127.0.0.1:9", **env}  # nobody listens there to be asked for the balance
        if can_fork(env, stdin):
            return forks().run(arguments, self.folder, environment(**env), stdin)
        return subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.folder,
            env=environment(**env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *arguments: str) -> Process:
        """Start it and go on."""
        return start(arguments, self.folder, environment(), out=subprocess.PIPE)

    def answered(self, *arguments: str, answer: str) -> tuple[int, str]:
        """Run it at a terminal and answer its question: the exit code, and what stood there until the question."""
        terminal, other_end = pty.openpty()
        process = at_terminal(arguments, self.folder, environment(TERM="xterm", COLUMNS="200"), other_end)
        os.close(other_end)
        seen = b""
        while b"[y/N]" not in seen:
            seen += os.read(terminal, 1024)
        os.write(terminal, answer.encode() + b"\n")
        with suppress(OSError):  # the program has closed its end
            while os.read(terminal, 1024):
                pass
        os.close(terminal)
        return process.wait(timeout=30), " ".join(seen.decode(errors="replace").split())

    def take_samples(self, *names: str, into: str = ".") -> None:
        """Copy some of the sample data, without what somebody's own run of it left beside them."""
        (self.folder / into).mkdir(exist_ok=True)
        for name in names:
            shutil.copy(ROOT / "sample_data" / name, self.folder / into)

    def results(self, name: str = "campaign.results.csv") -> list[dict[str, str]]:
        """A results file, as a spreadsheet program reads it."""
        with (self.folder / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def new_states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders that are not there yet: by their own count, for pytest looks through all others to name one."""
    return map(tmp_path_factory.mktemp("states").joinpath, map(str, count()))


@pytest.fixture(autouse=True)
def _page_forks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's own processes are forked: most of its tests would spend their time on loading what these need."""
    if "integration/test_page_" in request.path.as_posix() and can_fork({}, ""):
        monkeypatch.setattr(sys, "executable", forks().python())


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    """This process goes on, whatever signal a test sends it."""
    patience = Patience()
    monkeypatch.setattr(interrupts, "OURS", patience)
    monkeypatch.setattr(interrupts, "_heard", [])
    return patience


@pytest.fixture(autouse=True)
def state_folder(new_states: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keeps what outlives a run apart from that of whoever runs the tests."""
    folder = next(new_states)
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(folder))
    return folder


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, and an environment without settings, for a program that runs in the test's own process."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("BULKSEND_") and name != "BULKSEND_STATE_DIR":
            monkeypatch.delenv(name)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield tmp_path
    for number, handler in before.items():  # the program sets its own
        signal.signal(number, handler)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture(scope="session")
def server_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread, for the sandboxes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result(timeout=10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)
    loop.close()


async def _end_tasks() -> None:
    """Let go of answers that are still waited with when their tests have ended."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture
def sandbox(server_loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., SandboxServer]]:
    """Starts sandboxes with the flags that the command takes; all end with the test."""
    running: list[SandboxServer] = []

    def start(*flags: str) -> SandboxServer:
        given = sandbox_command.make_context("sandbox", ["--port", "0", *flags]).params
        settings = SERVER.take(dict(given))
        latency = Latency()
        server = SandboxServer(Sandbox(settings.options(), settings.port, sleep=latency.sleep), server_loop, latency)
        asyncio.run_coroutine_threadsafe(server.sandbox.__aenter__(), server_loop).result(timeout=30)
        running.append(server)
        return server

    yield start
    for server in running:
        server.end()


@pytest.fixture
def campaign_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``campaign.csv`` with a row for each number."""

    def write(numbers: Sequence[str], name: str = "campaign.csv") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["to", "message"])
            lines.writerows([number, f"Message {row} to {number}"] for row, number in enumerate(numbers, 1))
        return path

    return write


@pytest.fixture
def numbers() -> Callable[[int], list[str]]:
    """So many different Philippine mobile numbers."""
    return lambda count: [f"63917{row:07}" for row in range(1_000_000, 1_000_000 + count)]


@pytest.fixture(scope="session")
def database_server() -> Server:
    """A real PostgreSQL."""
    return shared()


@pytest.fixture(scope="session")
def used_databases(database_server: Server) -> Iterator[list[str]]:
    """Databases with our tables, empty again: to make one takes longer than most tests."""
    left: list[str] = []
    yield left
    for address in left:
        database_server.drop(address)


@pytest.fixture
def database(database_server: Server, used_databases: list[str]) -> Iterator[str]:
    """The address of a database that is the test's own, with our tables."""
    if used_databases:
        address = used_databases.pop()
    else:
        address = database_server.database()
        install(address)
    yield address
    if is_emptied(address):
        used_databases.append(address)
    else:
        database_server.drop(address)
