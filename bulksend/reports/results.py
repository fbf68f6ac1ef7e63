"""The results: one record per row of the input, derived from the run file, as CSV, JSONL or a workbook."""

from __future__ import annotations

import csv
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache, partial
from operator import itemgetter
from pathlib import Path
from typing import IO

from orjson import dumps, loads

from bulksend.errors import UsageError
from bulksend.files import check_replaceable, replacing
from bulksend.model import Status
from bulksend.planning import harmless
from bulksend.reports.chosen import Chosen, Pairs, words_of
from bulksend.reports.columns import COLUMNS, ESTIMATE_COLUMNS, input_columns
from bulksend.reports.receipts import ReceiptCells
from bulksend.reports.summary import summary_of
from bulksend.reports.whose import check_own, claim
from bulksend.reports.workbook import Summary, check_extra, write_workbook
from bulksend.runs import Place, Run, State, folder_of, holds_run, open_run, place_of

_SAID = itemgetter(
    "messageId", "estimateParts", "estimateMicro", "estimate", "deliveryDeadline", "to", "contactId"
)  # fmt: skip
_NOTHING_SAID = (None,) * 7
_NOT_NOTED = "under way: its outcome is not noted yet"

Record = tuple[object, ...]


def write_results(run: Run, path: Path, where: Pairs = ()) -> Path | None:
    """Write the rows of a run, in input order; the file is replaced when the new one is whole.

    What a run whose file is gone has written there is kept under another name, which is returned.

    Args:
        run: the run.
        path: where to; its ending decides the format: .csv, .jsonl or .xlsx.
        where: what the rows' columns hold that are written; all are, if that is empty.

    Raises:
        UsageError: the ending is of no format, the file holds results of another run or cannot be written, or there is
            no such column or status.
    """
    writer_for(path)
    names = run.facts.columns
    receipts = ReceiptCells(run, has_types=path.suffix.lower() == ".jsonl")
    ours = (*COLUMNS[:-1], *receipts.columns, COLUMNS[-1])
    header = (*ours, *input_columns(names, ours))
    chosen = Chosen(header, where)
    summary = summary_of(run, words_of(where)) if _is_workbook(path) else None
    aside = claim(path, run)
    write_records(path, header, chosen.of(_records(run, len(names), receipts)), summary)
    return aside


def write_estimate(run: Run, path: Path) -> None:
    """Write what each row of a plan comes to; otherwise as `write_results`."""
    check_own(path, None)
    names = run.facts.columns
    write_records(path, (*ESTIMATE_COLUMNS, *input_columns(names, ESTIMATE_COLUMNS)), _estimates(run, len(names)))


def check_output(path: Path, *others: Path) -> None:
    """See, before any work is done, that a file can be written at the end.

    Args:
        path: the file.
        others: files that it must not replace.

    Raises:
        UsageError: it cannot.
    """
    writer_for(path)
    check_replaceable(path, *others)


def inputs_of(run: Run) -> list[Path]:
    """Where a run's input may lie: where it was, and beside the run; its results must not replace it."""
    given = Path(run.facts.input_name)
    return [given, folder_of(place_of(run.place)) / given.name]


def inputs_at(place: Place) -> list[Path]:
    """Where the input of the run of this place may lie, if there is one."""
    if not holds_run(place):
        return []
    with open_run(place) as run:
        return inputs_of(run)


def writer_for(
    path: Path, summary: Summary | None = None
) -> Callable[[IO[str], Sequence[str], Iterable[Record]], None]:
    """The format that a file's ending asks for; a workbook begins with a summary, if there is one.

    Raises:
        UsageError: it asks for none, or for one that cannot be written here.
    """
    if _is_workbook(path):
        check_extra()
        return partial(write_workbook, summary=summary)
    found = {".csv": _write_csv, ".jsonl": _write_jsonl}.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path}: results are written as .csv, .jsonl or .xlsx; give the file one of these endings")
    return found


def write_records(
    path: Path, header: Sequence[str], records: Generator[Record], summary: Summary | None = None
) -> None:
    """Write records under a header, as the file's ending asks for; it is replaced when the new one is whole."""
    write = writer_for(path, summary)
    with replacing(path) as file, closing(records):
        write(file, header, records)


def _is_workbook(path: Path) -> bool:
    return path.suffix.lower() == ".xlsx"


def _records(run: Run, width: int, receipts: ReceiptCells) -> Generator[Record]:
    for row, state, recipient, said, error, http_status, attempts, started_at, text, cells in run.results():
        message_id, parts, micro, estimate, deadline, to, contact = _SAID(loads(said)) if said else _NOTHING_SAID
        is_contact = isinstance(recipient, int)
        yield (
            row,
            state,
            (to or None) if is_contact else recipient,
            recipient if is_contact else contact,
            message_id,
            parts,
            micro,
            estimate,
            deadline,
            _NOT_NOTED if state == State.IN_FLIGHT else error,
            http_status,
            attempts,
            _utc(started_at) if state == State.SENT and started_at is not None else None,
            *receipts.of(row),
            text or None,
            *own_cells(cells, width),
        )


def _estimates(run: Run, width: int) -> Generator[Record]:
    for row, status, recipient, encoding, parts, price, text, error, cells in run.planned():
        is_contact = isinstance(recipient, int)
        sizes = (encoding, parts, price) if status == Status.PENDING else (None, None, None)
        to, contact = (None, recipient) if is_contact else (recipient, None)
        yield (row, status, to, contact, *sizes, error, text or None, *own_cells(cells, width))


def own_cells(cells: str | bytes, width: int) -> list[str | None]:
    """The row's own cells, as many as there are columns; a bad row may have more or fewer."""
    own: list[str | None] = loads(cells)[:width]
    return own + [None] * (width - len(own))


def _write_csv(file: IO[str], header: Sequence[str], records: Iterable[Record]) -> None:
    file.write("\ufeff")  # Excel takes a file without it for its own old encoding
    lines = csv.writer(file)
    lines.writerow(list(map(harmless, header)))
    # A text that begins with a letter or a digit is no formula; the rest is looked at.
    lines.writerows(
        [cell if not isinstance(cell, str) or cell[:1].isalnum() else harmless(cell) for cell in record]
        for record in records
    )


def _write_jsonl(file: IO[str], header: Sequence[str], records: Iterable[Record]) -> None:
    for record in records:
        file.write(dumps(dict(zip(header, record, strict=True))).decode() + "\n")


def _utc(seconds: float) -> str:
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_utc_second(whole)}.{milliseconds:03}Z"


@lru_cache(maxsize=256)  # thousands of messages are sent in one second
def _utc_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")
