"""A first look at an input: how it is understood, before anything is said of texts and prices."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from bulksend.errors import InputError, Remark, UsageError
from bulksend.planning.columns import Columns
from bulksend.planning.looks import recipient_names
from bulksend.planning.reading import Reader, ReadOptions, Source


@dataclass(frozen=True, slots=True)
class Sheet:
    """How an input is understood by its first rows.

    Attributes:
        columns: its columns, in order.
        numbers: the column of the numbers; empty if that has to be said, or contacts stand for them.
        asks: why it is not known who the recipients are; empty if it is.
        own_texts: the column of the rows' own texts; empty if there is none.
        rows: the first rows, as a person sees them.
        lines: their lines in the sheet; empty if it is none.
        hidden: places of those rows that the workbook does not show.
        notes: what was found out of how to read it.
        name: of a workbook, the sheet that is read; else empty.
        names: the sheets that could be read instead, with it.
    """

    columns: tuple[str, ...]
    numbers: str
    asks: str
    own_texts: str
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    hidden: tuple[int, ...]
    notes: tuple[Remark, ...]
    name: str = ""
    names: tuple[str, ...] = ()


def look_at_sheet(name: str, options: ReadOptions, mapping: Sequence[tuple[str, str]], most: int) -> Sheet:
    """Read the beginning of an input.

    Args:
        name: the file's.
        options: how it is read, as far as that is said.
        mapping: (field, column) pairs, as for `PlanOptions`.
        most: so many rows are shown.

    Raises:
        InputError: it cannot be read.
        UsageError: the options do not fit it.
    """
    with closing(Source(name, options)) as source:
        reader = source.reader(recipient_names(mapping))
        rows, lines, hidden = _first(reader, most)
        columns = Columns(name, mapping, fixed=reader.is_fixed)
        try:
            columns.bind(reader.columns)
            columns.check()
        except (InputError, UsageError) as error:
            numbers, asks = "", str(error)
        else:
            numbers, asks = ("" if columns.to is None else columns.name_of("to")), ""
        own_texts = columns.name_of("message") if columns.places["message"] else ""
        notes, sheets = (*source.notes, *columns.notes), source.sheets
    width = len(reader.columns)
    cells = tuple((*row, *[""] * (width - len(row))) for row in rows)
    return Sheet(tuple(reader.columns), numbers, asks, own_texts, cells, lines, hidden, notes, *sheets)


def _first(reader: Reader, most: int) -> tuple[list[list[str]], tuple[int, ...], tuple[int, ...]]:
    """The first rows, their lines, and which of them are hidden."""
    rows: list[list[str]] = []
    lines: list[int] = []
    hidden: list[int] = []
    for batch in reader.batches():
        if batch.looks:
            hidden += (len(rows) + place for place in sorted(batch.looks.hidden))
            lines += batch.looks.lines
        rows += batch.rows
        if len(rows) >= most:
            break
    return rows[:most], tuple(lines[:most]), tuple(place for place in hidden if place < most)
