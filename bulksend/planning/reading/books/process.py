"""The process that reads a workbook, as the one that wants it sees it; see `child`."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from signal import SIGABRT, SIGKILL
from typing import Any

import orjson

from bulksend.planning.reading.books.book import BrokenBookError, NoLibraryError
from bulksend.planning.reading.books.messages import LENGTH, Choice
from bulksend.processes import command, environment

PATIENCE_S = 60.0
_READ = 1 << 20  # bytes
_MODULE = "bulksend.planning.reading.books.child"
_MEMORY_SIGNALS = {-SIGABRT, -SIGKILL}  # what a library does, or the kernel, where there is none left
_SAVE = "save its table as CSV and send that"
TOO_MUCH = f"reading the workbook takes more than 2 GB of memory: it is damaged or far too large; {_SAVE}"
TOO_LONG = f"the workbook is damaged: nothing more was read of it for {PATIENCE_S:.0f} seconds; {_SAVE}"
_ENDED = f"the workbook is damaged: reading it ended half-way; {_SAVE}"


class BookProcess:
    """A process that reads one workbook. Close it.

    Args:
        content: the workbook, in pieces.
        tops: how many lines of each sheet it is to show first.
        command: what is started, without the arguments that `child` takes.
        patience_s: how long it may be without progress.
    """

    def __init__(
        self,
        content: Iterable[bytes],
        tops: int,
        command: Sequence[str] = command(_MODULE),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._patience_s = patience_s
        self._got = bytearray()
        with tempfile.TemporaryFile() as copy:
            copy.writelines(content)
            copy.seek(0)
            number = copy.fileno()
            self._process = subprocess.Popen(  # noqa: S603 -- this Python, and a module of this package
                [*command, f"{number}", f"{tops}", f"{os.getpid()}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(number,),
                env=environment(),
            )

    def message(self) -> list[Any]:
        """The next message that is no mere sign of life: its kind and what belongs to it.

        Raises:
            BrokenBookError: the workbook cannot be read.
            NoLibraryError: not without python-calamine.
        """
        while True:
            size = int.from_bytes(self._take(LENGTH), "big")
            message: list[Any] = orjson.loads(self._take(size))
            if message[0] == "broken":
                raise BrokenBookError(message[1])
            if message[0] == "library":
                raise NoLibraryError
            if message[0] == "memory":
                raise BrokenBookError(TOO_MUCH)
            if message[0] != "tick":
                return message

    def choose(self, choice: Choice) -> None:
        """Say which rows are wanted."""
        pipe = self._process.stdin
        if pipe:
            try:
                pipe.write(choice.written())
                pipe.flush()
            except BrokenPipeError:
                raise self._ended() from None

    def close(self) -> None:
        """End the process, at once."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()

    def _take(self, size: int) -> bytes:
        pipe = self._process.stdout
        if pipe is None:
            raise self._ended()
        number = pipe.fileno()
        ready = select.poll()
        ready.register(number, select.POLLIN)
        ends_s = time.monotonic() + self._patience_s
        while len(self._got) < size:
            if not ready.poll(max(ends_s - time.monotonic(), 0) * 1000):
                raise BrokenBookError(TOO_LONG)
            some = os.read(number, _READ)
            if not some:
                raise self._ended()
            self._got += some
            ends_s = time.monotonic() + self._patience_s
        taken = bytes(self._got[:size])
        del self._got[:size]
        return taken

    def _ended(self) -> BrokenBookError:
        return BrokenBookError(TOO_MUCH if self._process.wait() in _MEMORY_SIGNALS else _ENDED)
