"""What the two processes tell each other: lists in JSON, each with its length before it, and one choice back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

import orjson

LENGTH = 4  # bytes, of the number before each message


class Choice(NamedTuple):
    """Which rows are wanted.

    Attributes:
        sheet: its place, from 0.
        line: the header's, from 1.
        is_whole: whether all columns are wanted, not only those from the header's first name to its last.
        recipients: the header's columns that name a recipient.
    """

    sheet: int
    line: int
    is_whole: bool
    recipients: Sequence[int]

    def written(self) -> bytes:
        """As one line."""
        return orjson.dumps(tuple(self)) + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Choice:
        """The one that was written."""
        return cls(*orjson.loads(line))


def write(out: BinaryIO, message: Sequence[object]) -> None:
    """Send a message; returns once it has left."""
    content = orjson.dumps(message)
    out.write(len(content).to_bytes(LENGTH, "big") + content)
    out.flush()
