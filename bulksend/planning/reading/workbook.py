"""Workbooks of Excel and LibreOffice, by python-calamine, an extra that is imported only for them."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING
from xml.parsers import expat

from bulksend.errors import InputError, Remark, UsageError
from bulksend.planning.reading.escaped import as_meant, each_cell
from bulksend.planning.reading.raw import (
    BATCH_ROWS,
    EMPTY,
    RawBatch,
    ReadOptions,
    check_header,
    is_blank,
    nul_flaws,
    shown,
)
from bulksend.words import printable

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_ODS_PLACE = 30  # bytes; the mimetype is a zip's first file, not compressed (OpenDocument 1.3, part 2, 3.3)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # a stream's name in OLE2 (MS-OFFCRYPTO 2.1.4)
_LOCKED = "the workbook is protected by a password; save a copy without one and send that"
_DIMENSION = re.compile(rb'<dimension ref="(?:[A-Z]{1,3}[0-9]{1,7}:)?([A-Z]{1,3})([0-9]{1,7})"')
_FILLED = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^<>]*(?<!/)>')
_CELL_SIZE = 200  # bytes, of a cell's beginning
_BLOCK = 1 << 20
_CELLS_MAX = 50_000_000  # 1.2 GB
_EXACT = 1e16  # whole numbers below it are exact in a float
_NAMES_SHOWN = 5


class WorkbookReader:
    """One sheet's rows; the first that is not empty is the header.

    A formula gives the value that the program saved with it, one that is an error (#N/A) an empty cell.

    Args:
        name: the input's name, for errors.
        content: the whole file.
        options: what the user says of it; by default the first sheet shown that has any cell is read.

    Raises:
        InputError: this is no workbook that can be read, or the sheet has no header.
        UsageError: there is no such sheet, or python-calamine is not installed.
    """

    is_fixed = True

    def __init__(self, name: str, content: bytes, options: ReadOptions) -> None:
        self._name = name
        self._options = options
        self.notes: list[Remark] = []
        _check_package(name, content)
        load = _loader(name)
        with _explained(name):
            workbook = load(io.BytesIO(content))
            found = self._first(workbook) if options.sheet is None else self._named(workbook, options.sheet)
            if found.start is None:
                raise InputError(f"{shown(name)}: {EMPTY}")
            self._rows = found.iter_rows()
        self.columns = self._header()

    def batches(self) -> Iterator[RawBatch]:
        """See `Reader.batches`; blank rows are none."""
        width = len(self.columns)
        while rows := self._next(BATCH_ROWS):
            rows = each_cell([cells[:width] for cells in rows if not is_blank(cells)], as_meant)
            if rows:
                yield RawBatch(rows, nul_flaws(rows))

    def _header(self) -> list[str]:
        while rows := self._next(1):
            if any(cell.strip() for cell in rows[0]):
                header = list(map(as_meant, rows[0]))
                check_header(self._name, header, self._options)
                return header
        raise InputError(f"{shown(self._name)}: {EMPTY}")

    def _next(self, count: int) -> list[list[str]]:
        with _explained(self._name):
            return [
                [cell if isinstance(cell, str) else _text(cell) for cell in cells]
                for cells in islice(self._rows, count)
            ]

    def _named(self, workbook: CalamineWorkbook, sheet: str) -> CalamineSheet:
        names = workbook.sheet_names
        if sheet in names:
            return workbook.get_sheet_by_name(sheet)
        if sheet.isascii() and sheet.isdigit() and 1 <= int(sheet) <= len(names):
            return workbook.get_sheet_by_index(int(sheet) - 1)
        raise UsageError(
            f"{shown(self._name)}: there is no sheet {printable(sheet)!r}; its sheets are {_listed(names)}"
        )

    def _first(self, workbook: CalamineWorkbook) -> CalamineSheet:
        visible = [sheet.name for sheet in workbook.sheets_metadata if str(sheet.visible).endswith(".Visible")]
        names = visible or workbook.sheet_names
        for name in names:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.start is not None:
                others = [other for other in names if other != name]
                if others:
                    are = "other is" if len(others) == 1 else "others are"
                    says = f"sheet {printable(name)!r} is read; {len(others)} {are} not: {_listed(others)}"
                    self.notes = [Remark(says)]
                return sheet
        raise InputError(f"{shown(self._name)}: {EMPTY}")


def _check_package(name: str, content: bytes) -> None:
    if not content.startswith(b"PK"):
        if _ENCRYPTED in content:
            raise InputError(f"{shown(name)}: {_LOCKED}")
        return
    is_ods = content.startswith(_ODS, _ODS_PLACE)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.namelist() if is_ods or member.startswith("xl/")]
            for member in members:
                if member.endswith(".xml"):
                    with archive.open(member) as part:
                        expat.ParserCreate().ParseFile(part)  # what is no XML makes python-calamine hang
            sheets = [] if is_ods else [member for member in members if "sheets/" in member]
            far = next(filter(None, (_too_far(archive, sheet) for sheet in sheets)), "")
    except (
        expat.ExpatError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise InputError(
            f"{shown(name)}: the file is broken or cut short: it begins as an Excel or zip file does, but cannot be "
            "opened; save or download it again"
        ) from error
    if not members:
        raise InputError(
            f"{shown(name)}: this is a zip file or a document that is no spreadsheet; unpack it, or save its table as "
            ".xlsx or CSV, and send that"
        )
    if far:
        raise InputError(
            f"{shown(name)}: a sheet reaches as far as cell {far}, too far to be read; delete rows and columns after "
            "its table, or save it as CSV"
        )


def _too_far(archive: zipfile.ZipFile, member: str) -> str:
    """The last row and column of a sheet that has too many cells between; empty if it has not.

    python-calamine holds all cells from the first to the last one, empty or not, and ends the process without a word
    if the memory is not enough for that. The sheet's own word for its size counts cells that are only coloured: it is
    not believed alone.
    """
    with archive.open(member) as sheet:
        head = sheet.read(_BLOCK)
        said = _DIMENSION.search(head)
        if said and _place(said[1]) * int(said[2]) <= _CELLS_MAX:
            return ""
        last_row, last_column, text = 0, b"A", head
        while text:
            for column, row in _FILLED.findall(text):
                last_row, last_column = max(last_row, int(row)), max(last_column, column, key=_place)
            more = sheet.read(_BLOCK)
            text = text[-_CELL_SIZE:] + more if more else b""
    return f"{last_column.decode()}{last_row}" if _place(last_column) * last_row > _CELLS_MAX else ""


def _place(column: bytes) -> int:
    """A column's number from 1: A is 1, AA is 27."""
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def _loader(name: str) -> Callable[[io.BytesIO], CalamineWorkbook]:
    try:
        from python_calamine import load_workbook  # noqa: PLC0415 -- an extra
    except ImportError:
        raise UsageError(
            f"{shown(name)}: this is a workbook, which needs python-calamine (bulksend's extra xlsx): pip install "
            "python-calamine; or save the sheet as CSV UTF-8 and send that"
        ) from None
    return load_workbook


@contextmanager
def _explained(name: str) -> Iterator[None]:
    from python_calamine import CalamineError, PasswordError  # noqa: PLC0415 -- an extra

    try:
        yield
    except PasswordError as error:
        raise InputError(f"{shown(name)}: {_LOCKED}") from error
    except (CalamineError, ValueError, OSError) as error:
        raise _broken(name, str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the library's Rust; it is no Exception
            raise
        raise _broken(name, "its content makes no sense") from error


def _broken(name: str, why: str) -> InputError:
    return InputError(
        f"{shown(name)}: the workbook cannot be read ({printable(why, 120)}); open it, save it as .xlsx or CSV, and "
        "send that"
    )


def _text(value: object) -> str:
    """A cell's value as people see it, without the formats that only look: 639171234567, not 6.39E+11."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _EXACT:
            return str(int(value))
        return f"{value:.15g}"  # as many digits as Excel and LibreOffice show: 0.3, not 0.30000000000000004
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(repr(printable(name, 60)) for name in names[:_NAMES_SHOWN]) + more
