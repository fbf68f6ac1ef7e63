"""A file or standard input as bytes, with their digest; gzip unpacked on the way."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

from bulksend.errors import Advice, InputError
from bulksend.planning.reading.raw import STDIN, shown

_BUFFER = 1 << 16  # bytes
_GZIP = b"\x1f\x8b"


class HashedFile(io.BufferedIOBase):
    """Passes an input's bytes on and takes the digest of all.

    Args:
        name: a file's name, or "-" for standard input.

    Attributes:
        is_gzip: whether it begins as a gzip file does.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._file = _open(name)
        self._version = self._version_now()
        self._hash = hashlib.sha256()
        try:
            self._ahead = self._read(len(_GZIP), self._file.read)
        except InputError:
            self.close_file()
            raise
        self.is_gzip = self._ahead == _GZIP

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        return _read_all(self.read1, size)

    def read1(self, size: int = -1) -> bytes:
        """Some more bytes, at most so many."""
        chunk, self._ahead = self._ahead[:size], self._ahead[size:]
        return chunk or self._read(size, self._file.read1)

    def digest(self) -> str:
        """Read what is left; SHA-256 of all bytes, hexadecimal.

        Raises:
            InputError: the file cannot be read to its end, or was changed or replaced since it was opened.
        """
        while self._read(_BUFFER, self._file.read1):
            pass
        version = self._version_now()
        if version is not None and (version != self._version or self._is_replaced()):
            raise InputError(f"{shown(self._name)}: the file changed while it was read", Advice.RUN_AGAIN)
        return self._hash.hexdigest()

    def close_file(self) -> None:
        """Close the file; standard input stays open."""
        if self._name != STDIN:
            self._file.close()

    def _read(self, size: int, read: Callable[[int], bytes]) -> bytes:
        try:
            chunk = read(size)
        except OSError as error:
            raise InputError(f"{shown(self._name)}: cannot be read: {error.strerror}") from error
        self._hash.update(chunk)
        return chunk

    def _version_now(self) -> tuple[int, int] | None:
        """What changes with a file's content; None for standard input and pipes, which have no content to compare."""
        if self._name == STDIN:
            return None
        status = os.fstat(self._file.fileno())
        return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None

    def _is_replaced(self) -> bool:
        """Whether another file has its name by now: many programs save so."""
        try:
            return not os.path.samestat(Path(self._name).stat(), os.fstat(self._file.fileno()))
        except OSError:
            return True


class Unpacked(io.BufferedIOBase):
    """A gzip file's content.

    Args:
        name: the input's name, for errors.
        packed: the gzip file.
    """

    def __init__(self, name: str, packed: HashedFile) -> None:
        self._name = name
        self._file = gzip.GzipFile(fileobj=packed)

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        return _read_all(self.read1, size)

    def read1(self, size: int = -1) -> bytes:
        """Some more bytes.

        Raises:
            InputError: the file is broken.
        """
        try:
            return self._file.read1(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                f"{shown(self._name)}: the gzip file is broken or cut short; download or pack it again"
            ) from error


def _read_all(read1: Callable[[int], bytes], size: int | None) -> bytes:
    parts = []
    left = sys.maxsize if size is None or size < 0 else size
    while left and (part := read1(min(left, _BUFFER))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _open(name: str) -> io.BufferedReader:
    if name == STDIN:
        if sys.stdin is None:  # it was closed by whoever started us
            raise InputError("standard input: there is none")
        os.set_blocking(sys.stdin.fileno(), True)  # whoever started us may have left it otherwise
        return cast("io.BufferedReader", sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except FileNotFoundError:
        raise InputError(f"{shown(name)}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{shown(name)}: this is a folder, not a file") from None
    except OSError as error:
        raise InputError(f"{shown(name)}: cannot be read: {error.strerror}") from error
