"""Spreadsheets as real programs wrote them, read, and compared with what a person sees in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulksend.errors import InputError, UsageError
from bulksend.planning.reading import ReadOptions, Source

HERE = Path(__file__).parent
COLUMNS = ["to", "First Name", "message", "Due", "At", "Amount", "Paid", "Lookup"]
ROWS = [
    ["639171234567", "Ana", "Hello", "2024-06-01", "09:30:00", "1250.5", "TRUE", "2"],
    ["+63 918 123 4567", "Begoña", "Line one\nline two", "2024-06-02", "", "0.1", "FALSE", ""],
    ["09191234567", 'José "Pepe"', "Commas, and; semicolons", "", "18:00:00", "3", "", ""],
    ["639201234567", "", "Merged", "2024-12-31", "", "0.3", "", "x"],
]
UNSEEN = (
    "in a workbook of this kind (.xls, .xlsb) it cannot be seen which rows are hidden, nor how numbers and dates are "
    "shown; save it as .xlsx if that matters"
)
OTHERS = ["sheet 'June' is read; 2 others are not: 'July', 'Notes'"]


def read(name: str, sheet: str | None = None) -> tuple[list[str], list[list[str]], list[str]]:
    source = Source(str(HERE / name), ReadOptions(sheet=sheet))
    try:
        reader = source.reader()
        batches = list(reader.batches())
        assert not any(batch.flaws for batch in batches)
        return (
            reader.columns,
            [cells for batch in batches for cells in batch.rows],
            [note.says for note in source.notes],
        )
    finally:
        source.close()


def with_cells(changes: dict[tuple[int, str], str]) -> list[list[str]]:
    rows = [list(cells) for cells in ROWS]
    for (row, column), text in changes.items():
        rows[row][COLUMNS.index(column)] = text
    return rows


@pytest.mark.parametrize("name", ["libreoffice.xlsx", "libreoffice.xlsm", "libreoffice.ods"])
def test_a_workbook_gives_what_people_see(name: str) -> None:
    assert read(name) == (COLUMNS, ROWS, OTHERS)


def test_an_old_workbook_gives_what_its_cells_hold_and_says_so() -> None:
    assert read("libreoffice.xls") == (COLUMNS, ROWS, [UNSEEN, *OTHERS])


def test_a_formula_that_no_spreadsheet_program_has_worked_out_is_empty() -> None:
    assert read("openpyxl.xlsx") == (COLUMNS, with_cells({(0, "Lookup"): "", (3, "Amount"): ""}), OTHERS)


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("utf8.csv", []),
        ("utf8-mark.csv", []),
        (
            "cp1252-semicolon.csv",
            ["read as Windows-1252 (cp1252) text: it is not UTF-8", "its columns are separated by ';'"],
        ),
        ("utf16-tab.csv", ["read as UTF-16 text", "its columns are separated by tabs"]),
    ],
)
def test_text_of_a_sheet_gives_what_people_see(name: str, notes: list[str]) -> None:
    as_shown = {(0, "At"): "09:30:00 AM", (2, "At"): "06:00:00 PM", (1, "Lookup"): "#N/A"}
    assert read(name) == (COLUMNS, with_cells(as_shown), notes)


@pytest.mark.parametrize("name", ["shifted.xlsx", "shifted.ods"])
def test_a_table_is_found_wherever_it_begins_on_the_first_sheet_shown_with_any_cell(name: str) -> None:
    columns, rows, notes = read(name)
    assert columns == ["to", "", "message"]
    assert rows == [["639171234567", "", "first"], ["639181234567", "note", "second"]]
    assert notes == ["sheet 'Campaign' is read; 1 other is not: 'Empty'"]


@pytest.mark.parametrize("name", ["libreoffice.xlsx", "libreoffice.ods", "libreoffice.xls"])
@pytest.mark.parametrize("sheet", ["July", "2"])
def test_a_sheet_is_chosen_by_its_name_or_number(name: str, sheet: str) -> None:
    notes = [UNSEEN] if name.endswith(".xls") else []
    assert read(name, sheet) == (["to", "message"], [["639171234567", "July's text"]], notes)


def test_a_hidden_sheet_can_be_chosen() -> None:
    assert read("shifted.xlsx", "Old")[:2] == (["to"], [["639990000000"]])


@pytest.mark.parametrize("sheet", ["August", "0", "4", "²", "1.0", ""])
def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(sheet: str) -> None:
    with pytest.raises(UsageError) as error:
        read("libreoffice.xlsx", sheet)
    assert str(error.value).endswith(f": there is no sheet {sheet!r}; its sheets are 'June', 'July', 'Notes'")


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(InputError, match="the input is empty; it needs a header line and rows"):
        read("shifted.xlsx", "Empty")


def test_a_workbook_with_a_password_is_refused() -> None:
    with pytest.raises(InputError, match="the workbook is protected by a password; save a copy without one"):
        read("password.xlsx")
