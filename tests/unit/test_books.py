"""Workbooks as programs write them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from reading import Reading, read, refusal
from sheets import ods_parts, ods_row, rows, xlsx, xlsx_parts, zipped

from bulksend.planning.reading import Mark, MarkKind, Source

GOLDEN = Path(__file__).parents[1] / "golden"
ANA, BEN = "639171234567", "639181234567"
TABLE = rows(["to", "Name"], [ANA, "Ana"])
ODS_TABLE = ods_row("to", "Name") + ods_row(ANA, "Ana")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "campaign.xlsx"


def read_parts(path: Path, parts: dict[str, str]) -> Reading:
    path.write_bytes(zipped(parts))
    return read(path)


def marks(path: Path) -> dict[int, dict[int, Mark]]:
    source = Source(str(path))
    try:
        (batch,) = source.reader().batches()
        assert batch.looks
        return {column: dict(found) for column, found in batch.looks.marks.items()}
    finally:
        source.close()


def values(path: Path) -> dict[int, dict[int, str]]:
    source = Source(str(path))
    try:
        (batch,) = source.reader().batches()
        assert batch.looks
        return {column: dict(found) for column, found in batch.looks.values.items()}
    finally:
        source.close()


def test_an_ods_of_the_desktop_with_an_empty_part_of_its_own_is_read(book: Path) -> None:
    parts = ods_parts({"S": ODS_TABLE}) | {"Configurations2/accelerator/current.xml": ""}
    assert read_parts(book, parts).rows == [[ANA, "Ana"]]


def test_an_ods_without_mimetype_is_read(book: Path) -> None:
    parts = ods_parts({"S": ODS_TABLE})
    del parts["mimetype"]
    assert read_parts(book, parts).rows == [[ANA, "Ana"]]


@pytest.mark.parametrize("folder", ["", "book/"])
def test_an_xlsx_without_a_folder_xl_is_read(book: Path, folder: str) -> None:
    assert read_parts(book, xlsx_parts({"S": TABLE}, folder=folder)).rows == [[ANA, "Ana"]]


def test_backslashes_in_the_names_of_parts_are_slashes(book: Path) -> None:
    parts = {name.replace("/", "\\"): content for name, content in xlsx_parts({"S": TABLE}).items()}
    assert read_parts(book, parts).rows == [[ANA, "Ana"]]


def test_names_of_parts_may_differ_in_case(book: Path) -> None:
    parts = {name.replace("sheet1", "Sheet1"): content for name, content in xlsx_parts({"S": TABLE}).items()}
    assert read_parts(book, parts).rows == [[ANA, "Ana"]]


def test_prefixed_elements_and_utf_16_are_read(book: Path) -> None:
    parts = xlsx_parts({"S": TABLE})
    sheet = parts["xl/worksheets/sheet1.xml"].replace("xmlns=", "xmlns:x=")
    for name in ("worksheet", "sheetData", "row", "c ", "is>", "t>", "t xml"):
        sheet = sheet.replace(f"<{name}", f"<x:{name}").replace(f"</{name}", f"</x:{name}")
    sheet = sheet.replace("</c>", "</x:c>")
    parts["xl/worksheets/sheet1.xml"] = sheet
    assert read_parts(book, parts).rows == [[ANA, "Ana"]]


def test_a_zip_file_that_is_no_spreadsheet_is_told_as_that(book: Path) -> None:
    assert refusal(book, zipped({"letter.txt": "to"})).startswith("this is a zip file or a document that is no spread")


def test_xml_with_entities_is_refused(book: Path) -> None:
    parts = xlsx_parts({"S": TABLE})
    parts["xl/worksheets/sheet1.xml"] = '<!DOCTYPE a [<!ENTITY b "ha">]>' + parts["xl/worksheets/sheet1.xml"]
    assert refusal(book, zipped(parts)).startswith("the workbook declares XML entities")


def test_cells_and_lines_may_come_without_their_places(book: Path) -> None:
    cells = "<row><c><v>1</v></c></row>"
    table = '<sheetData><row><c t="inlineStr"><is><t>to</t></is></c></row>' + cells + "</sheetData>"
    assert read_parts(book, xlsx_parts({"S": table})).rows == [["1"]]


def test_a_repeated_line_of_an_ods_is_as_many_rows_and_an_empty_one_none(book: Path) -> None:
    table = ods_row("to", "Name") + ods_row(ANA, "Ana", more=' table:number-rows-repeated="3"')
    table += '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    assert read_parts(book, ods_parts({"S": table})).rows == [[ANA, "Ana"]] * 3


def test_a_crafted_repetition_is_refused(book: Path) -> None:
    table = ods_row("to") + ods_row(ANA, more=' table:number-rows-repeated="2000000000"')
    assert "more lines than any can have" in refusal(book, zipped(ods_parts({"S": table})))
    wide = '<table:table-cell table:number-columns-repeated="2000000000" office:value-type="string"><text:p>a</text:p>'
    table = ods_row("to") + ods_row(wide + "</table:table-cell>")
    assert "more columns than any can have" in refusal(book, zipped(ods_parts({"S": table})))


def test_tabs_spaces_and_line_breaks_of_an_ods_stay_and_its_notes_do_not(book: Path) -> None:
    cell = (
        '<table:table-cell office:value-type="string"><office:annotation><text:p>a note</text:p></office:annotation>'
        '<text:p>Line<text:tab/>one<text:s text:c="3"/>and <text:span>more</text:span></text:p>'
        "<text:p>two<text:line-break/>three</text:p></table:table-cell>"
    )
    reading = read_parts(book, ods_parts({"S": ods_row("to", "message") + ods_row(ANA, cell)}))
    assert reading.rows == [[ANA, "Line\tone   and more\ntwo\nthree"]]


@pytest.mark.parametrize(
    ("attributes", "shown", "held"),
    [
        ('office:value-type="float" office:value="639171234567"', "6.39E+11", "639171234567"),
        ('office:value-type="currency" office:value="1234.5"', "₱1,234.50", "1234.5"),
        ('office:value-type="percentage" office:value="0.25"', "25 %", "0.25"),
        ('office:value-type="date" office:date-value="2024-06-01T12:30:00"', "1 June", "2024-06-01 12:30:00"),
        ('office:value-type="time" office:time-value="PT26H05M00S"', "26:05", "26:05:00"),
        ('office:value-type="boolean" office:boolean-value="true"', "WAHR", "TRUE"),
    ],
)
def test_an_ods_gives_what_it_shows_and_keeps_what_it_holds(book: Path, attributes: str, shown: str, held: str) -> None:
    cell = f"<table:table-cell {attributes}><text:p>{shown}</text:p></table:table-cell>"
    book.write_bytes(zipped(ods_parts({"S": ods_row("to", "What") + ods_row(ANA, cell)})))
    assert read(book).rows == [[ANA, shown]]
    assert values(book) == {1: {0: held}}


def test_a_column_too_narrow_for_its_number_gives_the_number(book: Path) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="12345"><text:p>###</text:p></table:table-cell>'
    assert read_parts(book, ods_parts({"S": ods_row("to", "n") + ods_row(ANA, cell)})).rows == [[ANA, "12345"]]


@pytest.mark.parametrize(
    ("code", "number", "shown", "held"),
    [
        ('"₱"#,##0.00', 1234.5, "₱1,234.50", "1234.5"),
        ("0 %", 0.25, "25 %", "0.25"),
        ("h:mm AM/PM", 0.604166666666667, "2:30 PM", "14:30:00"),
        ("[h]:mm:ss", 1.08680555555556, "26:05:00", None),
        ("#,##0", 12345, "12,345", "12345"),
        ("0.00", 3, "3.00", "3"),
        ("d mmm yyyy", 45444, "1 Jun 2024", "2024-06-01"),
        ("18", 0.604166666666667, "2:30 PM", "14:30:00"),
        ("General", 12.5, "12.5", None),
    ],
)
def test_an_xlsx_gives_what_it_shows_and_keeps_what_it_holds(
    book: Path, code: str, number: float, shown: str, held: str | None
) -> None:
    book.write_bytes(xlsx(["to", "What"], [ANA, (number, 1)], formats=[code]))
    assert read(book).rows == [[ANA, shown]]
    assert values(book) == ({1: {0: held}} if held else {})


def test_days_since_1904_are_those_that_the_workbook_says(book: Path) -> None:
    parts = xlsx_parts({"S": rows(["to", "Due"], [ANA, (43982, 1)])}, ["yyyy-mm-dd"])
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    assert read_parts(book, parts).rows == [[ANA, "2024-06-01"]]


@pytest.mark.parametrize("code", ["14", "22", "[$-F800]dddd, mmmm dd, yyyy"])
def test_a_date_in_the_machines_own_format_is_iso_and_marked(book: Path, code: str) -> None:
    book.write_bytes(xlsx(["to", "Due"], [ANA, (45444, 1)], formats=[code]))
    assert read(book).rows == [[ANA, "2024-06-01"]]
    assert marks(book)[1][0].kind is MarkKind.LOCAL


def test_a_number_in_a_format_that_is_not_known_is_plain_and_marked(book: Path) -> None:
    book.write_bytes(xlsx(["to", "Share"], [ANA, (0.5, 1)], formats=["# ?/?"]))
    assert read(book).rows == [[ANA, "0.5"]]
    assert marks(book) == {1: {0: Mark(MarkKind.UNKNOWN, "# ?/?")}}


def test_errors_and_formulas_that_nobody_worked_out_are_marked(book: Path) -> None:
    table = [ANA, '<c t="e"><v>#N/A</v></c>', "<c><f>1+1</f></c>", "<c><f>1+1</f><v></v></c>"]
    book.write_bytes(xlsx(["to", "a", "b", "c"], table))
    assert read(book).rows == [[ANA, "", "", ""]]
    unread = {0: Mark(MarkKind.UNCALCULATED)}
    assert marks(book) == {1: {0: Mark(MarkKind.ERROR, "#N/A")}, 2: unread, 3: unread}


def test_a_formula_whose_value_is_an_empty_text_is_that(book: Path) -> None:
    book.write_bytes(xlsx(["to", "a"], [ANA, '<c t="str"><f>""</f><v></v></c>']))
    assert marks(book) == {}


def test_errors_and_formulas_of_an_ods_are_marked(book: Path) -> None:
    error = (
        '<table:table-cell table:formula="of:=a" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"><text:p>#NAME?</text:p></table:table-cell>'
    )
    unread = '<table:table-cell table:formula="of:=1+1"/>'
    book.write_bytes(zipped(ods_parts({"S": ods_row("to", "a", "b") + ods_row(ANA, error, unread)})))
    assert marks(book) == {1: {0: Mark(MarkKind.ERROR, "#NAME?")}, 2: {0: Mark(MarkKind.UNCALCULATED)}}


def test_formulas_drawn_down_beyond_the_table_make_no_rows(book: Path) -> None:
    error = '<c t="e"><v>#N/A</v></c>'
    book.write_bytes(xlsx(["to", "Name"], [ANA, "Ana"], [None, error], [None, '<c t="str"><f>""</f><v></v></c>']))
    assert read(book).rows == [[ANA, "Ana"]]


def test_rich_texts_and_escaped_characters_are_plain_text(book: Path) -> None:
    rich = '<c t="inlineStr"><is><r><t xml:space="preserve">a </t></r><r><t>b</t></r><rPh><t>x</t></rPh></is></c>'
    escaped = '<c t="inlineStr"><is><t>one_x000D_\ntwo_x005F_</t></is></c>'
    book.write_bytes(xlsx(["to", "a", "b"], [ANA, rich, escaped]))
    assert read(book).rows == [[ANA, "a b", "one\ntwo_"]]


def test_without_the_library_an_old_workbook_is_refused_and_a_new_one_read(tmp_path: Path) -> None:
    (tmp_path / "python_calamine.py").write_text("raise ImportError")
    code = (
        "import sys; from bulksend.errors import UsageError; from bulksend.planning.reading import Source\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(len(list(Source(name).reader().batches())))\n"
        "    except UsageError as error: print(error)"
    )
    names = [str(GOLDEN / name) for name in ("libreoffice.xlsx", "libreoffice.ods", "libreoffice.xls")]
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code, *names],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.stdout.splitlines()[:2] == ["1", "1"]
    assert done.stdout.splitlines()[2].startswith(
        f"{names[2]}: this is a workbook of Excel's binary kinds (.xls, .xlsb), which needs python-calamine"
    )
