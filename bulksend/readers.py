"""Input files as batches of raw rows, streamed: CSV and JSONL, from a file or standard input.

A row that is bad by itself comes with its fault and the rest goes on; what is wrong with the input as a whole raises
InputError.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol, cast

import orjson

from bulksend.errors import InputError

STDIN = "-"

_BATCH_ROWS = 2_000
_BUFFER = 1 << 18  # bytes
_HEAD = 8192  # bytes, by which a file's kind is told
_HEAD_MAX = 1 << 20
_JSON_ENDINGS = {".jsonl", ".ndjson", ".jsonlines"}
_FOREIGN = {b"PK\x03\x04": "an Excel or zip file", b"\x1f\x8b": "a gzip file", b"%PDF": "a PDF file"}
_CELL_MAX = 1_000_000  # characters
_LONG_NUMBER = re.compile(r"[:\[,]\s*-?[0-9.eE+-]{16}")


class RawRow(NamedTuple):
    """One record as it stands in the input.

    Attributes:
        cells: its cells by the columns' order, one for each column known so far, unless there is a fault.
        fault: why it cannot be a row, for people; empty if it can.
    """

    cells: list[str]
    fault: str


class Reader(Protocol):
    """An open input.

    Attributes:
        columns: names of the columns known so far, in order; JSONL may add more while it is read.
    """

    columns: list[str]

    def batches(self) -> Iterator[list[RawRow]]:
        """All rows in input order.

        Raises:
            InputError: the input turned out to be unreadable as a whole.
        """


class Source:
    """An input's bytes, read once, with a digest by which the same input is known again.

    Args:
        name: a file's name, or "-" for standard input.

    Raises:
        InputError: there is no such file, it is empty, or it is no text.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._file = _open(name)
        self._head = b""
        try:
            with _explained(name, lambda: "at its beginning"):
                while _blank(self._head) and len(self._head) < _HEAD_MAX and (more := self._file.read1(_HEAD)):
                    self._head += more
            self._check_head()
        except InputError:
            self.close()
            raise
        self._bytes = _Hashed(self._head, self._file)

    def reader(self) -> Reader:
        """The reader for this input: by its ending, for standard input by its first character.

        Raises:
            InputError: the header cannot be read.
        """
        text = io.TextIOWrapper(io.BufferedReader(self._bytes, _BUFFER), encoding="utf-8-sig", newline="")
        if self._is_json:
            return JsonlReader(self.name, text)
        return CsvReader(self.name, text)

    def digest(self) -> str:
        """SHA-256 of all bytes, hexadecimal; reads what is left."""
        with _explained(self.name, lambda: "before its end"):
            return self._bytes.digest()

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self.name != STDIN:
            self._file.close()

    @property
    def _is_json(self) -> bool:
        if self.name == STDIN:
            return self._head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
        return Path(self.name).suffix.lower() in _JSON_ENDINGS

    def _check_head(self) -> None:
        if _blank(self._head):
            raise InputError(f"{shown(self.name)}: the input is empty; it needs a header line and rows")
        for magic, kind in _FOREIGN.items():
            if self._head.startswith(magic):
                raise InputError(f"{shown(self.name)}: this is {kind}; save the sheet as CSV (UTF-8) and send that")
        if self._head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputError(f"{shown(self.name)}: this is UTF-16 text; save it as CSV (UTF-8) and send that")
        if b"\0" in self._head:
            raise InputError(f"{shown(self.name)}: this is no text file; bulksend reads CSV and JSONL")


class CsvReader:
    """Comma-separated values with a header line (RFC 4180), UTF-8."""

    def __init__(self, name: str, text: io.TextIOBase) -> None:
        self._name = name
        csv.field_size_limit(_CELL_MAX)
        self._lines = csv.reader(text, strict=True)  # else a quote that is not closed swallows the rows after it
        with _explained(name, self._where):
            self.columns = next((line for line in self._lines if any(cell.strip() for cell in line)), [])

    def batches(self) -> Iterator[list[RawRow]]:
        """See `Reader.batches`; lines without any cell are no rows, missing cells at a line's end are empty."""
        width = len(self.columns)
        while True:
            with _explained(self._name, self._where):
                lines = list(islice(self._lines, _BATCH_ROWS))
            if not lines:
                return
            yield [_csv_row(cells, width) for cells in lines if any(cells)]

    def _where(self) -> str:
        return f"after line {self._lines.line_num}"


class JsonlReader:
    """One JSON object a line, UTF-8; its keys are the columns."""

    def __init__(self, name: str, text: io.TextIOBase) -> None:
        self._name = name
        self._lines = enumerate(text, 1)
        self._line = 0
        self._places: dict[str, int] = {}
        self.columns: list[str] = []

    def batches(self) -> Iterator[list[RawRow]]:
        """See `Reader.batches`; blank lines are no rows."""
        while True:
            with _explained(self._name, lambda: f"after line {self._line}"):
                lines = list(islice(self._lines, _BATCH_ROWS))
            if not lines:
                return
            self._line = lines[-1][0]
            rows = [self._row(number, line) for number, line in lines if not line.isspace()]
            for row in rows:  # those before a new column's first appearance have nothing in it
                row.cells.extend([""] * (len(self.columns) - len(row.cells)))
            yield rows

    def _row(self, number: int, line: str) -> RawRow:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            return RawRow([], f"line {number} is not JSON: {error.msg} at character {error.colno}")
        try:
            if _LONG_NUMBER.search(line):
                record = json.loads(line, parse_float=str)  # orjson would round it
            return self._cells(number, record)
        except (ValueError, RecursionError):
            return RawRow([], f"line {number} is nested too deeply, or holds a number that is too long")

    def _cells(self, number: int, record: object) -> RawRow:
        if not isinstance(record, dict):
            return RawRow([], f'line {number} is not a JSON object such as {{"to": "639171234567"}}')
        for name in record:
            if name not in self._places:
                self._places[name] = len(self.columns)
                self.columns.append(name)
        cells = [""] * len(self.columns)
        for name, value in record.items():
            cells[self._places[name]] = value if isinstance(value, str) else _text(value)
        return RawRow(cells, "")


def shown(name: str) -> str:
    """An input's name as people know it."""
    return "standard input" if name == STDIN else name


class _Hashed(io.RawIOBase):
    """Passes a file's bytes on, those already read first, and takes the digest of all."""

    def __init__(self, head: bytes, file: io.BufferedReader) -> None:
        self._head = head
        self._file = file
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        chunk = self._next(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def digest(self) -> str:
        """Read what is left; the digest of all bytes."""
        while self._next(_BUFFER):
            pass
        return self._hash.hexdigest()

    def _next(self, size: int) -> bytes:
        chunk, self._head = self._head[:size], self._head[size:]
        chunk = chunk or self._file.read1(size)
        self._hash.update(chunk)
        return chunk


def _open(name: str) -> io.BufferedReader:
    if name == STDIN:
        if sys.stdin is None:  # it was closed by whoever started us
            raise InputError("standard input: there is none")
        return cast("io.BufferedReader", sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{name}: this is a folder, not a file") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from error


@contextmanager
def _explained(name: str, where: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        seen = error.object[error.start]
        raise InputError(
            f"{shown(name)}: {_undecodable_line(name) or where()} there is a byte (0x{seen:02X}) that is not UTF-8; "
            "save the file as CSV (UTF-8)"
        ) from error
    except csv.Error as error:
        hint = "; a quote is not closed, or one within quotes is not doubled" if "limit" not in str(error) else ""
        raise InputError(f"{shown(name)}: {where()} the file is not CSV: {error}{hint}") from error
    except OSError as error:
        raise InputError(f"{shown(name)}: {where()} the file cannot be read: {error.strerror}") from error


def _undecodable_line(name: str) -> str:
    """Where the first byte is that is not UTF-8: a reader decodes in blocks and cannot tell."""
    if name == STDIN:
        return ""
    with Path(name).open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return f"in line {number}"
    return ""


def _blank(head: bytes) -> bool:
    return not head.removeprefix(b"\xef\xbb\xbf").strip()


def _csv_row(cells: list[str], width: int) -> RawRow:
    if len(cells) == width:
        return RawRow(cells, "")
    if len(cells) < width:
        return RawRow(cells + [""] * (width - len(cells)), "")
    if not any(cell.strip() for cell in cells[width:]):
        return RawRow(cells[:width], "")
    return RawRow(cells, f"the row has {len(cells)} cells, the header {width}: is a comma not within quotes?")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
