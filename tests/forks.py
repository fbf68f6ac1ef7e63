"""The program, started once as far as its command line, and forked for each command.

To start Python and load what a send needs takes several times as long as what most tests have it do. A fork is a
process like any other, with its own memory, files, streams and signals; it ends as Python ends, with an exit code.
"""

from __future__ import annotations

import io
import json
import math
import os
import select
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

from starts import quick

_READ_ONCE = ("PYTHON", "LC_", "LANG", "SSL_")
"""What of the environment Python or a library reads at its start only."""
_PROGRAM = (sys.executable, "-m", "bulksend")
_LONG_S = 3_600.0
_MAKING = threading.Lock()
_INPUT_MAX = 65_536  # bytes that a pipe takes before anybody reads


def can_fork(env: Mapping[str, str], stdin: str) -> bool:
    """Whether a command may be forked whose environment differs so from ours; TESTS_START_ANEW=1 has none forked.

    It is safe on Linux only: elsewhere the system's own libraries may not survive it.
    """
    if sys.platform != "linux" or os.environ.get("TESTS_START_ANEW"):
        return False
    return len(stdin.encode()) < _INPUT_MAX and not any(name.startswith(_READ_ONCE) for name in env)


def forks() -> Forks:
    """What forks the commands of this process' tests."""
    with _MAKING:  # several threads of a test may ask first
        return _forks()


@cache
def _forks() -> Forks:
    return Forks()


def run(
    arguments: Sequence[str], folder: Path, env: Mapping[str, str], timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run one command of the program to its end, forked where that can be, without input.

    Raises:
        subprocess.TimeoutExpired: it did not end in time, and was killed.
    """
    if can_fork({}, ""):
        return forks().run(arguments, folder, env, timeout_s=timeout_s)
    return subprocess.run(
        [*_PROGRAM, *arguments], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=timeout_s, check=False,
    )  # fmt: skip


def start(
    arguments: Sequence[str], folder: Path, env: Mapping[str, str], err: int = subprocess.PIPE,
    out: int = subprocess.DEVNULL,
) -> Process:  # fmt: skip
    """Start one, forked where that can be, without input.

    Args:
        arguments: its words.
        folder: where it runs.
        env: its environment.
        err: where its errors go: to a file's number, or to a pipe.
        out: where all else goes: nowhere, or to a pipe.
    """
    if can_fork({}, ""):
        return forks().start(arguments, folder, env, err, out)
    return subprocess.Popen(
        [*_PROGRAM, *arguments], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True
    )


def at_terminal(arguments: Sequence[str], folder: Path, env: Mapping[str, str], terminal: int) -> Process:
    """Start one at a terminal, forked where that can be."""
    if can_fork({}, ""):
        return forks().start(arguments, folder, env, terminal=terminal)
    return subprocess.Popen(
        [*_PROGRAM, *arguments], cwd=folder, env=env, stdin=terminal, stdout=terminal, stderr=terminal, text=True
    )


def end_forks() -> None:
    """End it, if there is one."""
    if _forks.cache_info().currsize:
        _forks().close()
        _forks.cache_clear()


class Ended(NamedTuple):
    """A process that has ended.

    Attributes:
        process: its id.
        code: its exit code, or the signal that killed it as a negative number.
        out: what it wrote to stdout.
        err: and to stderr.
    """

    process: int
    code: int
    out: str
    err: str


class Started:
    """A fork that goes on by itself: as `subprocess.Popen`, as far as tests ask it.

    Attributes:
        pid: its process.
        stdout: what it writes, if that was to be a pipe.
        stderr: and its errors.
        returncode: how it ended, as `Ended.code`; None if it is not known to have.
    """

    def __init__(self, told: int, out: int | None, err: int | None) -> None:
        self._told = told
        self.stdout, self.stderr = (None if end is None else os.fdopen(end) for end in (out, err))
        self._said = {stream: b"" for stream in (self.stdout, self.stderr) if stream}
        self._heard = b""
        while b" " not in self._heard:
            self._heard += os.read(told, 64)
        self.pid = int(self._heard.split()[0])
        self.returncode: int | None = None
        os.set_blocking(told, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        for stream in self._said:
            stream.close()

    def poll(self) -> int | None:
        """How it ended, if it has."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it has not ended.
        """
        if (code := self._look(timeout)) is None:
            raise subprocess.TimeoutExpired("bulksend", timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end, with what it wrote and nobody has read.

        Raises:
            subprocess.TimeoutExpired: it has not ended.
        """
        until = math.inf if timeout is None else time.monotonic() + timeout
        while streams := [stream for stream in self._said if not stream.closed]:
            ready, _, _ = select.select(streams, [], [], min(max(0.0, until - time.monotonic()), _LONG_S))
            if not ready:
                raise subprocess.TimeoutExpired("bulksend", timeout or 0.0)
            for stream in ready:
                chunk = os.read(stream.fileno(), 1 << 16)
                self._said[stream] += chunk
                if not chunk:
                    stream.close()
        self.wait(timeout)
        out, err = (_text(self._said[stream]) if stream else "" for stream in (self.stdout, self.stderr))
        return out, err

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            self._heard += os.read(self._told, 64)
            os.close(self._told)
            self.returncode = os.waitstatus_to_exitcode(int(self._heard.split()[1]))
        return self.returncode


Process = subprocess.Popen[str] | Started


class Forks:
    """A started program (`forked.py`) that waits for commands."""

    def __init__(self) -> None:
        self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._folder = tempfile.TemporaryDirectory(prefix="bulksend-forks-")
        launches = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        launches.bind(f"{self._folder.name}/launches")
        launches.listen()
        folders = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parent)])
        env = quick({name: value for name, value in os.environ.items() if not name.startswith("BULKSEND_")})
        ends = its.fileno(), launches.fileno()
        with its, launches:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "forked", *map(str, ends)],
                env=env | {"PYTHONPATH": folders},
                pass_fds=ends,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait(timeout=30)
        self._folder.cleanup()

    def python(self) -> str:
        """What can be started in Python's place with ``-P -m MODULE``, and has one forked that runs that module."""
        program = Path(self._folder.name) / "python"
        if not program.exists():
            launcher, name = Path(__file__).with_name("launcher.py"), program.with_name("launches")
            words = shlex.join([sys.executable, "-IS", str(launcher), str(name)])
            program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            program.chmod(0o700)
        return str(program)

    def run(
        self, arguments: Sequence[str], folder: Path, env: Mapping[str, str], stdin: str = "", timeout_s: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of the program to its end.

        Raises:
            subprocess.TimeoutExpired: it did not end in time, and was killed.
        """
        ended = self._run(
            {"code": None, "arguments": arguments, "folder": str(folder), "env": {**env}}, stdin, timeout_s
        )
        return subprocess.CompletedProcess(arguments, ended.code, ended.out, ended.err)

    def run_code(self, code: str, *arguments: str) -> Ended:
        """Run some Python in place of the program, here and in this environment."""
        code = f"import sys\nsys.path[:] = {sys.path!r}\n{code}"
        command = {"code": code, "arguments": arguments, "folder": str(Path.cwd()), "env": {**os.environ}}
        return self._run(command, stdin="", timeout_s=20)

    def start(
        self, arguments: Sequence[str], folder: Path, env: Mapping[str, str], err: int = subprocess.PIPE,
        out: int = subprocess.DEVNULL, code: str | None = None, terminal: int | None = None,
    ) -> Started:  # fmt: skip
        """See `start`; with some code, that runs in place of the program; and with a terminal, at that."""
        if code is not None:
            code = f"import sys\nsys.path[:] = {sys.path!r}\n{code}"
        command = {"code": code, "arguments": arguments, "folder": str(folder), "env": {**env}}
        if terminal is not None:
            out = err = terminal
        given = os.open(os.devnull, os.O_RDONLY) if terminal is None else os.dup(terminal)
        (ours_out, out), (ours_err, err), (ours, told) = _ends(out), _ends(err), os.pipe()
        theirs = (given, out, err, told)
        socket.send_fds(self._socket, [json.dumps(command).encode()], theirs)
        for end in theirs:
            os.close(end)
        return Started(ours, ours_out, ours_err)

    def _run(self, command: Mapping[str, object], stdin: str, timeout_s: float) -> Ended:
        theirs_in, ours_in = os.pipe()
        ours, theirs = zip(os.pipe(), os.pipe(), os.pipe(), strict=True)  # stdout, stderr, its id and how it ended
        socket.send_fds(self._socket, [json.dumps(command).encode()], [theirs_in, *theirs])
        for end in (theirs_in, *theirs):
            os.close(end)
        with suppress(BrokenPipeError), os.fdopen(ours_in, "wb") as given:
            given.write(stdin.encode())
        out, err, how = _read(ours, timeout_s)
        process, status = map(int, how.split())
        return Ended(process, os.waitstatus_to_exitcode(status), _text(out), _text(err))


def _ends(where: int) -> tuple[int | None, int]:
    """Our end of what a process writes, if there is one, and the process'."""
    if where == subprocess.PIPE:
        return os.pipe()
    return None, os.open(os.devnull, os.O_WRONLY) if where == subprocess.DEVNULL else os.dup(where)


def _read(ends: Sequence[int], timeout_s: float) -> list[bytes]:
    """What comes through pipes until the last end of each is closed."""
    deadline = time.monotonic() + timeout_s
    read = dict.fromkeys(ends, b"")
    with selectors.DefaultSelector() as selector:
        for end in ends:
            selector.register(end, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(deadline - time.monotonic()):
                chunk = os.read(key.fd, 1 << 16)
                read[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
                    os.close(key.fd)
            if time.monotonic() > deadline:
                told = read[ends[-1]] or os.read(ends[-1], 64)  # what forks them may still be loading
                os.kill(int(told.split()[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired("bulksend", timeout_s, *(read[end] for end in ends[:2]))
    return list(read.values())


def _text(data: bytes) -> str:
    return io.TextIOWrapper(io.BytesIO(data)).read()  # as subprocess makes texts
