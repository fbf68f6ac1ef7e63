"""What results tell of a run whose file is gone: how many of its rows were sent, or may have been."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import orjson

from bulksend.model import Status
from bulksend.reports.results import COLUMNS
from bulksend.reports.workbook import mark_of
from bulksend.runs import State

_CELL_MAX = 2**31 - 1
_OURS = list(COLUMNS[:2])  # by which a file is known to hold results, and where a row's status stands


class Told(NamedTuple):
    """What results tell.

    Attributes:
        sent: rows that were accepted.
        in_doubt: rows that may have been.
    """

    sent: int
    in_doubt: int


def told_by(path: Path) -> Told:
    """What a file of results tells; nothing if it is none, or is not there."""
    if path.suffix.lower() == ".xlsx":
        mark = mark_of(path)
        return Told(mark.sent, mark.in_doubt) if mark else Told(0, 0)
    statuses = _of_jsonl(path) if path.suffix.lower() == ".jsonl" else _of_csv(path)
    found: Counter[object] = Counter()
    with suppress(OSError, ValueError, csv.Error):  # what stands before the fault counts all the same
        for status in statuses:
            found[status] += 1
    return Told(found[Status.SENT], found[Status.UNKNOWN] + found[State.IN_FLIGHT])


def _of_csv(path: Path) -> Iterator[object]:
    csv.field_size_limit(_CELL_MAX)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        if next(lines, [])[:2] == _OURS:
            yield from (line[1] for line in lines if len(line) > 1)


def _of_jsonl(path: Path) -> Iterator[object]:
    with path.open("rb") as file:
        for line in file:
            record = orjson.loads(line)
            if not isinstance(record, dict) or list(record)[:2] != _OURS:
                return
            yield record["status"]
