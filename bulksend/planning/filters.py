"""Rows chosen by what a column holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bulksend.errors import Advice, Remark, Severity, UsageError
from bulksend.model import Status
from bulksend.planning.batch import Flaw
from bulksend.planning.columns import Columns
from bulksend.rules import Rule
from bulksend.sms import column_key
from bulksend.words import printable

Pairs = tuple[tuple[str, str], ...]
"""(column, value) pairs."""

_HELD = 20  # values of a column that are kept, to be named
_NAMED = 5


class Filters:
    """Leaves rows out by their columns: to each column the rows have to fit, and to no column the others.

    Case and spaces do not matter, as in the columns' names.

    Args:
        columns: the input's.
        only: what rows hold that are not left out; several values of one column are alternatives.
        skip: what rows hold that are left out.
    """

    def __init__(self, columns: Columns, only: Pairs, skip: Pairs) -> None:
        self._columns = columns
        self._filters = [*_filters(only, keeps=True), *_filters(skip, keeps=False)]
        self._places: list[tuple[_Filter, int]] = []

    def bind(self) -> None:
        """Find the columns, as far as they are known."""
        keys = [column_key(name) for name in self._columns.names]
        for each in self._filters:
            if keys.count(each.key) > 1:
                raise UsageError(f"rows cannot be chosen by {each.column!r}: the header names it twice; rename one")
            if each.key in keys:
                each.name(self._columns.names[keys.index(each.key)])
        self._places = [(each, keys.index(each.key) if each.key in keys else -1) for each in self._filters]

    def check(self) -> None:
        """Once all columns are known: see that those are there.

        Raises:
            UsageError: one is not.
        """
        for each, place in self._places:
            if place < 0:
                raise UsageError(
                    f"there is no column {each.column!r} to choose rows by; the columns are {self._columns.shown}"
                )

    def leave_out(self, table: Sequence[Sequence[str]], size: int, flaws: dict[int, Flaw]) -> None:
        """Add why rows of a table given by columns are left out."""
        for each, place in self._places:
            cells = table[place] if place >= 0 else ("",) * size
            for cell in dict.fromkeys(cells):
                each.see(cell)
            for i, cell in enumerate(cells):
                if i not in flaws and (says := each.verdict(cell)):
                    flaws[i] = Flaw(Status.SKIPPED, says, each.column, cell)

    def remarks(self) -> Iterator[Remark]:
        """The values that no row has."""
        for each in self._filters:
            yield from each.remarks()


class _Filter:
    """One column, and the values by which rows are kept or left out."""

    def __init__(self, column: str, values: Sequence[str], *, keeps: bool) -> None:
        self.key = column_key(column)
        self._keeps = keeps
        self._values = {column_key(value): value for value in values}
        self._seen: set[str] = set()
        self._held: dict[str, str] = {}
        self.name(column)

    def name(self, column: str) -> None:
        """Call the column as the input does."""
        self.column = column
        words = " or ".join(map(_value, self._values.values()))
        self._says = {key: f"left out: its {column!r} is {_value(value)}" for key, value in self._values.items()}
        self._else = f"left out: its {column!r} is not {words}"

    def see(self, cell: str) -> None:
        """Note what the column holds."""
        key = column_key(cell)
        if key in self._values:
            self._seen.add(key)
        elif len(self._held) < _HELD:
            self._held.setdefault(key, printable(cell, 40))

    def verdict(self, cell: str) -> str:
        """Why a row with this cell is left out; empty if it is not."""
        key = column_key(cell)
        if self._keeps:
            return "" if key in self._values else self._else
        return self._says.get(key, "")

    def remarks(self) -> Iterator[Remark]:
        """See `Filters.remarks`."""
        for key, value in self._values.items():
            if key not in self._seen:
                named = ", ".join(map(_value, list(self._held.values())[:_NAMED]))
                more = ", …" if len(self._held) > _NAMED else ""
                holds = f", which holds {named}{more}" if named else ""
                says = f"no row has {_value(value)} in {self.column!r}{holds}"
                yield Remark(says, Rule.COLUMN_VALUE, Advice.CORRECT_CHOICE, Severity.PERSON)


def _filters(pairs: Pairs, *, keeps: bool) -> Iterator[_Filter]:
    values: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for column, value in pairs:
        names.setdefault(column_key(column), column)
        values.setdefault(column_key(column), []).append(value)
    for key, name in names.items():
        yield _Filter(name, values[key], keeps=keeps)


def _value(value: str) -> str:
    return repr(value) if value.strip() else "empty"
