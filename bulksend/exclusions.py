"""Those to be left out: opt-out lists, in whatever column their numbers stand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from bulksend import phones
from bulksend.columns import usual_key
from bulksend.errors import InputError
from bulksend.model import ContactId, Recipient
from bulksend.readers import ReadOptions, Source

_NUMBER_DIGITS = 7  # from so many digits on, a cell may have been meant as a number
_CONTACT_KEYS = frozenset({"contactid", "contactids"})


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Who is left out.

    Attributes:
        recipients: their numbers and contact ids.
        digest: of the files they come from, hexadecimal; empty without any.
        unread: rows in which nothing could be read as a number, though something looks like one: (file, row, cell).
    """

    recipients: frozenset[Recipient] = field(default=frozenset(), repr=False)
    digest: str = ""
    unread: tuple[tuple[str, int, str], ...] = ()


def read_exclusions(paths: Sequence[Path], country: str | None) -> Exclusions:
    """Read opt-out lists: every cell that is a phone number counts, and contact ids in a column ``contactId``.

    Args:
        paths: spreadsheets of any kind that can be sent, or plain lists of numbers without a header.
        country: whose numbers those without dialing code are.

    Raises:
        InputError: a file cannot be read, or holds no number.
    """
    recipients: set[Recipient] = set()
    unread: list[tuple[str, int, str]] = []
    digests: list[str] = []
    for path in paths:
        source = Source(str(path), ReadOptions(may_lack_header=True))
        try:
            found = _read(source, country, unread)
            digests.append(source.digest())
        finally:
            source.close()
        if not found:
            raise InputError(f"{path}: there is no phone number in this list of those to leave out (--exclude)")
        recipients |= found
    digest = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest() if digests else ""
    return Exclusions(frozenset(recipients), digest, tuple(unread))


def _read(source: Source, country: str | None, unread: list[tuple[str, int, str]]) -> set[Recipient]:
    reader = source.reader()
    contacts = next((i for i, name in enumerate(reader.columns) if usual_key(name) in _CONTACT_KEYS), None)
    found: set[Recipient] = set()
    row = 0
    for rows in chain([[reader.columns]], (batch.rows for batch in reader.batches())):
        column = phones.normalise_all([cell for cells in rows for cell in cells], country)
        numbers = iter(column.numbers)
        for cells in rows:
            own = [number for _, number in zip(cells, numbers, strict=False) if number is not None]
            found.update(own)
            if row and contacts is not None and contacts < len(cells) and cells[contacts].strip():
                found.add(_contact(source.name, row, cells[contacts]))
            elif not own and (meant := next(filter(_looks_like_a_number, cells), None)):
                unread.append((source.name, row, meant))
            row += 1
    return found


def _contact(name: str, row: int, cell: str) -> ContactId:
    try:
        return phones.normalise_contact_id(cell)
    except phones.BadNumber as error:
        raise InputError(f"{name}: row {row}: {cell!r}: {error}") from error


def _looks_like_a_number(cell: str) -> bool:
    return sum(character.isdigit() for character in cell) >= _NUMBER_DIGITS
