"""The sheets of an .ods workbook, as its XML passes by."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from bulksend.planning.reading.books.book import COLUMNS_MAX, LINES_MAX, BrokenBookError, Line, SheetName
from bulksend.planning.reading.books.odcells import cell_of
from bulksend.planning.reading.marks import Mark

_SPACE = re.compile(r"[ \t\r\n]+")
_UNREAD = {"tracked-changes", "dde-links", "shapes", "frame", "annotation", "detective", "note", "ruby-text"}
_HIDDEN = {"collapse", "filter"}
_SPACES_MAX = 1_000  # in one go


class Tables:
    """Handlers for the XML of a workbook's content.

    Args:
        only: the place of the one sheet that is wanted; None for all.
        tops: how many lines of each are wanted.

    Attributes:
        sheets: those that have begun.
        found: the lines of each that were read so far.
        hidden_columns: see `Sheet`; of the sheet that is read.
        is_filtered: see `Sheet`; of the sheet that is read.
        is_over: whether the one that is wanted has ended.
    """

    def __init__(self, only: int | None = None, tops: int = sys.maxsize) -> None:
        self.sheets: list[SheetName] = []
        self.found: list[list[Line]] = []
        self.hidden_columns: list[tuple[int, int]] = []
        self.is_filtered = False
        self.is_over = False
        self._only = only
        self._tops = tops
        self._unread = 0  # how deep within what is not read
        self._depth = 0  # of tables within tables
        self._reads = False
        self._style = ""
        self._not_displayed: set[str] = set()
        self._columns = 0
        self._line = 0
        self._cell: Mapping[str, str] | None = None
        self._paragraphs: list[str] = []
        self._pieces: list[str] | None = None
        self._new_line({})

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if self._unread or name in _UNREAD:
            self._unread += 1
        elif name == "table":
            self._start_table(attributes)
        elif not self._reads:
            self._look_at_style(name, attributes)
        elif name in {"table-cell", "covered-table-cell"}:
            self._cell = attributes
            self._paragraphs, self._pieces = [], None
        elif name == "p":
            self._pieces = []
        elif name == "table-row":
            self._new_line(attributes)
        elif name == "table-column":
            self._add_column(attributes)
        elif self._pieces is not None:
            if name == "s":
                self._pieces.append(" " * min(int(attributes.get("text:c", 1)), _SPACES_MAX))
            elif name == "tab":
                self._pieces.append("\t")
            elif name == "line-break":
                self._pieces.append("\n")

    def end(self, name: str) -> None:
        """An element ends."""
        if self._unread:
            self._unread -= 1
        elif name == "table":
            self._end_table()
        elif not self._reads:
            return
        elif name == "p":
            if self._pieces is not None:
                self._paragraphs.append("".join(self._pieces))
                self._pieces = None
        elif name in {"table-cell", "covered-table-cell"}:
            self._end_cell()
        elif name == "table-row":
            self._end_line()

    def text(self, piece: str) -> None:
        """Characters pass."""
        if self._pieces is not None and not self._unread:
            self._pieces.append(_SPACE.sub(" ", piece))

    def _look_at_style(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "style":
            self._style = attributes.get("style:name", "")
        elif name == "table-properties" and attributes.get("table:display") == "false":
            self._not_displayed.add(self._style)

    def _start_table(self, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > 1:  # a table within a cell
            self._unread = 1
            self._depth = 1
            return
        is_visible = attributes.get("table:style-name") not in self._not_displayed
        self.sheets.append(SheetName(attributes.get("table:name", ""), is_visible))
        self.found.append([])
        self._reads = self._only in {None, len(self.sheets) - 1}
        self._line = self._columns = 0
        if self._reads:
            self.hidden_columns, self.is_filtered = [], False

    def _end_table(self) -> None:
        self._depth -= 1
        self.is_over = self._reads and self._only is not None
        self._reads = False

    def _add_column(self, attributes: Mapping[str, str]) -> None:
        repeated = int(attributes.get("table:number-columns-repeated", 1))
        if attributes.get("table:visibility") in _HIDDEN:
            self.hidden_columns.append((self._columns, self._columns + repeated - 1))
        self._columns += repeated

    def _new_line(self, attributes: Mapping[str, str]) -> None:
        self._repeated = int(attributes.get("table:number-rows-repeated", 1))
        visibility = attributes.get("table:visibility")
        self._is_hidden = visibility in _HIDDEN
        self.is_filtered = self.is_filtered or visibility == "filter"
        self._place = 0
        self._row: list[str] = []
        self._values: list[tuple[int, str]] = []
        self._marks: list[tuple[int, Mark]] = []

    def _end_cell(self) -> None:
        attributes, self._cell = self._cell or {}, None
        first = self._place
        self._place += int(attributes.get("table:number-columns-repeated", 1))
        if not self._paragraphs and not any(key in attributes for key in ("office:value-type", "table:formula")):
            return
        cell = cell_of(attributes, "\n".join(self._paragraphs) if self._paragraphs else None)
        if not cell.text and cell.mark is None:
            return
        if self._place > COLUMNS_MAX:
            raise BrokenBookError("a sheet has more columns than any can have")
        self._row.extend([""] * (first - len(self._row)))
        for place in range(first, self._place):
            self._row.append(cell.text)
            if cell.value is not None:
                self._values.append((place, cell.value))
            if cell.mark is not None:
                self._marks.append((place, cell.mark))

    def _end_line(self) -> None:
        first = self._line + 1
        self._line += self._repeated
        if not self._row:
            return
        if self._line > LINES_MAX:
            raise BrokenBookError("a sheet has more lines than any can have")
        found = self.found[-1]
        for number in range(first, self._line + 1):
            found.append(Line(number, self._is_hidden, self._row, self._values, self._marks))
        if len(found) >= self._tops:
            self._reads = False
