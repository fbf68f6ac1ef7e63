"""Finds the recipients that occur more than once among millions, in memory that does not grow with them."""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import compress
from struct import Struct
from typing import IO, NamedTuple, cast

from bulksend.errors import UsageError
from bulksend.model import ContactId, PhoneNumber, Recipient

_HELD_MAX = 1 << 16  # messages
_SHARES = 256
_FIELDS = 3
_PACK = Struct(f"={_FIELDS}q").pack
_PARTS_BITS = 3  # a message has 7 parts at most


class RepeatedMessage(NamedTuple):
    """One of the messages to a recipient that gets several.

    Attributes:
        row: its number.
        parts: its SMS parts.
        text: a 64-bit hash that tells its text from others.
    """

    row: int
    parts: int
    text: int


class Repeats:
    """Remembers the recipient of every message, on the disk if they are many.

    Messages are dealt into shares by their recipients, so that those of one recipient are together, and in the end one
    share at a time is looked at. The file has no name, and goes with the process.
    """

    def __init__(self) -> None:
        # Of each message three integers: who gets it (a contact's id negative), its text's hash, its row and parts.
        self._shares: list[array[int]] = [array("q") for _ in range(_SHARES)]
        self._held = 0
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self._spills: list[array[int]] = []  # of each where every share begins, and the last one's end

    def add(self, first: int, recipients: Sequence[Recipient | None], texts: Sequence[str], parts: list[int]) -> None:
        """Take in the next rows, from number ``first`` on; those without a recipient are none of ours."""
        size = len(recipients)
        tags: Sequence[int] = range(first << _PARTS_BITS | 1, first + size << _PARTS_BITS | 1, 1 << _PARTS_BITS)
        if parts.count(1) != size:
            tags = [row << _PARTS_BITS | count for row, count in enumerate(parts, first)]
        keys: list[int]
        if set(map(type, recipients)) == {str}:
            keys = list(map(int, cast("Sequence[str]", recipients)))
        else:
            keys = [int(who) if isinstance(who, str) else -who for who in recipients if who is not None]
            there = [who is not None for who in recipients]
            texts, tags = list(compress(texts, there)), list(compress(tags, there))
        shares = [self._shares[key % _SHARES] for key in keys]
        entries = map(_PACK, keys, map(hash, texts), tags)
        deque(map(array.frombytes, shares, entries), maxlen=0)  # the shortest loop over one call each
        self._held += size
        if self._held >= _HELD_MAX:
            self._spill()

    def groups(self) -> Iterator[tuple[Recipient, list[RepeatedMessage]]]:
        """Each recipient of more than one message, and its messages in input order; can be asked once."""
        for number in range(_SHARES):
            messages = self._read(number)
            who = messages[::_FIELDS]
            if len(set(who)) == len(who):  # as a rule, and sooner seen than counted
                continue
            texts, tags = messages[1::_FIELDS], messages[2::_FIELDS]
            groups: dict[int, list[RepeatedMessage]] = {key: [] for key, count in Counter(who).items() if count > 1}
            for key, text, tag in compress(zip(who, texts, tags, strict=True), map(groups.__contains__, who)):
                groups[key].append(RepeatedMessage(tag >> _PARTS_BITS, tag & (1 << _PARTS_BITS) - 1, text))
            for key, found in groups.items():
                yield _recipient(key), found

    def close(self) -> None:
        """Give the disk's room back."""
        self._stack.close()

    def _spill(self) -> None:
        try:
            self._write()
        except OSError as error:
            folder = tempfile.gettempdir()
            raise UsageError(f"{folder}: no temporary file can be written there: {error.strerror}") from error

    def _write(self) -> None:
        if self._file is None:
            self._file = self._stack.enter_context(tempfile.TemporaryFile(prefix="bulksend-"))  # noqa: SIM115 -- it is one
        begins = array("q", [self._file.tell()])
        for share in self._shares:
            share.tofile(self._file)
            begins.append(self._file.tell())
            del share[:]
        self._spills.append(begins)
        self._held = 0

    def _read(self, number: int) -> array[int]:
        """All messages of a share, in input order."""
        messages: array[int] = array("q")
        if self._file is not None:
            for begins in self._spills:
                self._file.seek(begins[number])
                messages.frombytes(self._file.read(begins[number + 1] - begins[number]))
        return messages + self._shares[number]


def _recipient(key: int) -> Recipient:
    return ContactId(-key) if key < 0 else PhoneNumber(str(key))
