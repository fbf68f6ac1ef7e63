"""What the two ends of loading tell each other: rows to be loaded, that there are no more, and what became of them."""

from __future__ import annotations

import marshal
from typing import BinaryIO

from bulksend.runs.sqlite.inserting import Squeezed

_LENGTH = 4  # bytes
_WITHOUT_REFERENCES = 2  # marshal's version: newer ones look for objects that are there twice
NO_MORE: Squeezed = []
"""All rows are there, and are to be kept; what ends without it is to be thrown away."""
KEPT = "kept"
"""All rows are in the draft."""
_SEPARATOR = "\0"  # which no error has, nor what else may be printed where Python starts


def write(pipe: BinaryIO, columns: Squeezed) -> None:
    """Send rows, or `NO_MORE`; what is built into Python is packed twice as fast by marshal as by anything else."""
    packed = marshal.dumps(columns, _WITHOUT_REFERENCES)
    pipe.write(len(packed).to_bytes(_LENGTH, "big") + packed)
    pipe.flush()


def read(pipe: BinaryIO) -> Squeezed | None:
    """The next rows, or `NO_MORE`; None if whoever sends them is gone."""
    size = int.from_bytes(pipe.read(_LENGTH), "big")
    packed = pipe.read(size)
    if not size or len(packed) < size:
        return None
    columns: Squeezed = marshal.loads(packed)  # noqa: S302 -- of this very program, by a pipe that it made
    return columns


def tell_end(pipe: BinaryIO, kind: str, why: str = "") -> None:
    """Say how it ended: `KEPT`, or the name of SQLite's error, and what that says."""
    pipe.write(_SEPARATOR.join(("", kind, why)).encode())


def end_in(says: bytes) -> tuple[str, str]:
    """How it ended; two empty texts if that was not said."""
    _, kind, why = ["", "", "", *says.decode(errors="replace").split(_SEPARATOR)][-3:]
    return kind, why
