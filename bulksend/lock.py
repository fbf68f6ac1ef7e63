"""One process owns a run file: an advisory lock that the kernel drops when its owner dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bulksend.errors import OwnedError, RunFileError


class FileLock:
    """An exclusive `flock` on a file, which is created with mode 0600 if need be.

    The lock belongs to the file, not to its name: it follows a rename.
    """

    __slots__ = ("_fd", "path")

    def __init__(self, path: Path) -> None:
        """Take the lock at once.

        Raises:
            OwnedError: another process holds it.
            RunFileError: the file cannot be opened.
        """
        self.path = path
        while True:
            try:
                self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise RunFileError(f"{path}: cannot be opened for writing: {error.strerror}") from error
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(self._fd)
                raise OwnedError(f"{path}: another bulksend process is at work on it") from error
            if self._is_named(path):
                return
            os.close(self._fd)  # its last owner renamed or removed the file between our open and our lock
            time.sleep(0.01)

    def release(self) -> None:
        """Give the lock up; only after every SQLite connection to the file is closed.

        Closing any descriptor of a file drops the POSIX locks by which SQLite protects it.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def sync(self) -> None:
        """Bring the file's content to the disk."""
        os.fsync(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _is_named(self, path: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), path.stat())
        except FileNotFoundError:
            return False
