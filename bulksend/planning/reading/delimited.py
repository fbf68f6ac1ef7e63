"""Delimited text: CSV (RFC 4180) and its kin with semicolons, tabs or bars."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from operator import itemgetter

from bulksend.errors import InputError, Remark, UsageError
from bulksend.planning.reading.encodings import Utf8Stream
from bulksend.planning.reading.escaped import as_meant, each_cell
from bulksend.planning.reading.header import LOOKED_AT, IsRecipient, header_note, header_place
from bulksend.planning.reading.raw import (
    BATCH_ROWS,
    Looks,
    RawBatch,
    ReadOptions,
    check_header,
    is_blank,
    nul_flaws,
    shown,
)
from bulksend.rules import Rule

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a '|'"}
_CELL_MAX = 1_000_000  # characters
_LOOKED_AT = 100  # lines, to tell the delimiter
_LINE_END = re.compile(r"\r\n|\r|\n")
_first = itemgetter(0)
_SEP = re.compile(r'"?sep=([^"\r\n])"?(?:\r|\n|$)', re.IGNORECASE)  # a first line for Excel, which hides it


class DelimitedReader:
    """Lines of cells, the first of them the header, as a rule.

    Args:
        name: the input's name, for errors.
        stream: its bytes.
        head: the beginning of its text, by which the delimiter is told.
        options: what the user says of it.
        is_recipient: whether a column's name is one for the recipient.

    Raises:
        InputError: there is no header.
        UsageError: there is none in the line that is named for it.
    """

    is_fixed = True

    def __init__(
        self, name: str, stream: Utf8Stream, head: str, options: ReadOptions, is_recipient: IsRecipient
    ) -> None:
        self._name = name
        self._stream = stream
        self._options = options
        text = stream.as_text()
        hint = _SEP.match(head)
        self._lines_before = 1 if hint else 0
        if hint:
            text.readline()
        csv.field_size_limit(_CELL_MAX)
        self._delimiter = options.delimiter or (hint[1] if hint else delimiter_of(head, options, is_recipient))
        # Strict, else a quote that is not closed swallows the rows after it.
        self._lines = csv.reader(text, delimiter=self._delimiter, strict=True)
        stream.lines_taken = self._lines_taken
        self._records = 0  # read so far; a program that shows the sheet gives each a line
        self.notes = [] if options.delimiter else _notes(self._delimiter)
        self._ahead: list[list[str]] = []  # what was read beyond the header
        self._ahead_numbers: Sequence[int] = []
        self.columns = self._named_header() if options.header_row else self._found_header(is_recipient)

    def batches(self) -> Iterator[RawBatch]:
        """See `Reader.batches`; blank lines are no rows, missing cells at a line's end are empty."""
        widths = {len(self.columns)}
        while lines := self._ahead or self._next(BATCH_ROWS):
            numbers = self._ahead_numbers or range(self._records - len(lines) + 1, self._records + 1)
            self._ahead, self._ahead_numbers = [], []
            flaws: dict[int, str] = {}
            if set(map(len, lines)) != widths or _has_blank(lines):  # else nothing is done row by row
                lines, flaws, numbers = self._mended(lines, numbers)
            if self._stream.escapes.seen:
                lines = each_cell(lines, as_meant)
            if self._stream.has_nul:
                flaws = nul_flaws(lines) | flaws
            if lines:
                yield RawBatch(lines, flaws, Looks(numbers))

    def _found_header(self, is_recipient: IsRecipient) -> list[str]:
        """The first line with anything in it, or one of the next, if that has a name for the recipient."""
        lines: list[list[str]] = []
        numbers: list[int] = []
        while len(lines) < LOOKED_AT and (some := self._next(1)):
            if not any(some[0] if lines else map(str.strip, some[0])):
                continue
            lines += some
            numbers.append(self._records)
            if (
                len(lines) == 1
                and len(list(filter(str.strip, lines[0]))) > 1
                and header_place(lines, is_recipient) == 0
            ):
                break  # as a rule: nothing more is read
        place = header_place(lines, is_recipient) or 0
        if place:
            self.notes.append(header_note(numbers[place], place))
        header = list(map(as_meant, lines[place])) if lines else []
        check_header(self._name, header, self._options)
        self._ahead, self._ahead_numbers = lines[place + 1 :], numbers[place + 1 :]
        return header

    def _named_header(self) -> list[str]:
        line = self._options.header_row or 1
        lines = self._next(line)
        if len(lines) < line or not any(map(str.strip, lines[-1])):
            raise UsageError(f"{shown(self._name)}: line {line}, which is to be the header, is empty")
        header = list(map(as_meant, lines[-1]))
        check_header(self._name, header, self._options)
        return header

    def _next(self, count: int) -> list[list[str]]:
        before = self._lines_taken()
        lines: list[list[str]] = []
        try:
            lines.extend(islice(self._lines, count))  # keeps those before an error
        except csv.Error as error:
            raise InputError(self._trouble(error, before, lines)) from error
        self._records += len(lines)
        return lines

    def _lines_taken(self) -> int:
        return self._lines_before + self._lines.line_num

    def _trouble(self, error: csv.Error, before: int, lines: list[list[str]]) -> str:
        ended = sum(1 + sum(len(_LINE_END.findall(cell)) for cell in cells) for cells in lines)
        row = f"{shown(self._name)}: the row that begins in line {before + ended + 1}"
        if "limit" in str(error):
            return f"{row} has a cell of more than {_CELL_MAX:,} characters: is a quote not closed?"
        return f'{row} cannot be read: a quote (") in it is not closed, or one within quotes is not doubled'

    def _mended(
        self, lines: list[list[str]], numbers: Sequence[int]
    ) -> tuple[list[list[str]], dict[int, str], list[int]]:
        width = len(self.columns)
        rows: list[list[str]] = []
        flaws: dict[int, str] = {}
        kept: list[int] = []
        for number, cells in zip(numbers, lines, strict=True):
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
            kept.append(number)
        return rows, flaws, kept


def delimiter_of(head: str, options: ReadOptions, is_recipient: IsRecipient) -> str:
    """What stands between the cells: what cuts the header, and most lines into as many cells as the header.

    Args:
        head: the beginning of a text.
        options: what the user says of it.
        is_recipient: whether a column's name is one for the recipient.

    Returns:
        One of comma, semicolon, tab and bar; comma if none is better.
    """
    return max(_DELIMITERS, key=lambda delimiter: _fit(head, delimiter, options, is_recipient))


def _fit(head: str, delimiter: str, options: ReadOptions, is_recipient: IsRecipient) -> tuple[float, int]:
    lines: list[list[str]] = []
    with suppress(csv.Error):  # what is wrong will be told when it is read
        lines.extend(islice(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), _LOOKED_AT))
    lines = lines[(options.header_row or 1) - 1 :]
    lines = [lines[place] for place in _filled(lines)]
    if options.header_row is None:
        lines = lines[header_place(lines, is_recipient) or 0 :]
    if not lines or len(lines[0]) == 1:
        return 0.0, 0
    width = len(lines[0])
    return sum(len(cells) == width for cells in lines) / len(lines), width


def _filled(lines: Sequence[Sequence[str]]) -> list[int]:
    """The places of lines with anything in them."""
    return [place for place, cells in enumerate(lines) if any(cell.strip() for cell in cells)]


def _has_blank(lines: list[list[str]]) -> bool:
    """Whether a line is blank; that is seen by the first column as a rule."""
    return not all(map(str.strip, map(_first, lines))) and any(map(is_blank, lines))


def _notes(delimiter: str) -> list[Remark]:
    if delimiter == ",":
        return []
    between = "tabs" if delimiter == "\t" else repr(delimiter)
    return [Remark(f"its columns are separated by {between}", Rule.READ_TEXT, about={"delimiter": between})]
