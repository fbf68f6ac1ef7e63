"""One list of those to be left out. What it says and cannot be read never counts as nothing.

Whether a cell was meant as a number is decided by its column: a numbers' column is one with such a name, or one that
holds numbers for the most part, and there every cell must be one. Elsewhere numbers count too, and what resembles one
is refused, or told where the list has a column that is named for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bulksend.errors import InputError
from bulksend.model import Recipient
from bulksend.planning.exclusion_columns import IS_FOREIGN, ListedColumn, Unread
from bulksend.planning.lines import Lines
from bulksend.planning.looks import listed
from bulksend.planning.reading import Reader, shown
from bulksend.planning.remarks import Noted
from bulksend.sms import phones
from bulksend.words import many, printable

_LONGEST = 60  # characters of a cell


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list comes to.

    Attributes:
        recipients: who stands in it.
        notes: where they were found.
        warnings: what stands in it and leaves nobody out.
    """

    recipients: set[Recipient]
    notes: list[str]
    warnings: list[str]


class ExclusionList:
    """Reads one.

    Args:
        name: the file's name, for errors.
        reader: its rows; the header may be one.
        country: whose numbers those without "+" or "00" are.
        new_prefixes: whether numbers count whose prefix no numbering plan here knows.
    """

    def __init__(self, name: str, reader: Reader, country: str | None, *, new_prefixes: bool) -> None:
        self._name = shown(name)
        self._reader = reader
        self._country = country
        self._new_prefixes = new_prefixes
        self._columns: list[ListedColumn] = []
        self._contacts: set[Recipient] = set()
        self._lines = Lines()
        self._without = Noted(self._lines)
        self._rows = 0  # read so far, beside the header

    def read(self) -> Listed:
        """Read all of it.

        Raises:
            InputError: somebody who stands in it would be missed.
        """
        header = self._reader.columns
        self._bind()
        if not any(column.is_named for column in self._columns):
            self._add_numbers([header], first=0)  # which may be a row
        for batch in self._reader.batches():
            self._bind()
            if batch.looks:
                self._lines.add(self._rows + 1, batch.looks.lines, is_book=batch.looks.is_book)
            self._add(listed(batch), batch.flaws)
        strict = self._strict()
        self._refuse_unread(strict)
        found: set[Recipient] = set().union(self._contacts, *(column.numbers for column in self._columns))
        if not found and self._rows:
            raise InputError(f"{self._name}: there is no phone number in this list of those to leave out")
        return Listed(found, [*self._notes()], [*self._warnings(strict)])

    def _bind(self) -> None:
        for place in range(len(self._columns), len(self._reader.columns)):
            column = ListedColumn(
                self._reader.columns[place], place + 1, self._country, new_prefixes=self._new_prefixes
            )
            self._columns.append(column)

    def _add(self, rows: Sequence[Sequence[str]], flaws: Mapping[int, str]) -> None:
        first = self._rows + 1
        for place, says in flaws.items():
            raise InputError(f"{self._name}: {self._named(first + place)} of those to leave out: {says}")
        having = self._add_numbers(rows, first)
        for column in self._columns:
            if column.holds_contacts:
                having |= self._add_contacts(column, rows, first)
        for place, row in enumerate(rows):
            if place not in having and any(map(str.strip, row)):
                self._without.note(first + place)
        self._rows += len(rows)

    def _add_numbers(self, rows: Sequence[Sequence[str]], first: int) -> set[int]:
        """Read all numbers; the places of rows that have one."""
        having: set[int] = set()
        for place, column in enumerate(self._columns):
            if not column.holds_contacts:
                having |= column.add([row[place] if place < len(row) else "" for row in rows], first)
        return having

    def _add_contacts(self, column: ListedColumn, rows: Sequence[Sequence[str]], first: int) -> set[int]:
        having = set()
        for place, row in enumerate(rows):
            cell = row[column.place - 1]
            if cell.strip():
                try:
                    self._contacts.add(phones.normalise_contact_id(cell))
                except phones.BadNumber as error:
                    raise self._refused(column, Unread(first + place, cell, error.why), "") from error
                having.add(place)
        return having

    def _strict(self) -> list[ListedColumn]:
        """The columns in which every cell must be a number."""
        strict = [column for column in self._columns if column.must_be_read]
        fullest = max(self._columns, key=lambda column: len(column.numbers), default=None)
        return strict or [column for column in [fullest] if column and column.numbers]

    def _refuse_unread(self, strict: Sequence[ListedColumn]) -> None:
        is_named = any(column.is_named for column in self._columns)
        refused = [(column.unread, column) for column in strict if column.unread]
        if not is_named:
            others = (column for column in self._columns if column not in strict and not column.is_for_other_things)
            refused += [(column.damaged, column) for column in others if column.damaged]
        if refused:
            unread, column = min(refused, key=lambda each: each[0].row)
            hint = "" if is_named else "; no column is named 'to', so that all are looked at"
            raise self._refused(column, unread, hint)

    def _refused(self, column: ListedColumn, unread: Unread, hint: str) -> InputError:
        row = self._named(unread.row) if unread.row else "first line"
        cell = f"{printable(unread.cell, _LONGEST)!r}"
        says = f"{cell} cannot be left out: {unread.why.says} ({column.name}){hint}"
        error = InputError(f"{self._name}: {row}: {says}", unread.why.advice)
        error.quotes = (cell,)
        return error

    def _named(self, row: int) -> str:
        return f"row {row}{self._lines.beside(row)}"

    def _notes(self) -> list[str]:
        """Where the numbers were found, unless that is plain."""
        holding = [column for column in self._columns if column.numbers]
        if not self._rows and not holding:
            return ["this list of those to leave out is empty"]
        if [column.is_usual for column in holding] in ([], [True]):
            return []
        numbers = len(set().union(*(column.numbers for column in holding)))
        where = ", ".join(f"{column.name} ({len(column.numbers):,})" for column in holding)
        return [f"{many(numbers, 'number')} to leave out: {where}"]

    def _warnings(self, strict: Sequence[ListedColumn]) -> list[str]:
        warnings = []
        for column in self._columns:
            if column.damaged and column not in strict and not column.is_for_other_things:
                warnings.append(
                    f"{column.name} is not named for numbers, but {many(column.damaged_rows, 'cell')} there may be one "
                    f"that cannot be read, such as {printable(column.damaged.cell, _LONGEST)!r} in row "
                    f"{column.damaged.row}: {column.damaged.why.says}"
                )
            if column.doubtful.rows and column not in strict:
                rows = many(column.doubtful.rows, "row")
                warnings.append(f"{column.name} cannot be read in {rows}: {column.doubtful}")
            if column.foreign.rows:
                warnings.append(f"{column.foreign.count('is', 'are')} {IS_FOREIGN}: {column.foreign}")
            if column.valueless.rows and column in strict:
                warnings.append(
                    f"{column.name} has no number in {many(column.valueless.rows, 'row')}: {column.valueless}"
                )
        if self._without.rows:
            warnings.append(
                f"{self._without.count('has', 'have')} no number, so that nobody is left out for "
                f"{'it' if self._without.rows == 1 else 'them'}: {self._without}"
            )
        return warnings
