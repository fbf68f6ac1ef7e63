"""Results as a workbook, as another program reads it: the numbers keep their digits, and nothing is a formula."""

from __future__ import annotations

import itertools
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import ROOT, examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from planned import PlannedRow, write_plan
from python_calamine import CalamineWorkbook
from runfiles import begin, notes_of, own

from bulksend.errors import UsageError
from bulksend.model import (
    Answer,
    ContactId,
    Encoding,
    Event,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Reached,
    Receipt,
    Status,
)
from bulksend.reports.columns import COLUMNS
from bulksend.reports.results import check_output, write_estimate, write_results
from bulksend.reports.told import ToldRows, told_by
from bulksend.reports.workbook import COLUMNS_MAX, ROWS_MAX, Mark, mark_of, write_workbook
from bulksend.runs.sqlite import SqliteRun

ANA = PhoneNumber("639171234567")
LONG_ID = "123456789012345678901234567890"
ANSWER = Answer(LONG_ID, 2, 40_000, "0.04", "2019-07-24T13:49:16Z", ANA, 654321, MicroUSD(40_000))


def pending(row: int, recipient: PhoneNumber | ContactId, cells: Sequence[str]) -> PlannedRow:
    return PlannedRow(
        row, Status.PENDING, recipient, None, "=text", Encoding.UCS2, 2, MicroUSD(40_000), "", orjson.dumps(cells)
    )  # fmt: skip


def invalid(row: int, cells: Sequence[str]) -> PlannedRow:
    return PlannedRow(row, Status.INVALID, None, None, "", None, 0, None, "=bad", orjson.dumps(cells))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SqliteRun]:
    """Two rows that were sent, one of them to a contact, and one that is bad."""
    path = tmp_path / "campaign.run"
    rows = [pending(1, ANA, ["0917", "=1+1"]), pending(2, ContactId(7), ["", ""]), invalid(3, ["1", "a", "b"])]
    write_plan(path, rows, columns=("to", "Name")).release()
    with own(path) as owned:
        notes = notes_of(owned)
        begin(notes, [1, 2], 1_600_000_000.25)
        notes.settle(
            [Outcome(row, Event.ACCEPTED, True, 1_600_000_001.0, 200, ANSWER) for row in (1, 2)],
            turn=0,
        )
    with SqliteRun.open(path) as opened:
        yield opened


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def written(
    path: Path, header: Sequence[str], records: Sequence[Sequence[object]], rows_max: int = ROWS_MAX
) -> list[list[list[Any]]]:
    with path.open("w", encoding="utf-8") as file:
        write_workbook(file, header, records, rows_max=rows_max)
    return list(sheets(path).values())


def test_numbers_to_send_to_and_ids_are_text_and_what_is_counted_is_a_number(run: SqliteRun, tmp_path: Path) -> None:
    write_results(run, tmp_path / "out.xlsx")
    header, first, second, bad = sheets(tmp_path / "out.xlsx")["Rows"]
    assert header == [*COLUMNS, "input_to", "Name"]
    told = dict(zip(header, first, strict=True))
    texts = {"to": ANA, "contactId": "654321", "messageId": LONG_ID, "estimate": "0.04", "input_to": "0917"}
    assert {name: told[name] for name in texts} == texts
    counted = {"row": 1, "estimateParts": 2, "estimateMicro": 40_000, "httpStatus": 200, "attempts": 1}
    assert {name: told[name] for name in counted} == counted
    assert {type(told[name]) for name in counted} == {float}
    assert dict(zip(header, second, strict=True))["contactId"] == "7"
    assert bad[:2] + bad[-2:] == [3, "invalid", "1", "a"]


@pytest.mark.usefixtures("run")
def test_what_a_receipt_tells_of_money_is_a_number(tmp_path: Path) -> None:
    with own(tmp_path / "campaign.run") as owned:
        owned.receipts.awaited().note([Receipt(LONG_ID, True, Reached.FAILED, "=absent", MicroUSD(39_000))])
        write_results(owned, tmp_path / "out.xlsx")
    header, first, _, bad = sheets(tmp_path / "out.xlsx")["Rows"]
    place = header.index("deliveredToTelco")
    assert header[place : place + 5] == [
        "deliveredToTelco", "deliveredToPhone", "deliveryError", "chargedMicro", "messageSent",
    ]  # fmt: skip
    assert first[place : place + 4] == ["true", "failed", "=absent", 39_000]
    assert bad[place : place + 4] == [""] * 4


def test_what_looks_like_a_formula_is_a_text(run: SqliteRun, tmp_path: Path) -> None:
    write_results(run, tmp_path / "out.xlsx")
    rows = sheets(tmp_path / "out.xlsx")["Rows"]
    assert (rows[1][-1], rows[1][COLUMNS.index("messageSent")], rows[3][COLUMNS.index("error")]) == (
        "=1+1", "=text", "=bad",
    )  # fmt: skip
    with zipfile.ZipFile(tmp_path / "out.xlsx") as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name)


def test_the_first_sheet_sums_up(run: SqliteRun, tmp_path: Path) -> None:
    write_results(run, tmp_path / "out.xlsx", (("status", "sent"), ("status", "failed")))
    found = sheets(tmp_path / "out.xlsx")
    assert list(found) == ["Summary", "Rows"]
    told = dict(found["Summary"])
    assert (told["run"], told["rows"], told["sent"], told["invalid"], told["failed"]) == ("campaign.run", 3, 2, 1, 0)
    assert told["charged"] == "$0.08 by the API's words"
    assert told["last outcome"][:10] in {"2020-09-13", "2020-09-12", "2020-09-14"}
    assert told["only rows with"] == "status: sent or failed"
    assert [row[0] for row in found["Rows"]] == ["row", 1, 2]


def test_it_tells_without_being_read_what_its_run_has_sent(run: SqliteRun, tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    write_results(run, path, (("status", "invalid"),))
    assert mark_of(path) == Mark(2, 0, run.facts.plan_id)
    assert told_by(path) == ToldRows(2, 0)


def test_what_is_no_workbook_of_results_tells_nothing(run: SqliteRun, tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    assert told_by(path) == ToldRows(0, 0)
    write_estimate(run, path)
    assert told_by(path) == ToldRows(0, 0)
    write_results(run, path)
    content = path.read_bytes()
    for damaged in (
        b"",
        content[: len(content) // 2],
        b"PK" + bytes(100),
        content.replace(b"custom.xml", b"custom.yml"),
    ):
        path.write_bytes(damaged)
        assert told_by(path) == ToldRows(0, 0)


def test_an_estimate_is_one_sheet(run: SqliteRun, tmp_path: Path) -> None:
    write_estimate(run, tmp_path / "out.xlsx")
    ((name, rows),) = sheets(tmp_path / "out.xlsx").items()
    assert (name, rows[1][:3], rows[1][5:7]) == ("Rows", [1, "pending", ANA], [2, 40_000])


@pytest.mark.parametrize(("rows", "sizes"), [(0, [1]), (9, [10]), (10, [10, 2]), (19, [10, 10, 2])])
def test_rows_that_do_not_fit_on_a_sheet_are_on_the_next_below_the_header(
    tmp_path: Path, rows: int, sizes: list[int]
) -> None:
    found = written(tmp_path / "out.xlsx", ["row"], [(row,) for row in range(rows)], rows_max=10)
    assert [len(sheet) for sheet in found] == sizes
    assert all(sheet[0] == ["row"] for sheet in found)
    assert [row[0] for sheet in found for row in sheet[1:]] == list(range(rows))


@settings(max_examples=examples(100))
@example("\ufffe\uffff", 10**15)
@example("_x0041_\x00\x0b\x1f\r\n", 10**17 + 1)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.integers(1, 2**70))
def test_any_text_is_read_back(tmp_path_factory: pytest.TempPathFactory, text: str, number: int) -> None:
    path = tmp_path_factory.mktemp("book") / "out.xlsx"
    ((_, (back, digits)),) = written(path, ["Name", "row"], [(text, number)])
    assert back.replace("\r\n", "\n").replace("\r", "\n") == (
        text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    )
    assert int(digits) == number


def test_of_a_text_longer_than_a_cell_as_much_is_there_as_fits(tmp_path: Path) -> None:
    ((_, (back,)),) = written(tmp_path / "out.xlsx", ["Name"], [("é" * 40_000,)])
    assert back == "é" * 32_767


def test_more_columns_than_a_sheet_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="16,384 columns at most"):
        written(tmp_path / "out.xlsx", ["Name"] * (COLUMNS_MAX + 1), [])


def test_it_is_private_and_replaced_whole_and_leaves_no_drafts(
    run: SqliteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(drafts))
    path = tmp_path / "out.xlsx"
    path.write_text("old")
    write_results(run, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"PK")

    def broken() -> Iterator[tuple[int]]:
        yield (1,)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), (tmp_path / "other.xlsx").open("w") as file:
        write_workbook(file, ["row"], broken())
    assert list(drafts.iterdir()) == []


def test_without_the_extra_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(UsageError, match=r"XlsxWriter is needed: in bulksend's folder, pip install '\.\[xlsx\]'"):
        check_output(tmp_path / "out.xlsx")
    check_output(tmp_path / "out.csv")


MEASURED = """
import resource, sys
from bulksend.reports.told import ToldRows, told_by
from bulksend.reports.workbook import write_workbook
with open(sys.argv[1], "w") as file:
    write_workbook(file, ["row", "to"], ((row, f"63917{row:07}") for row in range(int(sys.argv[2]))))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="others measure memory in other units")
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    few, many = (
        int(
            subprocess.run(
                [sys.executable, "-c", MEASURED, str(tmp_path / "out.xlsx"), str(rows)],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for rows in (1_000, 50_000)
    )
    assert many < few + 4_000  # kB; the rows themselves are ten times as much


# ---- some rows only ----


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ((("status", "sent"),), [1, 2]),
        ((("STATUS", " Invalid "),), [3]),
        ((("status", "sent"), ("status", "invalid")), [1, 2, 3]),
        ((("status", "sent"), ("contactId", "7")), [2]),
        ((("name", "a"),), [3]),
        ((("Name", ""),), [2]),
        ((("status", "in flight"),), []),
        ((), [1, 2, 3]),
    ],
)
def test_only_the_rows_that_are_asked_for(
    run: SqliteRun, tmp_path: Path, where: tuple[tuple[str, str], ...], rows: list[int]
) -> None:
    write_results(run, tmp_path / "out.jsonl", where)
    found = [orjson.loads(line)["row"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert found == rows


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (("state", "sent"), "there is no column 'state' to choose rows by; the columns are row, status, to"),
        (("status", "bad"), "there is no status 'bad' to choose rows by; there are pending, sent, rejected"),
    ],
)
@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_what_there_is_not_is_told_before_anything_is_written(
    run: SqliteRun, tmp_path: Path, pair: tuple[str, str], says: str, name: str
) -> None:
    (tmp_path / name).write_text("old")
    with pytest.raises(UsageError, match=says):
        write_results(run, tmp_path / name, (pair,))
    assert (tmp_path / name).read_text() == "old"


def test_a_column_that_two_are_called_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    write_plan(path, [pending(1, ANA, ["a", "b"])], columns=("Name", "NAME")).release()
    with SqliteRun.open(path) as run:
        with pytest.raises(UsageError, match="several columns are called 'name'"):
            write_results(run, tmp_path / "out.csv", (("name", "a"),))
        for column, value, count in itertools.chain([("NAME", "b", 1), ("Name", "b", 0)]):
            write_results(run, tmp_path / "out.jsonl", ((column, value),))
            assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == count
