"""Input and output streams that may be closed from the start, or whose reader may go before the program does."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def open_closed() -> None:
    """Open what the program was started without, as by `2>&-`, on nothing.

    Else a run file would get the number of a closed stream, and what others write to that would go into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest free number, which is this
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


def talk_on() -> None:
    """Let stderr lose what cannot be written: no send ends because its log's disk is full or its terminal is gone."""
    talk = sys.stderr
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Losing(talk.fileno(), "w", closefd=False)),
        encoding=talk.encoding,
        errors=talk.errors,
        line_buffering=True,
    )


def silence(stream: TextIO) -> None:
    """Let a stream whose reader has gone swallow what is still written to it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class _Losing(io.FileIO):
    """A file that takes what it cannot write as written; a pipe whose reader has gone is told all the same."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError:
            return memoryview(data).nbytes
