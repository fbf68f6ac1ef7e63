"""Workbooks in Excel's binary kinds, .xls and .xlsb, by python-calamine, an extra that is imported only for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from bulksend.planning.reading.books.book import BrokenBookError, Line, NoLibraryError, SheetName, first_lines
from bulksend.planning.reading.books.package import LOCKED
from bulksend.planning.reading.books.plain import plain

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_LINES = 500  # at a time
_WHY_MAX = 120


class LegacyBook:
    """A workbook of whose looks nothing can be told.

    Args:
        file: the whole file.

    Raises:
        BrokenBookError: it is broken or locked.
        NoLibraryError: python-calamine is not installed.
    """

    is_seen = False

    def __init__(self, file: BinaryIO) -> None:
        try:
            from python_calamine import load_workbook  # noqa: PLC0415 -- an extra
        except ImportError:
            raise NoLibraryError from None
        with _explained():
            self._book = load_workbook(file)
            found = self._book.sheets_metadata
            self.sheets = [SheetName(sheet.name, str(sheet.visible).endswith(".Visible")) for sheet in found]
            self._has_cells = [str(sheet.typ).endswith(".WorkSheet") for sheet in found]

    def top(self, place: int, count: int) -> list[Line]:
        """See `Book.top`."""
        return first_lines(self.sheet(place), count) if self._has_cells[place] else []

    def sheet(self, place: int) -> LegacySheet:
        """See `Book.sheet`."""
        with _explained():
            return LegacySheet(self._book.get_sheet_by_index(place))


class LegacySheet:
    """A sheet; see `Sheet`."""

    is_filtered = False

    def __init__(self, sheet: CalamineSheet) -> None:
        self.hidden_columns: list[tuple[int, int]] = []
        self._sheet = sheet

    def lines(self) -> Iterator[list[Line]]:
        """See `Sheet.lines`."""
        if self._sheet.start is None:
            return
        first_line, first_column = self._sheet.start
        before = [""] * first_column
        with _explained():
            numbered = enumerate(self._sheet.iter_rows(), first_line + 1)
        while True:
            with _explained():
                some = list(islice(numbered, _LINES))
            if not some:
                return
            texts = [(number, [cell if isinstance(cell, str) else plain(cell) for cell in row]) for number, row in some]
            yield [Line(number, False, before + row, [], []) for number, row in texts if any(row)]


@contextmanager
def _explained() -> Iterator[None]:
    from python_calamine import CalamineError, PasswordError  # noqa: PLC0415 -- an extra

    try:
        yield
    except PasswordError as error:
        raise BrokenBookError(LOCKED) from error
    except (CalamineError, ValueError, OSError) as error:
        raise broken(str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the library's Rust; it is no Exception
            raise
        raise broken("its content makes no sense") from error


def broken(why: str) -> BrokenBookError:
    """What is said of a workbook that the library cannot read."""
    why = " ".join(why.split())[:_WHY_MAX]
    return BrokenBookError(f"the workbook cannot be read ({why}); open it, save it as .xlsx or CSV, and send that")
