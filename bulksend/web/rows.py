"""Rows of a run to be looked at: those that became something, hold something, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from bulksend.runs import Place, Run, open_run

AT_ONCE = 25
_CELLS = 12  # of a row, that are shown
_NUMBERS = str.maketrans("", "", " -()+.")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are looked for.

    Attributes:
        status: of these rows, a `Status` or "in flight"; empty for all.
        why: why they were not sent; empty for any reason.
        holds: what their number, text, cells or reason hold; empty for anything.
        after: the row after which they begin.
    """

    status: str = ""
    why: str = ""
    holds: str = ""
    after: int = 0


class Seen(NamedTuple):
    """A row.

    Attributes:
        row: its number.
        beside: what is written after it: its line in the sheet.
        status: its status.
        why: why it was not sent; empty for nothing.
        to: whom it goes to; empty if that cannot be told.
        text: its message; empty if it has none.
        cells: its own cells, the first of them.
    """

    row: int
    beside: str
    status: str
    why: str
    to: str
    text: str
    cells: tuple[str, ...]


class Found(NamedTuple):
    """Some rows.

    Attributes:
        columns: the names of their own cells.
        rows: they.
        has_more: whether others follow.
    """

    columns: tuple[str, ...]
    rows: tuple[Seen, ...]
    has_more: bool


def look_for(place: Place, asked: Asked) -> Found:
    """Look for rows, no further than is shown.

    Raises:
        RunFileError: the run cannot be read.
    """
    with open_run(place) as run:
        found: list[Seen] = []
        for each in _fitting(run, asked):
            found.append(each)
            if len(found) > AT_ONCE:
                break
        return Found(tuple(run.facts.columns[:_CELLS]), tuple(found[:AT_ONCE]), len(found) > AT_ONCE)


def _fitting(run: Run, asked: Asked) -> Iterator[Seen]:
    holds, digits = asked.holds.casefold(), asked.holds.translate(_NUMBERS)
    lines = run.lines()
    for row, status, who, _, error, *_, text, cells in run.results(asked.after + 1):
        why = error or ""
        if (asked.status and status != asked.status) or (asked.why and why != asked.why):
            continue
        to = "" if who is None else str(who)
        own = tuple("" if cell is None else str(cell) for cell in orjson.loads(cells))
        if holds and not (
            (digits.isdecimal() and digits in to) or any(holds in each.casefold() for each in (text, why, to, *own))
        ):
            continue
        yield Seen(row, lines.beside(row), status, why, to, text, own[:_CELLS])
