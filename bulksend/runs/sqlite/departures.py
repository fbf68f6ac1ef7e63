"""How far a run's intents have left: one number in memory that outlives the process, though not the machine's.

Intents are committed ahead of their POSTs. After a kill it makes a difference to know which of them had not begun:
they are in no doubt. To commit each beginning would cost a disk write per message. A page of a mapped file costs
nothing, and the kernel keeps it when the process dies; if the machine dies as well, the boot's id tells, and nothing
is known.

The mark is bound to one owner's time by a random token that stands in the run file, and to the very file that it is, so
neither another command nor a copied or restored mark is believed.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress
from pathlib import Path

from bulksend.runs.clock import boot_id

_TOKEN = 32  # bytes; hexadecimal digits
_PLACE = 88  # of the number, on a boundary of its size
_SIZE = 96


class Departures:
    """The mark of one owner, while it sends.

    Args:
        path: where it lies; replaced.
        token: the owner's time.
    """

    __slots__ = ("_issued", "_map", "_numbers", "_path")

    def __init__(self, path: Path, token: str) -> None:
        self._path = path
        self._issued = 0
        self._map: mmap.mmap | None = None
        self._numbers: memoryview[int] | None = None
        boot = boot_id()
        if boot is None:
            return  # not Linux: after a kill every intent is taken for one that left
        with suppress(OSError):  # it is only good to have
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(fd, _head(token, boot, os.fstat(fd)).ljust(_SIZE, b"\0"))
                self._map = mmap.mmap(fd, _SIZE)
            finally:
                os.close(fd)
            self._numbers = memoryview(self._map).cast("Q")

    def issue(self, count: int) -> int:
        """The first of so many tickets, for intents in the order in which they will leave."""
        first = self._issued + 1
        self._issued += count
        return first

    @property
    def reached(self) -> int | None:
        """The last ticket that may have left; None if that is not known here."""
        return None if self._numbers is None else self._numbers[_PLACE // 8]

    def reach(self, ticket: int) -> None:
        """The attempt with this ticket is about to leave, and so may have all before it."""
        numbers = self._numbers
        if numbers is not None and numbers[_PLACE // 8] < ticket:
            numbers[_PLACE // 8] = ticket

    def close(self, *, remove: bool) -> None:
        """Let go of the mark, and remove it if nothing is in flight any more."""
        if self._numbers is not None:
            self._numbers.release()
            self._numbers = None
        if self._map is not None:
            self._map.close()
            self._map = None
        if remove:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def left_to(path: Path, token: str) -> int | None:
    """The last ticket of an owner's time that may have left; None if nobody knows."""
    boot = boot_id()
    try:
        with path.open("rb") as file:
            content, itself = file.read(_SIZE + 1), os.fstat(file.fileno())
    except OSError:
        return None
    if boot is None or len(content) != _SIZE or not content.startswith(_head(token, boot, itself)):
        return None
    return int(struct.unpack_from("=Q", content, _PLACE)[0])


def _head(token: str, boot: str, itself: os.stat_result) -> bytes:
    return token.encode()[:_TOKEN] + boot.encode() + struct.pack("=QQ", itself.st_dev, itself.st_ino)
