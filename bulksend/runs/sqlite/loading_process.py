"""The process that writes a large plan's rows, as the one that plans sees it; see `loading_child`."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from bulksend.processes import command, environment
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.inserting import Squeezed
from bulksend.runs.sqlite.loading_messages import KEPT, NO_MORE, end_in, write

_MODULE = "bulksend.runs.sqlite.loading_child"


class LoadingProcess:
    """A process that adds rows to a draft. Finish or kill it; nobody else writes into the draft or reads it meanwhile.

    Args:
        draft: where the plan is written.
        lock: its lock, which the process holds too: were the one that plans killed, nobody would begin a plan of this
            name while rows of the one before may still be written.

    Attributes:
        pid: its id.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, draft: Path, lock: FileLock) -> None:
        number = lock.fileno()
        self._process = subprocess.Popen(  # noqa: S603 -- this Python, and a module of this package
            [*command(_MODULE), f"{draft.resolve()}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(number,),
            start_new_session=True,  # Ctrl-C at the terminal is for the one that plans
            env=environment(),
        )
        self.pid = self._process.pid
        self._rows = cast("BinaryIO", self._process.stdin)
        self._says = cast("BinaryIO", self._process.stdout)

    def add(self, columns: Squeezed) -> None:
        """Have rows added; waits while those before fill the pipe.

        Raises:
            sqlite3.Error: these, or some before, cannot be written.
            ChildProcessError: the process was killed.
        """
        try:
            write(self._rows, columns)
        except BrokenPipeError:
            raise self._trouble(*self._end()) from None

    def finish(self) -> None:
        """See that all rows are in; the draft is the caller's again.

        Raises:
            sqlite3.Error: some cannot be written.
            ChildProcessError: the process was killed.
        """
        try:
            self.add(NO_MORE)
            self._rows.close()
            end = self._end()  # as long as SQLite takes; if the process dies, that is its end, too
            if end[0] != KEPT:
                raise self._trouble(*end)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once; what it has written is no whole plan."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._rows, self._says):
            with suppress(BrokenPipeError):
                pipe.close()

    def _end(self) -> tuple[str, str]:
        """How it says that it ended: its exit code is not heard of where SIGCHLD is ignored, or may be another's."""
        return end_in(self._says.read())

    def _trouble(self, kind: str, why: str) -> Exception:
        """Why it has ended."""
        if kind:
            error: sqlite3.Error = getattr(sqlite3, kind)(why)
            return error
        code = self._process.wait()
        by = f"was killed (signal {-code})" if code < 0 else f"ended half-way ({code})"
        return ChildProcessError(f"the process that writes it {by}")
