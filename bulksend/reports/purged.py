"""The results that a run wrote, once its numbers and texts are to go: found, known as its own, and written anew."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import orjson

from bulksend.errors import UsageError
from bulksend.files import clear_drafts
from bulksend.planning import harmless
from bulksend.reports.results import check_output, inputs_of, write_results
from bulksend.reports.workbook import mark_of
from bulksend.runs import Run, files_of, folder_of, place_of, results_beside

_CELL_MAX = 2**31 - 1


def results_of(run: Run, *more: Path) -> list[Path]:
    """The files of a run's results that are there: where it wrote them, or beside it, and others that are named.

    Raises:
        UsageError: one cannot be read or written, or holds anything else than the run's results.
    """
    place = place_of(run.place)
    noted = list(map(Path, run.results_at())) or [results_beside(place)]
    places = [path for each in noted for path in (each, folder_of(place) / each.name)]
    found = {path.resolve(): path for path in places if path.exists()} | {path.resolve(): path for path in more}
    for path in found.values():
        check_output(path, *files_of(place), *inputs_of(run))
        if not _is_of(run, path):
            raise UsageError(
                f"{path}: this is not what the run {run.place} wrote, or not any more, and may hold numbers and texts: "
                "move it away first"
            )
    return list(found.values())


def write_without(run: Run, paths: Sequence[Path]) -> None:
    """Write the results of a purged run anew, in place of what they were and of what a killed process left of them.

    Raises:
        UsageError: a file cannot be written.
    """
    clear_drafts(folder_of(place_of(run.place)))
    for path in paths:
        write_results(run, path)


def _is_of(run: Run, path: Path) -> bool:
    """Whether a file holds the results of a run: row by row, with no other messageIds than it knows; or by its mark."""
    if path.suffix.lower() == ".xlsx":
        mark = mark_of(path)
        return mark is not None and mark.plan_id == run.facts.plan_id
    is_jsonl = path.suffix.lower() == ".jsonl"
    told = _of_jsonl(path) if is_jsonl else _of_csv(path)
    try:
        for ours, theirs in zip_longest(_of_run(run), told):
            if ours is None or theirs is None or ours[0] != theirs[0]:
                return False
            if theirs[1] not in {"", ours[1], harmless(ours[1])}:  # it may have been written before the answer came
                return False
    except (OSError, ValueError, LookupError, TypeError, csv.Error):
        return False
    return True


def _of_run(run: Run) -> Iterator[tuple[str, str]]:
    for row, _, _, said, *_ in run.results():
        yield str(row), (orjson.loads(said)["messageId"] if said else None) or ""


def _of_csv(path: Path) -> Iterator[tuple[str, str]]:
    csv.field_size_limit(_CELL_MAX)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        header = next(lines, [])
        row, message_id = header.index("row"), header.index("messageId")
        for line in lines:
            yield line[row], line[message_id]


def _of_jsonl(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        for line in file:
            record = orjson.loads(line)
            yield str(record["row"]), record["messageId"] or ""
