"""One process owns a run file: an advisory lock that the kernel drops when its owner dies, however it dies."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from bulksend.errors import OwnedError, RunFileError

_HELD: dict[tuple[int, int], FileLock] = {}
"""The files that this process holds, by device and inode; whichever of its threads does."""
_TAKING = threading.Lock()
_MOUNTS = Path("/proc/self/mounts")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afs|ncpfs|9p|ceph|lustre|gpfs|glusterfs|davfs\d?|fuse\.(?!portal|snapfuse).*"
)


class FileLock:
    """An exclusive `flock` on a file, which is created with mode 0600 if need be.

    The lock belongs to the file, not to its name: it follows a rename. A file that this process holds is not opened
    anew by its other threads: closing any descriptor of it would drop the POSIX locks by which SQLite protects it.
    """

    __slots__ = ("_fd", "_identity", "path")

    def __init__(self, path: Path) -> None:
        """Take the lock at once.

        Raises:
            OwnedError: another process holds it.
            RunFileError: the file cannot be opened.
        """
        self.path = path
        with _TAKING:
            self._take(path)

    def _take(self, path: Path) -> None:
        while True:
            if _holder(path) is not None:
                raise OwnedError(f"{path}: another bulksend process is at work on it")
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
                self._identity = _identity(os.fstat(self._fd))
                _HELD[self._identity] = self
                return
            os.close(self._fd)  # its last owner renamed or removed the file between our open and our lock
            time.sleep(0.01)

    def release(self) -> None:
        """Give the lock up; only after every SQLite connection to the file is closed."""
        if self._fd >= 0:
            del _HELD[self._identity]
            os.close(self._fd)
            self._fd = -1

    def fileno(self) -> int:
        """The descriptor that holds the lock: a process that inherits it holds it too, until both are gone."""
        return self._fd

    def head(self, size: int) -> bytes:
        """The file's first bytes."""
        return os.pread(self._fd, size, 0)

    def write(self, content: bytes) -> None:
        """Replace the file's content: who holds the lock."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, content, 0)

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


def head_of(path: Path, size: int) -> bytes:
    """A file's first bytes; of one that this process holds they are read without opening it anew, see `FileLock`.

    Raises:
        OSError: it cannot be read.
    """
    holder = _holder(path)
    if holder is not None:
        return holder.head(size)
    with path.open("rb") as file:
        return file.read(size)


def _holder(path: Path) -> FileLock | None:
    try:
        return _HELD.get(_identity(path.stat()))
    except OSError:
        return None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class NameLock:
    """A name that one process of this machine holds, and that nobody can remove as he can a file.

    It is an abstract socket of Linux: the kernel drops it when its owner dies. It holds within one network namespace,
    so not across containers, and not at all on other systems: it stands beside a `FileLock`, never in its place.
    """

    __slots__ = ("_socket",)

    def __init__(self, name: str) -> None:
        """Take the name at once.

        Raises:
            OwnedError: another process holds it.
        """
        self._socket: socket.socket | None = None
        if sys.platform != "linux":
            return
        held = socket.socket(socket.AF_UNIX)
        try:
            held.bind(b"\0bulksend-" + sha256(os.fsencode(f"{os.getuid()} {name}")).hexdigest().encode())
        except OSError as error:
            held.close()
            if error.errno == errno.EADDRINUSE:
                raise OwnedError(f"{name}: another bulksend process is at work on it") from error
        else:
            self._socket = held

    def release(self) -> None:
        """Give the name up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def network_kind(path: Path, mounts: str | None = None) -> str | None:
    """The kind of network file system that a file lies on, such as ``nfs4``; None if it is on none, or nobody knows.

    There locks may hold on one machine only, and SQLite's write-ahead log cannot be shared.

    Args:
        path: the file, or where it will be.
        mounts: the mount table in the form of /proc/mounts; by default this machine's, if it has one.
    """
    if mounts is None:
        if not _MOUNTS.exists():
            return None  # not Linux
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    resolved = path.resolve()
    found: tuple[int, str] = (0, "")
    for line in mounts.splitlines():
        _, mount_point, kind, *_ = line.split(" ")
        mount = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mount_point))
        if resolved.is_relative_to(mount):
            found = max(found, (len(mount.parts), kind))
    return found[1] if _NETWORK.fullmatch(found[1]) else None


def is_alive(pid: int) -> bool:
    """Whether a process of this machine is running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
