"""Workbooks of Excel and LibreOffice, as a person sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from bulksend.errors import InputError, Remark, Severity, UsageError
from bulksend.planning.reading.books import BookProcess, BrokenBookError, Choice, NoLibraryError
from bulksend.planning.reading.escaped import as_meant, each_cell
from bulksend.planning.reading.header import LOOKED_AT, IsRecipient, header_note, header_place
from bulksend.planning.reading.marks import Mark, MarkKind
from bulksend.planning.reading.raw import EMPTY, Looks, RawBatch, ReadOptions, check_header, nul_flaws, shown
from bulksend.rules import Rule
from bulksend.words import printable

_NAMES_SHOWN = 5
_UNSEEN = (
    "in a workbook of this kind (.xls, .xlsb) it cannot be seen which rows are hidden, nor how numbers and dates are "
    "shown"
)

_NO_LIBRARY = (
    "this is a workbook of Excel's binary kinds (.xls, .xlsb), which needs python-calamine (bulksend's extra xlsx): "
    "pip install python-calamine; or save the sheet as .xlsx or CSV UTF-8 and send that"
)


class _Shown(NamedTuple):
    """A sheet by its first lines."""

    place: int
    name: str
    is_visible: bool
    lines: list[tuple[int, list[str]]]


class WorkbookReader:
    """One sheet's rows, below its header.

    A formula gives the value that the program saved with it. The sheet that is read is the one that is named; else of
    those that are shown the first that has a column for the recipient, else the first that has any cell.

    Args:
        name: the input's name, for errors.
        content: the whole file, in pieces.
        options: what the user says of it.
        is_recipient: whether a column's name is one for the recipient.

    Attributes:
        sheet: the name of the sheet that is read.
        sheets: the names of those that could be, in their order: it, and all that are shown and have any cell.

    Raises:
        InputError: this is no workbook that can be read, or the sheet has no header.
        UsageError: there is no such sheet, its hidden rows cannot be seen, or python-calamine is not installed.
    """

    is_fixed = True

    def __init__(self, name: str, content: Iterable[bytes], options: ReadOptions, is_recipient: IsRecipient) -> None:
        self._name = name
        self._options = options
        self.notes: list[Remark] = []
        self.sheet = ""
        self.sheets: tuple[str, ...] = ()
        self._process = BookProcess(content, LOOKED_AT)
        try:
            self.columns = self._open(is_recipient)
        except BaseException:
            self.close()
            raise

    def batches(self) -> Iterator[RawBatch]:
        """See `Reader.batches`; lines without anything in the header's columns are no rows."""
        while (message := self._message())[0] == "rows":
            _, rows, lines, hidden, values, marks = message
            rows = each_cell(rows, as_meant)
            looks = Looks(lines, True, frozenset(hidden), _by_column(values), _marked(marks))
            yield RawBatch(rows, nul_flaws(rows), looks)
        if message[1]:
            self.notes.append(Remark("a filter is set in the sheet", Rule.READ_HIDDEN))
        self.close()

    def close(self) -> None:
        """Stop reading."""
        self._process.close()

    def _open(self, is_recipient: IsRecipient) -> list[str]:
        _, is_seen, said = self._message()
        if not is_seen:
            if self._options.visible_only:
                raise UsageError(f"{shown(self._name)}: {_UNSEEN}; save it as .xlsx to leave them out")
            self.notes.append(Remark(f"{_UNSEEN}; save it as .xlsx if that matters", Rule.READ_HIDDEN))
        sheets = [_Shown(place, *sheet) for place, sheet in enumerate(said)]
        sheet, line = self._chosen(sheets, is_recipient)
        self.sheet = sheet.name
        self.sheets = tuple(each.name for each in sheets if each is sheet or (each.lines and each in _visible(sheets)))
        cells = next((cells for number, cells in sheet.lines if number == line), [])
        first = next((place for place, cell in enumerate(cells) if cell.strip()), 0)
        named = [] if self._options.may_lack_header else cells[first:]
        recipients = [place for place, cell in enumerate(named) if is_recipient(cell)]
        with self._explained():
            self._process.choose(Choice(sheet.place, line, self._options.may_lack_header, recipients))
        message = self._message()
        columns: list[str] = list(map(as_meant, message[1]))
        hidden: list[str] = message[2]
        if not any(map(str.strip, columns)) and self._options.header_row:
            raise UsageError(f"{shown(self._name)}: line {line} of the sheet {printable(sheet.name)!r} is empty")
        check_header(self._name, columns, self._options)
        if hidden:
            are = "the column {} is" if len(hidden) == 1 else "the columns {} are"
            says = f"{are.format(_listed(hidden))} hidden in the sheet, and read all the same"
            self.notes.append(Remark(says, Rule.READ_HIDDEN, about={"columns": _listed(hidden)}))
        return columns

    def _chosen(self, sheets: Sequence[_Shown], is_recipient: IsRecipient) -> tuple[_Shown, int]:
        """The sheet that is read, and its header's line; what else it might have been is noted."""
        sheet = self._named(sheets) if self._options.sheet is not None else self._first(sheets, is_recipient)
        line = self._options.header_row or _header_line(sheet, is_recipient)
        above = sum(number < line for number, _ in sheet.lines)
        if not self._options.header_row and above:
            self.notes.append(header_note(line, above))
        return sheet, line

    def _first(self, sheets: Sequence[_Shown], is_recipient: IsRecipient) -> _Shown:
        visible = _visible(sheets)
        filled = [sheet for sheet in visible if sheet.lines]
        if not filled:
            raise InputError(f"{shown(self._name)}: {EMPTY}")
        if said := self._options.header_row:
            filled = [sheet for sheet in filled if any(number == said for number, _ in sheet.lines)] or filled
        fitting = [sheet for sheet in filled if self._fits(sheet, is_recipient)]
        sheet = (fitting or filled)[0]
        if others := [other.name for other in visible if other is not sheet]:
            why = ", for it has a column for the recipient" if fitting and sheet is not filled[0] else ""
            are = "other is" if len(others) == 1 else "others are"
            note = f"sheet {printable(sheet.name)!r} is read{why}; {len(others)} {are} not: {_listed(others)}"
            if rivals := [rival.name for rival in fitting[1:]]:
                note += f" ({_listed(rivals)} with a column for the recipient too)"
            self.notes.append(Remark(note, Rule.READ_SHEET, severity=Severity.PERSON if rivals else Severity.NOTE))
        return sheet

    def _fits(self, sheet: _Shown, is_recipient: IsRecipient) -> bool:
        said = self._options.header_row
        if said is None:
            return header_place([cells for _, cells in sheet.lines], is_recipient) is not None
        return any(number == said and any(map(is_recipient, cells)) for number, cells in sheet.lines)

    def _named(self, sheets: Sequence[_Shown]) -> _Shown:
        wanted = self._options.sheet or ""
        for sheet in sheets:
            if sheet.name == wanted:
                break
        else:
            if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(sheets)):
                names = _listed([sheet.name for sheet in sheets])
                raise UsageError(
                    f"{shown(self._name)}: there is no sheet {printable(wanted)!r}; its sheets are {names}"
                )
            sheet = sheets[int(wanted) - 1]
        if not sheet.lines:
            raise InputError(f"{shown(self._name)}: {EMPTY}")
        return sheet

    def _message(self) -> list[Any]:
        with self._explained():
            return self._process.message()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except BrokenBookError as error:
            self.close()
            raise InputError(f"{shown(self._name)}: {printable(str(error))}") from error
        except NoLibraryError as error:
            raise UsageError(f"{shown(self._name)}: {_NO_LIBRARY}") from error


def _visible(sheets: Sequence[_Shown]) -> Sequence[_Shown]:
    return [sheet for sheet in sheets if sheet.is_visible] or sheets


def _header_line(sheet: _Shown, is_recipient: IsRecipient) -> int:
    place = header_place([cells for _, cells in sheet.lines], is_recipient)
    return sheet.lines[place or 0][0]


def _by_column(cells: Sequence[tuple[int, int, str]]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for column, place, value in cells:
        found.setdefault(column, {})[place] = value
    return found


def _marked(cells: Sequence[tuple[int, int, str, str]]) -> dict[int, dict[int, Mark]]:
    found: dict[int, dict[int, Mark]] = {}
    for column, place, kind, about in cells:
        found.setdefault(column, {})[place] = Mark(MarkKind(kind), about)
    return found


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(repr(printable(name, 60)) for name in names[:_NAMES_SHOWN]) + more
