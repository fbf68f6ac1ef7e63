"""What all kinds of workbooks have in common: sheets, and lines of cells as a person sees them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple, Protocol

from bulksend.planning.reading.marks import Mark

LINES_MAX = 1 << 20  # of a sheet, in Excel and LibreOffice
COLUMNS_MAX = 1 << 14


class BrokenBookError(Exception):
    """The workbook cannot be read; the sentence says why, without the file's name."""


class NoLibraryError(Exception):
    """The workbook is of a kind that needs python-calamine, which is not installed."""


class SheetName(NamedTuple):
    """A sheet of a workbook."""

    name: str
    is_visible: bool


class Line(NamedTuple):
    """A line of a sheet.

    Attributes:
        number: from 1, as the program that shows the sheet counts.
        is_hidden: whether it is not shown.
        cells: what is shown, from the first column on.
        values: (place, text) of the cells that hold something else than they show, in plain letters.
        marks: (place, mark) of cells of which something is to be said.
    """

    number: int
    is_hidden: bool
    cells: list[str]
    values: list[tuple[int, str]]
    marks: list[tuple[int, Mark]]


class Sheet(Protocol):
    """A sheet that is being read.

    Attributes:
        hidden_columns: (first, last) places of columns that are not shown, as far as they are known by now.
        is_filtered: whether a filter is set; known once all lines are read.
    """

    @property
    def hidden_columns(self) -> list[tuple[int, int]]:
        """As above."""

    @property
    def is_filtered(self) -> bool:
        """As above."""

    def lines(self) -> Iterator[list[Line]]:
        """All lines with anything in them, in order, some at a time.

        Raises:
            BrokenBookError: it cannot be read to its end.
        """


class Book(Protocol):
    """An open workbook.

    Attributes:
        sheets: all, in order.
        is_seen: whether it tells what is hidden, and how numbers are shown.
    """

    @property
    def sheets(self) -> list[SheetName]:
        """As above."""

    @property
    def is_seen(self) -> bool:
        """As above."""

    def top(self, place: int, count: int) -> list[Line]:
        """The first lines of a sheet."""

    def sheet(self, place: int) -> Sheet:
        """A sheet, from its first line on."""


def first_lines(sheet: Sheet, count: int) -> list[Line]:
    """The first lines of a sheet that has not been read yet."""
    return list(islice(chain.from_iterable(sheet.lines()), count))
