"""What results tell of a run, by which a file of them is known as that run's: who was sent to, or may have been."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import orjson

from bulksend.model import Status
from bulksend.reports.columns import COLUMNS
from bulksend.reports.workbook import mark_of
from bulksend.runs import State

_CELL_MAX = 2**31 - 1
_OURS = list(COLUMNS[:2])  # by which a file is known to hold results, and where a row's status stands
_NAMES = ("status", "messageId", "to", "contactId")
_MAY_HAVE_ARRIVED = frozenset({Status.SENT, Status.UNKNOWN, State.IN_FLIGHT})


class ToldSend(NamedTuple):
    """A row of results that was sent, or may have been.

    Attributes:
        status: its status.
        message_id: the API's id of it; empty or None if it was not told.
        to: the number, as far as it was known.
        contact_id: the contact, as far as it was known.
    """

    status: object
    message_id: object
    to: object
    contact_id: object


class ToldRows(NamedTuple):
    """What results tell.

    Attributes:
        sent: rows that were accepted.
        in_doubt: rows that may have been.
    """

    sent: int
    in_doubt: int


def told_by(path: Path) -> ToldRows:
    """What a file of results tells; nothing if it is none, or is not there."""
    if path.suffix.lower() == ".xlsx":
        mark = mark_of(path)
        return ToldRows(mark.sent, mark.in_doubt) if mark else ToldRows(0, 0)
    found = Counter(told.status for told in sends_told_by(path))
    return ToldRows(found[Status.SENT], found[Status.UNKNOWN] + found[State.IN_FLIGHT])


def sends_told_by(path: Path) -> Iterator[ToldSend]:
    """The same, row by row."""
    with suppress(OSError, ValueError, csv.Error):  # what stands before the fault counts all the same
        for told in _of_jsonl(path) if path.suffix.lower() == ".jsonl" else _of_csv(path):
            if told.status in _MAY_HAVE_ARRIVED:
                yield told


def _of_csv(path: Path) -> Iterator[ToldSend]:
    csv.field_size_limit(_CELL_MAX)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        if header[:2] != _OURS:
            return
        places = [header.index(name) if name in header else len(header) for name in _NAMES]
        told = itemgetter(*places)
        missing = [""] * (len(header) + 1)
        for line in lines:
            yield ToldSend(*told([*line, *missing[len(line) :]]))


def _of_jsonl(path: Path) -> Iterator[ToldSend]:
    with path.open("rb") as file:
        for line in file:
            record = orjson.loads(line)
            if not isinstance(record, dict) or list(record)[:2] != _OURS:
                return
            yield ToldSend(*map(record.get, _NAMES))
