"""The sheet of what is left to mend: rows that were not sent, in the input's own columns, so that it is an input."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from bulksend.reports.columns import input_columns
from bulksend.reports.results import Record, own_cells, write_records
from bulksend.runs import Facts, Run
from bulksend.sms import Template, column_key

OURS = ("error", "line")
"""What stands behind the input's own columns: why the row was not sent, and its line in the sheet."""


def write_mending(run: Run, path: Path) -> None:
    """Write the rows that were certainly not sent; the file is replaced when the new one is whole.

    The input's columns keep their names, for its texts are filled from them: where one of ours is taken, ours yields.

    Raises:
        UsageError: the file's ending is of no format, or it cannot be written.
    """
    own = _own_columns(run.facts)
    ours = [_free(name, own) for name in OURS]
    # An object cannot have a name twice, as a sheet can.
    names = own if path.suffix.lower() == ".csv" else input_columns(own, ours)
    write_records(path, (*names, *ours), _records(run, len(own)))


def _records(run: Run, width: int) -> Generator[Record]:
    lines = run.lines()
    for row, error, cells in run.to_mend():
        yield (*own_cells(cells, width), error, lines.of(row))


def _own_columns(facts: Facts) -> Sequence[str]:
    """The input's own columns: without ours, if it was such a sheet itself and no text is filled from them."""
    filled = frozenset[str]().union(
        *(Template.parse(text).possible_columns for text in (facts.template, facts.sender) if text)
    )
    is_ours = facts.columns[-len(OURS) :] == OURS and filled.isdisjoint(map(column_key, OURS))
    return facts.columns[: -len(OURS)] if is_ours else facts.columns


def _free(name: str, taken: Sequence[str]) -> str:
    keys = set(map(column_key, taken))
    while column_key(name) in keys:
        name = f"retry_{name}"
    return name
