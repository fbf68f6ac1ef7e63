"""Fields for which several columns are tried: in each row the first that says something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence

from bulksend.errors import Remark
from bulksend.planning.columns import Columns
from bulksend.rules import Rule
from bulksend.words import many

_NOTHING = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nil", "nan", "#n/a"})
_WHAT = {"to": "numbers", "contactId": "contact ids", "message": "texts", "from": "sender ids"}


class Fallbacks:
    """Takes each row's field from the column that has it, and counts which.

    Args:
        columns: where in a row the fields are.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._rows: dict[str, Counter[str]] = {}
        self._used: dict[str, list[int]] = {}

    def cells(self, field: str, table: Sequence[Sequence[str]], size: int, left_out: Container[int]) -> Sequence[str]:
        """A field's cells in a table given by columns; empty where no column says anything.

        Args:
            field: its name.
            table: the rows' cells, column by column.
            size: how many rows there are.
            left_out: rows that are not counted.
        """
        places = self._columns.places[field]
        if not places:
            return ("",) * size
        if field not in self._columns.tried:
            return table[places[0]]
        tried = list(zip(*(table[place] for place in places), strict=True))
        said = [next((nth for nth, cell in enumerate(row) if _says(cell)), -1) for row in tried]
        self._used[field] = [places[max(nth, 0)] for nth in said]
        counts = self._rows.setdefault(field, Counter())
        counts.update(self._columns.names[places[nth]] for i, nth in enumerate(said) if nth >= 0 and i not in left_out)
        return [row[nth] if nth >= 0 else "" for row, nth in zip(tried, said, strict=True)]

    def column_of(self, field: str, index: int) -> str:
        """The column that a row's field was taken from, in the table that was last looked at."""
        if field not in self._used:
            return self._columns.name_of(field)
        return self._columns.names[self._used[field][index]]

    def notes(self) -> Iterator[Remark]:
        """How many rows used which column."""
        for field, counts in self._rows.items():
            tried = [self._columns.names[place] for place in self._columns.places[field]]
            used = ", ".join(f"{name!r} in {many(counts[name], 'row')}" for name in tried)
            yield Remark(f"the {_WHAT[field]} are taken from {used}", Rule.COLUMN_TRIED)


def _says(cell: str) -> bool:
    return cell.strip().casefold() not in _NOTHING
