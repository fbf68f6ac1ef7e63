"""An input: its bytes, handed to the reader for their kind."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from bulksend.errors import InputError, Remark, UsageError
from bulksend.planning.reading.delimited import DelimitedReader
from bulksend.planning.reading.encodings import Utf8Stream, encoding_of
from bulksend.planning.reading.formats import WORKBOOK, foreign, is_binary
from bulksend.planning.reading.hashed import HashedFile, Unpacked
from bulksend.planning.reading.header import IsRecipient
from bulksend.planning.reading.jsonl import JsonlReader
from bulksend.planning.reading.raw import EMPTY, STDIN, Reader, ReadOptions, shown
from bulksend.planning.reading.workbook import WorkbookReader

_HEAD = 1 << 16  # bytes, by which a file's kind is told
_HEAD_MAX = 1 << 20  # if it begins with blank lines
_JSON_ENDINGS = {".jsonl", ".ndjson", ".jsonlines", ".json"}
_PIECE = 1 << 20  # bytes
_DETECT = ReadOptions()


def _never(_name: str) -> bool:
    return False


class Source:
    """An input's bytes, read once, with a digest by which the same input is known again.

    Args:
        name: a file's name, or "-" for standard input.
        options: what the user says of it.

    Raises:
        InputError: there is no such file, it is empty, or it is of no kind that can be read.
        UsageError: the options do not fit its kind.
    """

    def __init__(self, name: str, options: ReadOptions = _DETECT) -> None:
        self.name = name
        self._options = options
        self._file = HashedFile(name)
        self._reader: Reader | None = None
        self._book: WorkbookReader | None = None
        self._stream: Utf8Stream | None = None
        self._content: HashedFile | Unpacked
        try:
            self._look()
        except UsageError:
            self.close()
            raise

    def reader(self, is_recipient: IsRecipient = _never) -> Reader:
        """The reader for this input: by its content, and JSONL by its name too.

        Args:
            is_recipient: whether a column's name is one for the recipient: by that a sheet and its header are found.

        Raises:
            InputError: the header cannot be read.
            UsageError: there is no such sheet, or a library for its kind is not installed.
        """
        if self._is_workbook:
            whole = chain([self._head], iter(lambda: self._content.read1(_PIECE), b""))
            self._book = self._reader = WorkbookReader(self.name, whole, self._options, is_recipient)
            return self._reader
        self._stream = Utf8Stream(self.name, self._encoding, self._head, self._content.read1)
        if self._is_json:
            self._reader = JsonlReader(self._stream)
        else:
            self._reader = DelimitedReader(self.name, self._stream, self._text, self._options, is_recipient)
        return self._reader

    def digest(self) -> str:
        """SHA-256 of all bytes as they are on the disk, hexadecimal; reads what is left.

        Raises:
            InputError: the file changed while it was read, or cannot be read to its end.
        """
        return self._file.digest()

    @property
    def notes(self) -> list[Remark]:
        """Once all is read: what was detected that is not plain CSV in UTF-8."""
        encoding = self._stream.notes if self._stream and self._options.encoding is None else []
        return [*encoding, *(self._reader.notes if self._reader else [])]

    @property
    def sheets(self) -> tuple[str, tuple[str, ...]]:
        """Of a workbook, the sheet that is read, and those that could be; of whatever is none, none."""
        return (self._book.sheet, self._book.sheets) if self._book else ("", ())

    def close(self) -> None:
        """Close the file, and stop reading it; standard input stays open."""
        self._file.close_file()
        if self._book:
            self._book.close()

    def _look(self) -> None:
        """Read the beginning, and tell by it what this is."""
        self._content = Unpacked(self.name, self._file) if self._file.is_gzip else self._file
        self._head = self._content.read(_HEAD)
        self._is_workbook = self._head.startswith(WORKBOOK)
        if self._is_workbook:
            return
        if self._options.sheet is not None:
            raise UsageError(f"{shown(self.name)}: this is no workbook, so it has no sheet {self._options.sheet!r}")
        if self._options.visible_only:
            raise UsageError(f"{shown(self.name)}: this is no workbook, so none of its rows are hidden")
        if says := foreign(self._head):
            raise InputError(f"{shown(self.name)}: {says}")
        self._encoding = self._options.encoding or encoding_of(self._head)
        self._text = self._decoded_head()
        while not self._text.strip():
            more = self._content.read(_HEAD) if len(self._head) < _HEAD_MAX else b""
            if not more:
                raise InputError(f"{shown(self.name)}: {EMPTY}")
            self._head += more
            self._text = self._decoded_head()
        if is_binary(self._text):
            raise InputError(f"{shown(self.name)}: this is no text file; bulksend reads CSV, JSONL, .xlsx and .ods")
        self._is_json = self._tell_json()
        if self._is_json and self._options.header_row is not None:
            raise UsageError(f"{shown(self.name)}: this is JSONL, which has no header line")

    def _decoded_head(self) -> str:
        """The beginning as text, to look at; what is garbled in it does not matter for that."""
        return self._head.decode(self._encoding or "utf-8", errors="replace").removeprefix("\ufeff")

    def _tell_json(self) -> bool:
        ending = Path(self.name.lower().removesuffix(".gz")).suffix
        first = self._text.lstrip()[0]
        by_content = self.name == STDIN or not ending  # /dev/fd/63 has none
        if ending not in _JSON_ENDINGS and not by_content:
            return False
        if first == "[":
            raise InputError(
                f"{shown(self.name)}: this is one JSON array; one object a line is needed (JSONL), as jq -c '.[]' "
                "writes it"
            )
        return ending in _JSON_ENDINGS or first == "{"
