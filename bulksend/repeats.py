"""Finds the recipients that occur more than once among millions, in memory that does not grow with them."""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import compress
from operator import itemgetter
from typing import IO, NamedTuple, cast

from bulksend.model import ContactId, PhoneNumber, Recipient

_HELD_MAX = 1 << 16  # messages
_FIELDS = 3
_PARTS_BITS = 3  # a message has 7 parts at most
_END: Callable[[str], str] = itemgetter(slice(-2, None))


class Repeat(NamedTuple):
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

    Messages are parted by their recipients' last two digits, so that those of one recipient are together, and in the
    end one part at a time is looked at. The file has no name, and goes with the process.
    """

    def __init__(self) -> None:
        # Of each message three integers: who gets it (a contact's id negative), its text's hash, its row and parts.
        self._held: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._size = 0
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self._places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)

    def add(self, first: int, recipients: Sequence[Recipient | None], texts: Sequence[str], parts: list[int]) -> None:
        """Take in the next rows, from number ``first`` on; those without a recipient are none of ours."""
        size = len(recipients)
        tags: Sequence[int] = range(first << _PARTS_BITS | 1, first + size << _PARTS_BITS | 1, 1 << _PARTS_BITS)
        if parts.count(1) != size:
            tags = [row << _PARTS_BITS | count for row, count in enumerate(parts, first)]
        names, keys = cast("Sequence[str]", recipients), cast("Iterable[int]", ())
        if set(map(type, recipients)) == {str}:
            keys = map(int, names)
        else:
            known = [recipient for recipient in recipients if recipient is not None]
            names = list(map(str, known))
            keys = [int(who) if isinstance(who, str) else -who for who in known]
            there = [recipient is not None for recipient in recipients]
            texts, tags = list(compress(texts, there)), list(compress(tags, there))
        held = self._held
        for end, key, text, tag in zip(map(_END, names), keys, map(hash, texts), tags, strict=True):
            append = held[end].append  # three calls cost less than making a tuple
            append(key)
            append(text)
            append(tag)
        self._size += size
        if self._size >= _HELD_MAX:
            self._spill()

    def groups(self) -> Iterator[tuple[Recipient, list[Repeat]]]:
        """Each recipient of more than one message, and its messages in input order; can be asked once."""
        for end in sorted({*self._held, *self._places}):
            messages = self._read(end)
            who, texts, tags = (messages[field::_FIELDS] for field in range(_FIELDS))
            groups: dict[int, list[Repeat]] = {key: [] for key, count in Counter(who).items() if count > 1}
            for key, text, tag in compress(zip(who, texts, tags, strict=True), map(groups.__contains__, who)):
                groups[key].append(Repeat(tag >> _PARTS_BITS, tag & (1 << _PARTS_BITS) - 1, text))
            for key, found in groups.items():
                yield _recipient(key), found

    def close(self) -> None:
        """Give the disk's room back."""
        self._stack.close()

    def _spill(self) -> None:
        if self._file is None:
            self._file = self._stack.enter_context(tempfile.TemporaryFile(prefix="bulksend-"))  # noqa: SIM115 -- it is one
        for end, messages in self._held.items():
            self._places[end].append((self._file.tell(), len(messages)))
            messages.tofile(self._file)
        self._held.clear()
        self._size = 0

    def _read(self, end: str) -> array[int]:
        messages: array[int] = array("q")
        if self._file is not None:
            for place, count in self._places.get(end, ()):
                self._file.seek(place)
                messages.fromfile(self._file, count)
        return messages + self._held.get(end, array("q"))


def _recipient(key: int) -> Recipient:
    return ContactId(-key) if key < 0 else PhoneNumber(str(key))
