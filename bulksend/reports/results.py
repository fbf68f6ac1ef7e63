"""The results: one record per row of the input, derived from the run file, as CSV, JSONL or a workbook."""

from __future__ import annotations

import csv
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import IO, NamedTuple, cast

from orjson import dumps, loads

from bulksend.errors import UsageError
from bulksend.files import check_replaceable, replacing
from bulksend.model import Status
from bulksend.planning import harmless
from bulksend.reports.chosen import Chosen, Pairs, words_of
from bulksend.reports.columns import COLUMNS, ESTIMATE_COLUMNS, input_columns
from bulksend.reports.receipts import COLUMNS as RECEIPT_COLUMNS
from bulksend.reports.receipts import ReceiptCells
from bulksend.reports.summary import summary_of
from bulksend.reports.whose import check_own, claim
from bulksend.reports.workbook import Summary, check_extra, write_workbook
from bulksend.runs import Place, ResultRow, Run, State, folder_of, holds_run, open_run, place_of

_SAID = itemgetter(
    "messageId", "estimateParts", "estimateMicro", "estimate", "deliveryDeadline", "to", "contactId"
)  # fmt: skip
_NOTHING_SAID = (None,) * 7
_IN_FLIGHT, _SENT = State.IN_FLIGHT.value, State.SENT.value
_AT_ONCE = 500  # rows
_TEXTS = {str, type(None)}
_QUOTED = ',"\r\n'
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
    header = header_of(run)
    chosen = Chosen(header, where)
    summary = summary_of(run, words_of(where)) if _is_workbook(path) else None
    aside = claim(path, run)
    write_records(path, header, chosen.of(records_of(run, path)), summary)
    return aside


def header_of(run: Run) -> tuple[str, ...]:
    """The columns of a run's results."""
    receipts = RECEIPT_COLUMNS if run.receipts.were_fetched else ()
    ours = (*COLUMNS[:-1], *receipts, COLUMNS[-1])
    return (*ours, *input_columns(run.facts.columns, ours))


def records_of(run: Run, path: Path, rows: range | None = None) -> Generator[Record]:
    """What results say of a run's rows, or of some that follow one another, in input order."""
    receipts = ReceiptCells(run, rows, has_types=path.suffix.lower() == ".jsonl")
    found = run.results() if rows is None else run.results(rows.start, rows.stop - 1)
    return _records(found, len(run.facts.columns), receipts)


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
    found = TEXTS.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path}: results are written as .csv, .jsonl or .xlsx; give the file one of these endings")
    return found.write


def write_records(
    path: Path, header: Sequence[str], records: Generator[Record], summary: Summary | None = None
) -> None:
    """Write records under a header, as the file's ending asks for; it is replaced when the new one is whole."""
    write = writer_for(path, summary)
    with replacing(path) as file, closing(records):
        write(file, header, records)


def _is_workbook(path: Path) -> bool:
    return path.suffix.lower() == ".xlsx"


def _records(rows: Iterable[ResultRow], width: int, receipts: ReceiptCells) -> Generator[Record]:
    following = iter(rows)
    while some := list(islice(following, _AT_ONCE)):
        yield from zip(*_columns(some, width, receipts), strict=True)


def _columns(some: Sequence[ResultRow], width: int, receipts: ReceiptCells) -> Iterable[Sequence[object]]:
    """What results say of some rows, column by column."""
    rows, states, who, said, errors, http, attempts, started, texts, cells = zip(*some, strict=True)
    message_ids, parts, micro, estimates, deadlines, told, contacts = zip(
        *(_SAID(loads(answer)) if answer else _NOTHING_SAID for answer in said), strict=True
    )
    sent = zip(states, started, strict=True)
    own = list(map(loads, cells))
    if any(len(row) != width for row in own):
        own = [own_cells(row, width) for row in cells]
    return (
        rows,
        states,
        [(to or None) if isinstance(each, int) else each for each, to in zip(who, told, strict=True)],
        [each if isinstance(each, int) else contact for each, contact in zip(who, contacts, strict=True)],
        message_ids,
        parts,
        micro,
        estimates,
        deadlines,
        [_NOT_NOTED if state == _IN_FLIGHT else error for state, error in zip(states, errors, strict=True)],
        http,
        attempts,
        [_utc(at) if state == _SENT and at is not None else None for state, at in sent],
        *zip(*map(receipts.of, rows), strict=True),
        [text or None for text in texts],
        *zip(*own, strict=True),
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


class Text(NamedTuple):
    """A format of lines: how its head is written, and how records are."""

    head: Callable[[IO[str], Sequence[str]], None]
    lines: Callable[[IO[str], Sequence[str], Iterable[Record]], None]

    def write(self, file: IO[str], header: Sequence[str], records: Iterable[Record]) -> None:
        """Write all of it."""
        self.head(file, header)
        self.lines(file, header, records)


def _csv_head(file: IO[str], header: Sequence[str]) -> None:
    file.write("\ufeff")  # Excel takes a file without it for its own old encoding
    csv.writer(file).writerow(list(map(harmless, header)))


def _csv_lines(file: IO[str], _header: Sequence[str], records: Iterable[Record]) -> None:
    following = iter(records)
    while some := list(islice(following, _AT_ONCE)):
        columns = map(_spelled, zip(*some, strict=True))
        file.write("".join(f"{','.join(cells)}\r\n" for cells in zip(*columns, strict=True)))


def _spelled(column: Sequence[object]) -> Sequence[str]:
    """A column's cells as they stand in a CSV: as `csv.writer` writes them, which looks at each character by itself."""
    kinds = set(map(type, column))
    if kinds == {int}:
        return list(map(str, column))
    if kinds <= _TEXTS:
        texts = [cast("str | None", cell) or "" for cell in column]
        # A text that begins with a letter or a digit is no formula; where all do, none is looked at.
        if not all(map(str.isalnum, {text[:1] for text in texts} - {""})):
            texts = list(map(harmless, texts))
    else:
        texts = [harmless(cell) if isinstance(cell, str) else "" if cell is None else str(cell) for cell in column]
    together = "".join(texts)
    return list(map(_quoted, texts)) if any(sign in together for sign in _QUOTED) else texts


def _quoted(text: str) -> str:
    if any(sign in text for sign in _QUOTED):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text


def _jsonl_head(_file: IO[str], _header: Sequence[str]) -> None:
    """There is none."""


def _jsonl_lines(file: IO[str], header: Sequence[str], records: Iterable[Record]) -> None:
    for record in records:
        file.write(dumps(dict(zip(header, record, strict=True))).decode() + "\n")


TEXTS = {".csv": Text(_csv_head, _csv_lines), ".jsonl": Text(_jsonl_head, _jsonl_lines)}
"""The formats of lines, by a file's ending."""


def _utc(seconds: float) -> str:
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{_utc_second(whole)}.{milliseconds:03}Z"


@lru_cache(maxsize=256)  # thousands of messages are sent in one second
def _utc_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")
