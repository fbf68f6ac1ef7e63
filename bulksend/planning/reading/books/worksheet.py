"""One sheet of an .xlsx workbook, streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bulksend.planning.reading.books.book import COLUMNS_MAX, LINES_MAX, BrokenBookError, Line
from bulksend.planning.reading.books.cells import Cells
from bulksend.planning.reading.books.package import Package
from bulksend.planning.reading.marks import Mark

_DIGITS = "0123456789"
_TRUE = {"1", "true"}


class Worksheet:
    """A sheet; see `Sheet`.

    Args:
        package: the workbook's zip file.
        part: the sheet's part; None for a chart, which has no cells.
        cells: makes its cells.
    """

    def __init__(self, package: Package, part: str | None, cells: Cells) -> None:
        self.hidden_columns: list[tuple[int, int]] = []
        self.is_filtered = False
        self._package = package
        self._part = part
        self._cells = cells
        self._places: dict[str, int] = {}
        self._found: list[Line] = []
        self._is_spoken = False
        self._new_line(0, is_hidden=False)
        self._new_cell({})
        self._takes = False
        self._pieces: list[str] = []

    def lines(self) -> Iterator[list[Line]]:
        """See `Sheet.lines`."""
        if self._part is None:
            return
        for _ in self._package.parsed(self._part, self._start, self._end, self._text):
            if self._found:
                found, self._found = self._found, []
                yield found

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._new_cell(attributes)
        elif name == "v":
            self._has_value = True
            self._takes = self._kind != "inlineStr"
        elif name == "t":
            self._has_value = True
            self._takes = self._kind == "inlineStr" and not self._is_spoken
        elif name == "row":
            said = attributes.get("r")
            is_hidden = attributes.get("hidden") in _TRUE or attributes.get("ht") in {"0", "0.0"}
            self._new_line(int(said) if said else self._line + 1, is_hidden=is_hidden)
        elif name == "f":
            self._is_formula = True
        elif name == "rPh":
            self._is_spoken = True
        elif name == "col":
            if attributes.get("hidden") in _TRUE or attributes.get("width") == "0":
                self.hidden_columns.append((int(attributes["min"]) - 1, int(attributes["max"]) - 1))
        elif name == "filterColumn":
            self.is_filtered = True

    def _end(self, name: str) -> None:
        if name in {"v", "t"}:
            self._takes = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._end_line()
        elif name == "rPh":
            self._is_spoken = False

    def _text(self, piece: str) -> None:
        if self._takes:
            self._pieces.append(piece)

    def _new_line(self, number: int, *, is_hidden: bool) -> None:
        if number > LINES_MAX:
            raise BrokenBookError(f"a sheet has a line {number}, which is more than any can have")
        self._line = number
        self._is_hidden = is_hidden
        self._row: list[str] = []
        self._values: list[tuple[int, str]] = []
        self._marks: list[tuple[int, Mark]] = []
        self._place = -1

    def _new_cell(self, attributes: Mapping[str, str]) -> None:
        self._kind = attributes.get("t", "")
        self._style = attributes.get("s", "")
        self._has_value = self._is_formula = self._is_spoken = False
        self._pieces = []
        if (reference := attributes.get("r")) is None:
            self._place += 1
        else:
            letters = reference.rstrip(_DIGITS)
            place = self._places.get(letters)
            self._place = self._new_place(letters) if place is None else place

    def _end_cell(self) -> None:
        if not (self._has_value or self._is_formula):
            return
        text = "".join(self._pieces) if self._has_value else None
        row, place = self._row, self._place
        if self._kind == "s" and text and place == len(row) and self._cells.has_plain_words:
            row.append(self._cells.shared(text))  # as most cells are
            return
        cell = self._cells.cell(self._kind, self._style, text, is_formula=self._is_formula)
        missing = place - len(row)
        if missing >= 0:
            if missing:
                row.extend([""] * missing)
            row.append(cell.text)
        else:
            row[place] = cell.text
        if cell.value is not None:
            self._values.append((place, cell.value))
        if cell.mark is not None:
            self._marks.append((place, cell.mark))

    def _end_line(self) -> None:
        if self._row:
            self._found.append(Line(self._line, self._is_hidden, self._row, self._values, self._marks))

    def _new_place(self, letters: str) -> int:
        number = 0
        for letter in letters.upper():
            number = number * 26 + ord(letter) - 64
        if not 0 < number <= COLUMNS_MAX:
            raise BrokenBookError(f"a sheet has a column {letters}, which is more than any can have")
        self._places[letters] = number - 1
        return number - 1
