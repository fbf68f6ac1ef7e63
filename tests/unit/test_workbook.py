from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from reading import cells, read, refusal

from bulksend.errors import UsageError
from bulksend.planning.reading import ReadOptions, Source

GOLDEN = Path(__file__).parents[1] / "golden"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"


def workbook(rows: str, dimension: str = "A1") -> bytes:
    """An .xlsx with one sheet, whose rows are given as XML; style 1 is a date and time, 2 a duration."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{TYPES}"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a" Type="{LINK}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINK}"><sheets><sheet name="S" sheetId="1" r:id="b"/></sheets>'
            "</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="b" Type="{LINK}/worksheet" '
            f'Target="worksheets/sheet1.xml"/><Relationship Id="c" Type="{LINK}/styles" Target="styles.xml"/>'
            "</Relationships>",
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="[h]:mm:ss"/></numFmts>'
            '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="164"/></cellXfs></styleSheet>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{MAIN}"><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>',
        )
    return made.getvalue()


HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>to</t></is></c></row>'


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "campaign.xlsx"


def test_a_cell_that_a_program_kept_from_being_run_is_read_as_it_is_meant(book: Path) -> None:
    texts = ['="00123"', "'-50% today", "rock 'n' roll"]
    cell = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c></row>'
    rows = [cell.format(number, text) for number, text in enumerate(texts, 2)]
    assert cells(book, workbook(HEADER + "".join(rows), "A1:A4")) == [["00123"], ["-50% today"], ["rock 'n' roll"]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<v>639171234567</v>", "639171234567"),
        ("<v>6.39171234567E11</v>", "639171234567"),
        ("<v>639171234567.0</v>", "639171234567"),
        ("<v>123456789012345</v>", "123456789012345"),
        ("<v>-3</v>", "-3"),
        ("<v>0.30000000000000004</v>", "0.3"),
        ("<v>1250.5</v>", "1250.5"),
        ("<v>6.39E+20</v>", "6.39e+20"),
    ],
)
def test_numbers_are_written_out_as_people_see_them(book: Path, cell: str, text: str) -> None:
    assert cells(book, workbook(f'{HEADER}<row r="2"><c r="A2">{cell}</c></row>')) == [[text]]


@pytest.mark.parametrize(
    ("style", "value", "text"),
    [
        (1, "45444", "2024-06-01"),
        (1, "45444.520833333336", "2024-06-01 12:30:00"),
        (1, "45444.999988425923", "2024-06-01 23:59:59"),
        (1, "0.75", "18:00:00"),
        (2, "1.25", "30:00:00"),
        (2, "0.0000115740740740741", "0:00:01"),
    ],
)
def test_dates_and_times_are_iso_and_durations_in_hours(book: Path, style: int, value: str, text: str) -> None:
    row = f'<row r="2"><c r="A2" s="{style}"><v>{value}</v></c></row>'
    assert cells(book, workbook(HEADER + row)) == [[text]]


@pytest.mark.parametrize(("value", "text"), [("1", "TRUE"), ("0", "FALSE")])
def test_truth_values_are_as_a_sheet_shows_them(book: Path, value: str, text: str) -> None:
    assert cells(book, workbook(f'{HEADER}<row r="2"><c r="A2" t="b"><v>{value}</v></c></row>')) == [[text]]


def test_a_sheet_without_header_is_refused(book: Path) -> None:
    says = refusal(book, workbook('<row r="1"><c r="A1"><v>639171234567</v></c></row>'))
    assert says.startswith("the first line looks like a row, not like a header: it holds the number 639171234567;")


def test_a_sheet_without_cells_is_empty(book: Path) -> None:
    assert refusal(book, workbook("")) == "the input is empty; it needs a header line and rows"


def test_rows_of_many_batches_come_in_order_and_empty_ones_not(book: Path) -> None:
    rows = "".join(f'<row r="{row}"><c r="A{row}"><v>{row}</v></c></row>' for row in range(2, 5_000) if row % 7)
    assert cells(book, workbook(HEADER + rows)) == [[str(row)] for row in range(2, 5_000) if row % 7]


def test_rows_of_nothing_but_spaces_are_no_rows(book: Path) -> None:
    row = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t xml:space="preserve">{1}</t></is></c></row>'
    rows = [row.format(number, text) for number, text in enumerate([" ", "1", "\xa0 ", "2", "\t"], 2)]
    assert cells(book, workbook(HEADER + "".join(rows))) == [["1"], ["2"]]


def test_a_cell_far_off_fills_no_memory_and_what_is_below_no_column_is_no_row(book: Path) -> None:
    far = '<row r="2"><c r="A2"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    assert cells(book, workbook(HEADER + far, "A1:XFD1048576")) == [["1"]]


def test_cells_that_are_only_coloured_do_not_make_a_sheet_too_large(book: Path) -> None:
    row = '<row r="2"><c r="A2"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert cells(book, workbook(HEADER + row, "A1:XFD1048576")) == [["1"]]


def test_a_workbook_is_told_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "campaign.csv"
    path.write_bytes((GOLDEN / "libreoffice.ods").read_bytes())
    assert read(path).rows == read(GOLDEN / "libreoffice.ods").rows


def test_a_workbook_comes_through_a_pipe_too(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = (GOLDEN / "libreoffice.xlsx").read_bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    source = Source(str(pipe))
    rows = [cells for batch in source.reader().batches() for cells in batch.rows]
    writer.join()
    source.close()
    assert rows == read(GOLDEN / "libreoffice.xlsx").rows


@pytest.mark.parametrize("name", ["libreoffice.xlsx", "libreoffice.ods", "libreoffice.xls"])
def test_a_workbook_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    content = (GOLDEN / name).read_bytes()
    says = refusal(tmp_path / name, content[: len(content) // 2])
    assert says.startswith(("the file is broken or cut short", "the workbook cannot be read ("))


def test_a_workbook_that_holds_what_is_no_xml_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(GOLDEN / "libreoffice.ods") as whole, zipfile.ZipFile(made, "w") as broken:
        for name in whole.namelist():
            content = whole.read(name)
            broken.writestr(name, content.replace(b"<?xml", b"xml?") if name == "content.xml" else content)
    assert refusal(tmp_path / "campaign.ods", made.getvalue()).startswith("the file is broken or cut short")


def test_the_library_is_not_imported_for_other_files(tmp_path: Path) -> None:
    path = tmp_path / "campaign.csv"
    path.write_text("to\n1\n")
    code = (
        "import sys; from bulksend.planning.reading import Source; list(Source(sys.argv[1]).reader().batches())\n"
        "print('python_calamine' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_sheet_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no sheet 'June 2'; its sheets are 'June', 'July', 'Notes'"):
        read(GOLDEN / "libreoffice.xlsx", ReadOptions(sheet="June 2"))
