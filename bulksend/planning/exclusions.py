"""Those to be left out: opt-out lists, in whatever column their numbers stand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bulksend.errors import InputError, Remark
from bulksend.model import Recipient
from bulksend.planning.columns import USUAL_NAMES, usual_key
from bulksend.planning.reading import ReadOptions, Source, shown
from bulksend.sms import phones
from bulksend.words import printable

_NUMBER_DIGITS = 7  # from so many digits on, a cell may have been meant as a number
_DATE = re.compile(r"\s*[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}\b")
_CONTACT_KEYS = frozenset({"contactid", "contactids"})
_NUMBER_KEYS = USUAL_NAMES | {"to"}


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Who is left out.

    Attributes:
        recipients: their numbers and contact ids.
        digest: of the files they come from, hexadecimal; empty without any.
        notes: how these were understood, where that was found out.
    """

    recipients: frozenset[Recipient] = field(default=frozenset(), repr=False)
    digest: str = ""
    notes: tuple[Remark, ...] = ()


def read_exclusions(paths: Sequence[Path], country: str | None) -> Exclusions:
    """Read opt-out lists: all numbers in the columns that have a usual name for them, else in every column.

    Args:
        paths: spreadsheets of any kind that can be sent, or plain lists of numbers without a header. Contact ids are
            read from a column ``contactId``.
        country: whose numbers those without dialing code are.

    Raises:
        InputError: a file cannot be read, holds no number, or has a cell that should be one and is none: whoever that
            is must not get a message.
    """
    recipients: set[Recipient] = set()
    digests: list[str] = []
    notes: list[Remark] = []
    for path in paths:
        source = Source(str(path), ReadOptions(may_lack_header=True))
        try:
            found = _List(source, country).read()
            digests.append(source.digest())
            notes += [replace(note, says=f"{path}: {note.says}") for note in source.notes]
        finally:
            source.close()
        if not found:
            raise InputError(f"{path}: there is no phone number in this list of those to leave out")
        recipients |= found
    digest = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest() if digests else ""
    return Exclusions(frozenset(recipients), digest, tuple(notes))


class _List:
    """One file of those to leave out."""

    def __init__(self, source: Source, country: str | None) -> None:
        self._name = shown(source.name)
        self._reader = source.reader()
        self._country = country
        self._found: set[Recipient] = set()
        self._row = 0  # the header, or the first row of a list without one

    def read(self) -> set[Recipient]:
        """All that stand in it."""
        if self._reader.columns and not self._columns_of(_NUMBER_KEYS):
            self._add([self._reader.columns], {})  # which may be a row
        for batch in self._reader.batches():
            self._row += 1
            self._add(batch.rows, batch.flaws)
            self._row += len(batch.rows) - 1
        return self._found

    def _columns_of(self, keys: Collection[str]) -> list[int]:
        return [place for place, name in enumerate(self._reader.columns) if usual_key(name) in keys]

    def _add(self, rows: Sequence[Sequence[str]], flaws: Mapping[int, str]) -> None:
        for place, says in flaws.items():
            raise InputError(f"{self._name}: row {self._row + place} of those to leave out: {says}")
        contacts, numbers = self._columns_of(_CONTACT_KEYS), self._columns_of(_NUMBER_KEYS)
        for place in contacts if self._row else ():
            self._add_contacts([row[place] for row in rows])
        for place in numbers or range(max(map(len, rows), default=0)):
            if place not in contacts:
                self._add_numbers([row[place] if place < len(row) else "" for row in rows], all_are=bool(numbers))

    def _add_numbers(self, cells: Sequence[str], *, all_are: bool) -> None:
        column = phones.normalise_all(cells, self._country)
        self._found |= {number for number in column.numbers if number is not None}
        for place, reason in column.reasons.items():
            cell = cells[place].strip()
            if cell and (all_are or _looks_like_a_number(cell)):
                raise self._refused(place, cell, reason, named=all_are)

    def _add_contacts(self, cells: Sequence[str]) -> None:
        for place, cell in enumerate(cells):
            if cell.strip():
                try:
                    self._found.add(phones.normalise_contact_id(cell))
                except phones.BadNumber as error:
                    raise self._refused(place, cell, error.why, named=True) from error

    def _refused(self, place: int, cell: str, why: Remark, *, named: bool) -> InputError:
        says = f"{self._name}: row {self._row + place}: {printable(cell, 60)!r} cannot be left out: {why.says}"
        hint = "" if named else "; no column is named 'to', so that all are looked at"
        return InputError(says + hint, why.advice)


def _looks_like_a_number(cell: str) -> bool:
    return sum(map(str.isdigit, cell)) >= _NUMBER_DIGITS and not _DATE.match(cell)
