"""Workbooks of LibreOffice and its kin: .ods (OpenDocument 1.3, part 3, chapter 9). Their cells say what they show."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.planning.reading.books.book import BrokenBookError, Line
from bulksend.planning.reading.books.package import BROKEN, LOCKED, Package
from bulksend.planning.reading.books.tables import Tables

CONTENT = "content.xml"


class OdsBook:
    """A workbook of LibreOffice.

    Args:
        package: its zip file.
        tops: how many lines of each sheet may be asked for by `top`.

    Raises:
        BrokenBookError: it is broken, or locked, or no spreadsheet.
    """

    is_seen = True

    def __init__(self, package: Package, tops: int) -> None:
        self._package = package
        if b"encryption-data" in b"".join(package.chunks("META-INF/manifest.xml")):
            raise BrokenBookError(LOCKED)
        tables = Tables(tops=tops)
        for _ in package.parsed(CONTENT, tables.start, tables.end, tables.text):
            pass
        self.sheets = tables.sheets
        self._tops = tables.found
        if not self.sheets:
            raise BrokenBookError(BROKEN)

    def top(self, place: int, count: int) -> list[Line]:
        """See `Book.top`."""
        return self._tops[place][:count]

    def sheet(self, place: int) -> Table:
        """See `Book.sheet`."""
        return Table(self._package, place)


class Table:
    """A sheet; see `Sheet`."""

    def __init__(self, package: Package, place: int) -> None:
        self._package = package
        self._place = place
        self._tables = Tables(only=place)

    @property
    def hidden_columns(self) -> list[tuple[int, int]]:
        """See `Sheet`."""
        return self._tables.hidden_columns

    @property
    def is_filtered(self) -> bool:
        """See `Sheet`."""
        return self._tables.is_filtered

    def lines(self) -> Iterator[list[Line]]:
        """See `Sheet.lines`."""
        tables = self._tables
        for _ in self._package.parsed(CONTENT, tables.start, tables.end, tables.text):
            if len(tables.sheets) > self._place and (found := tables.found[self._place]):
                tables.found[self._place] = []
                yield found
            if tables.is_over:
                return
