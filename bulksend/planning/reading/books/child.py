"""The process in which a workbook is read: whatever its content makes of the reader, the campaign's own goes on.

It gets the number of an open file and how many lines of each sheet to show; it shows them, is told which sheet and
which line is the header (`Choice`), and sends the rows after it. See `process` for the other end.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Container, Iterator
from itertools import chain
from signal import SIG_IGN, SIGINT, SIGKILL, signal
from typing import BinaryIO

from bulksend.planning.reading.books import messages
from bulksend.planning.reading.books.book import Book, BrokenBookError, Line, NoLibraryError, Sheet
from bulksend.planning.reading.books.legacy import LegacyBook
from bulksend.planning.reading.books.messages import Choice
from bulksend.planning.reading.books.opendocument import CONTENT, OdsBook
from bulksend.planning.reading.books.package import LOCKED, Package
from bulksend.planning.reading.books.xlsx import XlsxBook, main_part

MEMORY = 2 << 30  # bytes
_CPU_S = 3600  # should nothing else end it
_BATCH = 500  # rows
_TICK_S = 1.0
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG, in linux/prctl.h
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # a stream's name in OLE2 (MS-OFFCRYPTO 2.1.4)


def main() -> None:
    """Read the workbook as `process` asks for it."""
    number, tops, parent = map(int, sys.argv[1:])
    limit(parent)
    out = _Out()
    try:
        with os.fdopen(number, "rb") as file:
            _serve(file, tops, out)
    except BrokenBookError as error:
        out.send("broken", str(error))
    except NoLibraryError:
        out.send("library")
    except MemoryError:
        out.send("memory")
    except BrokenPipeError:
        sys.exit(1)  # whoever wanted it is gone
    except Exception as error:  # noqa: BLE001 -- a content that nobody has thought of
        out.send("broken", f"the workbook cannot be read: its content makes no sense ({type(error).__name__})")


def limit(parent: int) -> None:
    """Hold this process to its limits, and to the life of the one that started it; Ctrl-C is that one's business."""
    signal(SIGINT, SIG_IGN)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 -- not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 -- for Linux only

        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


class _Out:
    """The way to the parent."""

    def __init__(self) -> None:
        self._said_s = time.monotonic()

    def send(self, *message: object) -> None:
        """Send a message."""
        messages.write(sys.stdout.buffer, message)
        self._said_s = time.monotonic()

    def tick(self) -> None:
        """Say now and then that there is progress."""
        if time.monotonic() - self._said_s > _TICK_S:
            self.send("tick")


def _serve(file: BinaryIO, tops: int, out: _Out) -> None:
    book = _opened(file, tops, out)
    shown = []
    for place, (name, is_visible) in enumerate(book.sheets):
        top = [(line.number, line.cells) for line in book.top(place, tops) if any(map(str.strip, line.cells))]
        shown.append((name, is_visible, top))
        out.tick()
    out.send("sheets", book.is_seen, shown)
    answer = sys.stdin.buffer.readline()
    if answer:
        choice = Choice.read(answer)
        sheet = book.sheet(choice.sheet)
        _send_rows(sheet, choice, _width(book, choice), out)
        out.send("end", sheet.is_filtered)


def _opened(file: BinaryIO, tops: int, out: _Out) -> Book:
    if file.read(2) != b"PK":
        file.seek(0)
        if any(_ENCRYPTED in block for block in _blocks(file)):
            raise BrokenBookError(LOCKED)
        file.seek(0)
        return LegacyBook(file)
    package = Package(file, out.tick)
    main = main_part(package)
    if main is not None and main.endswith(".bin"):
        file.seek(0)
        return LegacyBook(file)
    if main is not None:
        return XlsxBook(package, main)
    if CONTENT in package:
        return OdsBook(package, tops)
    raise BrokenBookError(
        "this is a zip file or a document that is no spreadsheet; unpack it, or save its table as .xlsx or CSV, and "
        "send that"
    )


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    before = b""
    while block := file.read(1 << 20):
        yield before + block
        before = block[-len(_ENCRYPTED) :]


def _width(book: Book, choice: Choice) -> int:
    """How many columns there are, if all are wanted."""
    if not choice.is_whole:
        return 0
    return max((len(line.cells) for line in chain.from_iterable(book.sheet(choice.sheet).lines())), default=0)


def _send_rows(sheet: Sheet, choice: Choice, width: int, out: _Out) -> None:
    lines = chain.from_iterable(sheet.lines())
    header = next((line for line in lines if line.number >= choice.line), None)
    if header is None or header.number != choice.line:
        out.send("columns", [], [])
        return
    named = [place for place, cell in enumerate(header.cells) if cell.strip()]
    first, end = (0, width) if choice.is_whole or not named else (named[0], named[-1] + 1)
    columns = header.cells[first:end] + [""] * (end - len(header.cells))
    hidden = [
        name
        for place, name in enumerate(columns, first)
        if any(low <= place <= high for low, high in sheet.hidden_columns)
    ]
    out.send("columns", columns, hidden)
    batch = _Batch(first, end, range(end) if choice.is_whole else {place + first for place in choice.recipients})
    for line in lines:
        batch.add(line)
        if len(batch.rows) == _BATCH:
            out.send("rows", *batch.taken())
    if batch.rows:
        out.send("rows", *batch.taken())


class _Batch:
    """Rows on their way, cut to the header's columns.

    Args:
        first: the place of the first column.
        end: the place after the last one.
        recipients: the places where an error makes a row of an otherwise empty line.
    """

    def __init__(self, first: int, end: int, recipients: Container[int]) -> None:
        self._first = first
        self._end = end
        self._recipients = recipients
        self._clear()

    def add(self, line: Line) -> None:
        """Take a line in, if it is a row: something stands within its columns."""
        first, end = self._first, self._end
        cells = line.cells[first:end]
        if not any(map(str.strip, cells)) and not self._matters(line):
            return
        cells.extend([""] * (end - first - len(cells)))
        place = len(self.rows)
        self.rows.append(cells)
        self._lines.append(line.number)
        if line.is_hidden:
            self._hidden.append(place)
        for column, value in line.values:
            if first <= column < end:
                self._values.append((column - first, place, value))
        for column, mark in line.marks:
            if first <= column < end:
                self._marks.append((column - first, place, *mark))

    def taken(self) -> tuple[object, ...]:
        """What there is; from now on there is nothing."""
        found = (self.rows, self._lines, self._hidden, self._values, self._marks)
        self._clear()
        return found

    def _matters(self, line: Line) -> bool:
        """Whether an empty line is a row for its marks: formulas drawn down beyond a table show errors there."""
        return any(
            column in self._recipients if mark.kind == "error" else self._first <= column < self._end
            for column, mark in line.marks
        )

    def _clear(self) -> None:
        self.rows: list[list[str]] = []
        self._lines: list[int] = []
        self._hidden: list[int] = []
        self._values: list[tuple[int, int, str]] = []
        self._marks: list[tuple[object, ...]] = []


if __name__ == "__main__":
    main()
