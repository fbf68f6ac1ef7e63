"""JSON Lines: one object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import orjson

from bulksend.errors import Remark
from bulksend.planning.reading.encodings import Utf8Stream
from bulksend.planning.reading.escaped import each_cell, without_formula
from bulksend.planning.reading.raw import BATCH_ROWS, RawBatch, nul_flaws

_LONG_NUMBER = re.compile(r"[:\[,]\s*-?[0-9.eE+-]{16}")


class JsonlReader:
    """One JSON object a line; its keys are the columns."""

    is_fixed = False

    def __init__(self, stream: Utf8Stream) -> None:
        self._line = 0
        self._lines = self._counted(stream.as_text())
        stream.lines_taken = lambda: self._line
        self._places: dict[str, int] = {}
        self.columns: list[str] = []
        self.notes: list[Remark] = []

    def batches(self) -> Iterator[RawBatch]:
        """See `Reader.batches`; blank lines are no rows."""
        while lines := list(islice(self._lines, BATCH_ROWS)):
            rows: list[list[str]] = []
            flaws: dict[int, str] = {}
            for number, line in enumerate(lines, self._line - len(lines) + 1):
                if line.isspace():
                    continue
                try:
                    rows.append(self._cells(line))
                except ValueError as error:
                    flaws[len(rows)] = f"line {number} {error}"
                    rows.append([])
            for place, cells in enumerate(rows):
                if place not in flaws:  # those before a new column's first appearance have nothing in it
                    cells.extend([""] * (len(self.columns) - len(cells)))
            rows = each_cell(rows, without_formula)  # a JSON string needs no apostrophe
            if rows:
                yield RawBatch(rows, nul_flaws(rows) | flaws)

    def _counted(self, text: Iterable[str]) -> Iterator[str]:
        for line in text:
            self._line += 1
            yield line

    def _cells(self, line: str) -> list[str]:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"is not JSON: {error.msg} at character {error.colno}") from None
        try:
            if _LONG_NUMBER.search(line):
                record = json.loads(line, parse_float=str)  # orjson would round it
            texts = _texts(record)
        except (ValueError, RecursionError):
            raise ValueError("is nested too deeply, or holds a number that is too long") from None
        if texts is None:
            raise ValueError('is not a JSON object such as {"to": "639171234567"}')
        for name in texts:
            if name not in self._places:
                self._places[name] = len(self.columns)
                self.columns.append(name)
        cells = [""] * len(self.columns)
        for name, text in texts.items():
            cells[self._places[name]] = text
        return cells


def _texts(record: object) -> dict[str, str] | None:
    if not isinstance(record, dict):
        return None
    return {name: value if isinstance(value, str) else _text(value) for name, value in record.items()}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
