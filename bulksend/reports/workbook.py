"""A workbook of records, for whoever looks at them in a spreadsheet program: a sheet that sums up, then the rows.

Excel keeps 15 digits of a number and writes it in its own way: so all is text, but what is counted or paid.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, NamedTuple
from zipfile import BadZipFile, ZipFile

from bulksend.errors import UsageError

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

ROWS_MAX, COLUMNS_MAX = 1_048_576, 16_384
"""Of a sheet."""


class Mark(NamedTuple):
    """What a workbook of results keeps among its own properties, so that it tells that without being read.

    Attributes:
        sent: rows that were accepted.
        in_doubt: rows that may have been.
        plan_id: of its run.
    """

    sent: int
    in_doubt: int
    plan_id: str


class Summary(NamedTuple):
    """What stands before the rows of a run.

    Attributes:
        lines: names, and what is said of them.
        mark: what the file is marked with.
    """

    lines: Sequence[tuple[str, str | int]]
    mark: Mark


_MARK = "bulksend"
_MARKED = re.compile(r'name="bulksend"[^>]*>\s*<vt:lpwstr>(\d{1,15}) (\d{1,15}) ([^<]*)<')
_PROPERTIES_MAX = 1_000_000
_NUMBERS = frozenset({"row", "line", "estimateParts", "estimateMicro", "httpStatus", "attempts", "chargedMicro"})
_EXACT = 10**15  # as long as numbers are smaller, Excel keeps every digit
_NO_XML = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}  # what no XML may hold, beside what XlsxWriter escapes
_WIDTHS = {"messageId": 30, "deliveryDeadline": 30, "error": 40, "sentAt": 26, "deliveryError": 40, "messageSent": 60}
_WIDTH = 16
_A4 = 9  # as the format numbers papers


def check_extra() -> None:
    """See that workbooks can be written here.

    Raises:
        UsageError: a part of the installation is missing.
    """
    if find_spec("xlsxwriter") is None:
        raise UsageError("to write a workbook, XlsxWriter is needed: in bulksend's folder, pip install '.[xlsx]'")


def write_workbook(
    file: IO[str],
    header: Sequence[str],
    records: Iterable[Sequence[object]],
    *,
    summary: Summary | None = None,
    rows_max: int = ROWS_MAX,
) -> None:
    """Write records under a header as a workbook; whatever their number, few of them are held in memory.

    Args:
        file: where to; what it is encoded in does not matter.
        header: the columns' names.
        records: a value for each column.
        summary: what is written on a sheet before them; none if there is nothing.
        rows_max: rows of a sheet, its header's included; what is more is on another.

    Raises:
        UsageError: a sheet cannot have so many columns.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415 -- an extra, and only needed here
    from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415 -- see above

    if len(header) > COLUMNS_MAX:
        raise UsageError(f"a sheet has {COLUMNS_MAX:,} columns at most, and {len(header):,} are to be written")
    with TemporaryDirectory() as drafts, open(file.fileno(), "wb", closefd=False) as raw:
        book = Workbook(raw, {"constant_memory": True, "tmpdir": drafts})
        book.use_zip64()  # more than 4 GB of rows are packed into less
        bold, left = book.add_format({"bold": True}), book.add_format({"align": "left"})
        try:
            if summary:
                book.set_custom_property(_MARK, " ".join(map(str, summary.mark)))
                _write_summary(book.add_worksheet("Summary"), summary.lines, bold, left)
            _write_sheets(book, header, records, rows_max, bold)
            book.close()
        except FileCreateError as error:
            raise error.args[0] from error
        finally:
            for sheet in book.worksheets():
                sheet._opt_close()  # noqa: SLF001 -- otherwise drafts stay open where something was raised


def mark_of(path: Path) -> Mark | None:
    """What a workbook was marked with, which spreadsheet programs keep; None if it was not, or is not there."""
    try:
        with ZipFile(path) as parts, parts.open("docProps/custom.xml") as part:
            found = _MARKED.search(part.read(_PROPERTIES_MAX).decode())
    except (OSError, ValueError, KeyError, RuntimeError, BadZipFile, zlib.error):  # whatever it is, it is not ours
        return None
    return Mark(int(found[1]), int(found[2]), found[3]) if found else None


def _write_summary(sheet: Worksheet, lines: Sequence[tuple[str, str | int]], bold: Format, left: Format) -> None:
    _fit_paper(sheet)
    sheet.set_column(0, 0, 18, bold)
    sheet.set_column(1, 1, 80, left)
    for place, (name, value) in enumerate(lines):
        _write_cell(sheet, place, 0, name)
        if isinstance(value, int):
            sheet.write_number(place, 1, value, left)
        else:
            _write_cell(sheet, place, 1, value)


def _write_sheets(
    book: Workbook, header: Sequence[str], records: Iterable[Sequence[object]], rows_max: int, bold: Format
) -> None:
    """As many sheets as the records need, one if there is none."""
    are_numbers = [name in _NUMBERS for name in header]
    left = iter(records)
    first = next(left, None)
    number = 0
    while first is not None or not number:
        number += 1
        sheet = book.add_worksheet("Rows" if number == 1 else f"Rows {number}")
        _write_header(sheet, header, bold)
        place = 0
        here = chain(() if first is None else (first,), islice(left, rows_max - 2))
        for place, record in enumerate(here, 1):
            for column, (value, is_number) in enumerate(zip(record, are_numbers, strict=True)):
                if is_number and isinstance(value, int) and abs(value) < _EXACT:
                    sheet.write_number(place, column, value)
                elif value is not None and value != "":
                    _write_cell(sheet, place, column, str(value))
        sheet.autofilter(0, 0, place, max(len(header) - 1, 0))
        first = next(left, None)


def _write_header(sheet: Worksheet, header: Sequence[str], bold: Format) -> None:
    _fit_paper(sheet)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.freeze_panes(1, 0)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{ROWS_MAX}"})  # it is meant
    for column, name in enumerate(header):
        sheet.set_column(column, column, _WIDTHS.get(name, _WIDTH))
        _write_cell(sheet, 0, column, name, bold)


def _fit_paper(sheet: Worksheet) -> None:
    """Printed, a record is on one page, not its columns on ten."""
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)


def _write_cell(sheet: Worksheet, row: int, column: int, text: str, style: Format | None = None) -> None:
    """Write a text as one, whatever it looks like; of one that is too long for a cell, as much as Excel keeps."""
    if not text.isascii():
        text = text.translate(_NO_XML)
    sheet.write_string(row, column, text, style)
