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
    """Let stderr lose what cannot be written: no send ends because its log's disk is full or its terminal is gone.

    stdout loses all but the first, which is an error, see `is_lost`.
    """
    sys.stderr = _over(_Losing(sys.stderr.fileno(), "w", closefd=False), sys.stderr, by_lines=True)
    sys.stdout = _over(_Output(sys.stdout.fileno(), "w", closefd=False), sys.stdout, by_lines=sys.stdout.isatty())


def is_lost(stream: TextIO) -> bool:
    """Whether something could not be written to stdout, as on a full disk."""
    raw = getattr(stream.buffer, "raw", None) if isinstance(stream, io.TextIOWrapper) else None
    return isinstance(raw, _Output) and raw.is_lost


def silence(stream: TextIO) -> None:
    """Let a stream whose reader has gone swallow what is still written to it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _over(raw: io.FileIO, before: TextIO, *, by_lines: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=before.encoding, errors=before.errors, line_buffering=by_lines
    )


class _Losing(io.FileIO):
    """A file that takes what it cannot write as written; a pipe whose reader has gone is told all the same."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError:
            return memoryview(data).nbytes


class _Output(_Losing):
    """The same, but for the first time, which is told."""

    is_lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        if self.is_lost:
            return super().write(data)
        try:
            return io.FileIO.write(self, data)
        except BrokenPipeError:
            raise
        except OSError:
            self.is_lost = True
            raise
