"""The real program at a terminal of its own, and what a person sees there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyte
from conftest import PROGRAM, environment

CTRL_C = "\x03"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
# Whoever leads a session and opens a terminal has that for its own, so that Ctrl-C there is a signal to it.
_AT_TERMINAL = 'exec "$@" <>"$0"'
_PATIENCE_S = 30.0


class Terminal:
    """A program at a terminal.

    Args:
        folder: where it works.
        arguments: the program's.
        columns: how wide the terminal is.
    """

    def __init__(self, folder: Path, *arguments: str, columns: int = 80) -> None:
        self._fd, other_end = pty.openpty()
        fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self._screen = pyte.Screen(columns, 40)
        self._stream = pyte.ByteStream(self._screen)
        self._seen = b""
        self.process = subprocess.Popen(
            ["sh", "-c", _AT_TERMINAL, os.ttyname(other_end), *PROGRAM, *arguments],
            cwd=folder,
            env=_environment(),
            stdin=other_end,
            stdout=other_end,
            stderr=other_end,
            start_new_session=True,
        )
        os.close(other_end)
        self._news = threading.Condition()
        self._looking = threading.Thread(target=self._look)  # always, or the program would wait to be read
        self._looking.start()

    @property
    def lines(self) -> list[str]:
        """What stands on the screen now."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    @property
    def shown(self) -> str:
        """The same as one text, whatever was broken for the terminal's width."""
        return " ".join(" ".join(self.lines).split())

    @property
    def written(self) -> list[str]:
        """Every line that was ever written, as the program sent it."""
        text = _ESCAPES.sub("\r", self._seen.decode(errors="replace"))
        return [line for line in re.split(r"[\r\n]+", text) if line]

    def wait_for(self, *words: str) -> str:
        """Look until all of these stand on the screen together; what stands there then."""
        return self.wait_until(lambda shown: all(word in shown for word in words), f"{words}")

    def wait_until(self, holds: Callable[[str], bool], what: str = "it") -> str:
        """Look until something holds of what stands on the screen; what stands there then."""
        with self._news:
            is_seen = self._news.wait_for(lambda: holds(self.shown), _PATIENCE_S)
            assert is_seen, f"{what} is not shown:\n" + "\n".join(self.lines)
            return self.shown

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._fd, keys.encode())

    def end(self) -> int:
        """Look until the program ends; its exit code."""
        code = self.process.wait(timeout=_PATIENCE_S)
        self._looking.join(_PATIENCE_S)
        return code

    def close(self) -> None:
        """End whatever is still there."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.end()
        os.close(self._fd)

    def _look(self) -> None:
        """Take in all that is written."""
        with suppress(OSError):  # the program has closed its end
            while more := os.read(self._fd, 65_536):
                with self._news:
                    self._seen += more
                    self._stream.feed(more)
                    self._news.notify_all()


def _environment() -> dict[str, str]:
    """One that does not say how wide the terminal is: that of the tests may be another."""
    return {name: value for name, value in environment(TERM="xterm").items() if name not in {"COLUMNS", "LINES"}}


@contextmanager
def terminal(folder: Path, *arguments: str, columns: int = 80) -> Iterator[Terminal]:
    """The program at a terminal that ends with the test."""
    opened = Terminal(folder, *arguments, columns=columns)
    try:
        yield opened
    finally:
        opened.close()
