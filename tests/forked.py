"""A program that has been started as far as its command line, and becomes another process for each command it hears of.

It is started by `forks.py` with the numbers of two sockets. It hears of commands by the first, and ends when that is
closed; by the second it listens for `launcher.py`, which brings one.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from typing import Any

import bulksend
from bulksend.cli import main

_LOADED_WHEN_NEEDED = ("aiohttp", "phonenumbers", "rich.progress", "rich.table", "runfiles", "sqlite3", "uvloop")
_COMMAND_MAX = 1 << 20  # bytes


def _load() -> None:
    """Load what commands load."""
    for module in pkgutil.walk_packages(bulksend.__path__, "bulksend."):
        if module.name != "bulksend.__main__":
            importlib.import_module(module.name)
    for name in _LOADED_WHEN_NEEDED:
        importlib.import_module(name)


def _fork_for_each(commands: socket.socket, launches: socket.socket) -> str | None:
    """Return in each fork, as a process of its own, with the code that is to run in place of the program, if any.

    It ends where no more commands can come.
    """
    under_way: dict[int, int] = {}  # the end of a pipe, by process

    def tell_ends(*_: object) -> None:
        while under_way:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            if (told := under_way.pop(process, None)) is not None:
                os.write(told, f"{status}".encode())
                os.close(told)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the forks
    signal.signal(signal.SIGCHLD, tell_ends)
    while True:
        said, ends = _heard(commands, launches)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # until its end can be told
        process = os.fork()
        if not process:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            for end in (*under_way.values(), commands.fileno(), launches.fileno()):
                os.close(end)
            return _become(json.loads(said), ends)
        *streams, told = ends
        os.write(told, f"{process} ".encode())
        under_way[process] = told
        for stream in streams:
            os.close(stream)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _heard(commands: socket.socket, launches: socket.socket) -> tuple[bytes, list[int]]:
    """The next command, with its streams and the end of a pipe."""
    ready, _, _ = select.select((commands, launches), (), ())
    if commands in ready:
        said, ends, _, _ = socket.recv_fds(commands, _COMMAND_MAX, 4)
        if not said:
            sys.exit()
        return said, ends
    with launches.accept()[0] as launch:
        said, ends, _, _ = socket.recv_fds(launch, _COMMAND_MAX, 4)
        return said, ends


def _become(command: dict[str, Any], ends: list[int]) -> str | None:
    """Take on a command's words, folder, environment and streams; its code."""
    *streams, told = ends
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.close(told)
    if sys.stdout.isatty():
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # as at its start
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["env"])
    time.tzset()
    sys.argv[1:] = command["arguments"]
    code: str | None = command["code"]
    return code


def _carry_out(code: str | None) -> None:
    """Be the program, or some code in its place."""
    try:
        if code is None:
            main()
        exec(code or "", {"__name__": "__main__"})  # noqa: S102 -- a test's own
        _codes.append(0)
    except SystemExit as ends:
        if isinstance(ends.code, int):
            _codes.append(ends.code)
        raise


def _end_at_once() -> None:
    """End, last of all that is done at an exit: to take apart what was loaded takes longer than most commands."""
    if _codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_codes[-1])


_codes: list[int] = []
"""How it ends, if by its own code."""


if __name__ == "__main__":
    atexit.register(_end_at_once)
    _load()
    gc.freeze()
    _carry_out(_fork_for_each(*(socket.socket(fileno=int(number)) for number in sys.argv[1:])))
