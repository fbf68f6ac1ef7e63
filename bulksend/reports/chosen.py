"""Some of the records only: those that hold what is asked for."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from bulksend.errors import UsageError
from bulksend.model import Status
from bulksend.runs import State
from bulksend.sms import column_key
from bulksend.words import printable

Pairs = tuple[tuple[str, str], ...]
"""(column, value) pairs."""

_STATUSES = (*(status.value for status in Status), State.IN_FLIGHT.value)
_NAMED = 40  # columns that are named where one is not found


class Chosen:
    """Records by what their columns hold: several values of one column are alternatives, and every column has to fit.

    Case and spaces do not matter.

    Args:
        header: the records' columns.
        pairs: what is asked for.

    Raises:
        UsageError: there is no such column, or no such status.
    """

    def __init__(self, header: Sequence[str], pairs: Pairs) -> None:
        self._values: dict[int, set[str]] = {}
        for column, value in pairs:
            place = _place(header, column)
            if header[place] == "status":
                _check_status(value)
            self._values.setdefault(place, set()).add(column_key(value))

    def of(self, records: Iterable[tuple[object, ...]]) -> Generator[tuple[object, ...]]:
        """Those of the records that fit."""
        if not self._values:
            yield from records
            return
        for record in records:
            if all(_key(record[place]) in values for place, values in self._values.items()):
                yield record


def words_of(pairs: Pairs) -> str:
    """What is asked for, in words."""
    columns: dict[str, list[str]] = {}
    for column, value in pairs:
        columns.setdefault(column, []).append(value or "(empty)")
    return "; ".join(f"{column}: {' or '.join(values)}" for column, values in columns.items())


def _place(header: Sequence[str], column: str) -> int:
    if column in header:
        return header.index(column)
    found = [place for place, name in enumerate(header) if column_key(name) == column_key(column)]
    if len(found) != 1:
        names = ", ".join(printable(name, 40) for name in header[:_NAMED]) + (", …" if len(header) > _NAMED else "")
        what = "several columns are called" if found else "there is no column"
        raise UsageError(f"{what} {column!r} to choose rows by; the columns are {names}")
    return found[0]


def _check_status(value: str) -> None:
    if column_key(value) not in map(column_key, _STATUSES):
        raise UsageError(f"there is no status {value!r} to choose rows by; there are {', '.join(_STATUSES)}")


def _key(cell: object) -> str:
    return "" if cell is None else column_key(str(cell))
