"""Delimited text: CSV (RFC 4180) and its kin with semicolons, tabs or bars."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from operator import itemgetter

from bulksend.errors import InputError, Remark
from bulksend.planning.reading.encodings import Utf8Stream
from bulksend.planning.reading.escaped import as_meant, each_cell
from bulksend.planning.reading.raw import BATCH_ROWS, RawBatch, ReadOptions, check_header, is_blank, nul_flaws, shown

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a '|'"}
_CELL_MAX = 1_000_000  # characters
_LOOKED_AT = 100  # lines, to tell the delimiter
_LINE_END = re.compile(r"\r\n|\r|\n")
_first = itemgetter(0)
_SEP = re.compile(r'"?sep=([^"\r\n])"?(?:\r|\n|$)', re.IGNORECASE)  # a first line for Excel, which hides it


class DelimitedReader:
    """Lines of cells, the first of them the header.

    Args:
        name: the input's name, for errors.
        stream: its bytes.
        head: the beginning of its text, by which the delimiter is told.
        options: what the user says of it.

    Raises:
        InputError: there is no header.
    """

    is_fixed = True

    def __init__(self, name: str, stream: Utf8Stream, head: str, options: ReadOptions) -> None:
        self._name = name
        self._stream = stream
        self._options = options
        text = stream.as_text()
        hint = _SEP.match(head)
        self._lines_before = 1 if hint else 0
        if hint:
            text.readline()
        csv.field_size_limit(_CELL_MAX)
        self._delimiter = options.delimiter or (hint[1] if hint else delimiter_of(head))
        # Strict, else a quote that is not closed swallows the rows after it.
        self._lines = csv.reader(text, delimiter=self._delimiter, strict=True)
        stream.lines_taken = self._lines_taken
        self.columns = self._header()
        self.notes = [] if options.delimiter else _notes(self._delimiter)

    def batches(self) -> Iterator[RawBatch]:
        """See `Reader.batches`; blank lines are no rows, missing cells at a line's end are empty."""
        widths = {len(self.columns)}
        while lines := self._next(BATCH_ROWS):
            flaws: dict[int, str] = {}
            if set(map(len, lines)) != widths or _has_blank(lines):  # else nothing is done row by row
                lines, flaws = self._mended(lines)
            if self._stream.escapes.seen:
                lines = each_cell(lines, as_meant)
            if self._stream.has_nul:
                flaws = nul_flaws(lines) | flaws
            if lines:
                yield RawBatch(lines, flaws)

    def _header(self) -> list[str]:
        while line := self._next(1):
            if any(cell.strip() for cell in line[0]):
                header = list(map(as_meant, line[0]))
                check_header(self._name, header, self._options)
                return header
        check_header(self._name, [], self._options)
        return []

    def _next(self, count: int) -> list[list[str]]:
        before = self._lines_taken()
        lines: list[list[str]] = []
        try:
            lines.extend(islice(self._lines, count))  # keeps those before an error
        except csv.Error as error:
            raise InputError(self._trouble(error, before, lines)) from error
        return lines

    def _lines_taken(self) -> int:
        return self._lines_before + self._lines.line_num

    def _trouble(self, error: csv.Error, before: int, lines: list[list[str]]) -> str:
        ended = sum(1 + sum(len(_LINE_END.findall(cell)) for cell in cells) for cells in lines)
        row = f"{shown(self._name)}: the row that begins in line {before + ended + 1}"
        if "limit" in str(error):
            return f"{row} has a cell of more than {_CELL_MAX:,} characters: is a quote not closed?"
        return f'{row} cannot be read: a quote (") in it is not closed, or one within quotes is not doubled'

    def _mended(self, lines: list[list[str]]) -> tuple[list[list[str]], dict[int, str]]:
        width = len(self.columns)
        rows: list[list[str]] = []
        flaws: dict[int, str] = {}
        for cells in lines:
            if is_blank(cells):
                continue
            row = cells
            if len(cells) < width:
                row = cells + [""] * (width - len(cells))
            elif len(cells) > width:
                if any(cell.strip() for cell in cells[width:]):
                    what = _DELIMITERS.get(self._delimiter, repr(self._delimiter))
                    flaws[len(rows)] = (
                        f"the row has {len(cells)} cells, the header {width}: is {what} not within quotes?"
                    )
                else:
                    row = cells[:width]
            rows.append(row)
        return rows, flaws


def delimiter_of(head: str) -> str:
    """What stands between the cells: what cuts the header, and most lines into as many cells as the header.

    Args:
        head: the beginning of a text.

    Returns:
        One of comma, semicolon, tab and bar; comma if none is better.
    """
    return max(_DELIMITERS, key=lambda delimiter: _fit(head, delimiter))


def _fit(head: str, delimiter: str) -> tuple[float, int]:
    lines: list[list[str]] = []
    with suppress(csv.Error):  # what is wrong will be told when it is read
        lines.extend(islice(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), _LOOKED_AT))
    lines = [cells for cells in lines if any(cell.strip() for cell in cells)]
    if not lines or len(lines[0]) == 1:
        return 0.0, 0
    width = len(lines[0])
    return sum(len(cells) == width for cells in lines) / len(lines), width


def _has_blank(lines: list[list[str]]) -> bool:
    """Whether a line is blank; that is seen by the first column as a rule."""
    return not all(map(str.strip, map(_first, lines))) and any(map(is_blank, lines))


def _notes(delimiter: str) -> list[Remark]:
    if delimiter == ",":
        return []
    between = "tabs" if delimiter == "\t" else repr(delimiter)
    return [Remark(f"its columns are separated by {between}")]
