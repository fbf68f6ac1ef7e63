"""Where the table is: below a title, on another sheet, in a line that is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import BOM, read
from sheets import ods_parts, ods_row, planned, rows, xlsx, xlsx_parts, zipped

from bulksend.errors import InputError, UsageError
from bulksend.planning import PlanOptions
from bulksend.planning.exclusions import read_exclusions
from bulksend.planning.reading import ReadOptions

ANA, BEN = "639171234567", "639181234567"
TITLE = "Customers of June,,\n\nas of,2024-06-01,\n"
TITLED = f"{TITLE}Name,Mobile,Note\nAna,{ANA},a\n,,\nBen,{BEN},\n"


def plan_of(
    path: Path, content: str | bytes, *, message: str = "Hi {Name}", **said: object
) -> tuple[list[str], list[str]]:
    """The texts that are to be sent, with their numbers, and the notes."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reading = ReadOptions(**{name: value for name, value in said.items() if name != "mapping"})  # type: ignore[arg-type]
    mapping = said.get("mapping", ())
    plan, kept = planned(path, PlanOptions(reading=reading, message=message, mapping=mapping))  # type: ignore[arg-type]
    texts = [f"{row.recipient} {row.text}" for row in kept if row.status == "pending"]
    return texts, [note.says for note in plan.findings.notes]


BOTH = [f"{ANA} Hi Ana", f"{BEN} Hi Ben"]
FOUND = "the header is taken from line 4; 2 lines above it are left out"


def test_a_texts_header_below_a_title_is_found_and_told(tmp_path: Path) -> None:
    texts, notes = plan_of(tmp_path / "a.csv", TITLED)
    assert texts == BOTH
    assert FOUND in notes


def test_title_and_header_tell_the_delimiter_together(tmp_path: Path) -> None:
    assert plan_of(tmp_path / "a.csv", BOM + TITLED.replace(",", ";").encode())[0] == BOTH
    assert plan_of(tmp_path / "b.csv", "Customers\n\nName;Mobile\nAna;" + ANA)[0] == BOTH[:1]


def test_a_workbooks_header_below_a_title_is_found_and_told(tmp_path: Path) -> None:
    table = [["Customers of June"], [], ["as of", "2024-06-01"], ["Name", "Mobile"], ["Ana", ANA], [], ["Ben", BEN]]
    texts, notes = plan_of(tmp_path / "a.xlsx", xlsx(*table))
    assert texts == BOTH
    assert FOUND in notes


def test_a_header_in_the_first_line_is_nothing_to_tell_of(tmp_path: Path) -> None:
    assert plan_of(tmp_path / "a.csv", f"Name,to\nAna,{ANA}\n")[1] == []


def test_after_a_row_with_a_number_there_is_no_header(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column for the recipient; the columns are 'Name', 'Reach', 'By'"):
        plan_of(tmp_path / "a.csv", f"Name,Reach,By\nAna,{ANA},phone\nBen,{BEN},mobile\nmobile,phone,to\n")


def test_a_title_that_is_a_columns_name_by_chance_is_not_taken(tmp_path: Path) -> None:
    assert plan_of(tmp_path / "a.csv", f"Phone,\nName,Mobile\nAna,{ANA}\n")[0] == BOTH[:1]


def test_a_mapped_column_is_looked_for_by_its_own_name(tmp_path: Path) -> None:
    mapping = (("to", "Reach"),)
    assert plan_of(tmp_path / "a.csv", f"Phone book,\nName,Reach\nAna,{ANA}\n", mapping=mapping)[0] == BOTH[:1]


def test_a_header_can_be_named(tmp_path: Path) -> None:
    content = f"to,x\n,\nName,to\nAna,{ANA}\n"
    assert plan_of(tmp_path / "a.csv", content, header_row=3)[0] == BOTH[:1]
    book = xlsx(["to", "x"], [], ["Name", "to"], ["Ana", ANA])
    assert plan_of(tmp_path / "a.xlsx", book, header_row=3)[0] == BOTH[:1]
    table = ods_row("to", "x") + ods_row("") + ods_row("Name", "to") + ods_row("Ana", ANA)
    assert plan_of(tmp_path / "a.ods", zipped(ods_parts({"S": table})), header_row=3)[0] == BOTH[:1]


@pytest.mark.parametrize("line", [2, 9])
def test_a_named_header_must_be_there(tmp_path: Path, line: int) -> None:
    with pytest.raises(UsageError, match=f"line {line}.* is empty"):
        plan_of(tmp_path / "a.csv", f"to\n\n{ANA}\n", header_row=line)
    with pytest.raises(UsageError, match=f"line {line}.* is empty"):
        plan_of(tmp_path / "a.xlsx", xlsx(["to"], [], [ANA]), header_row=line)


def test_jsonl_has_no_header_to_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is JSONL, which has no header line"):
        plan_of(tmp_path / "a.jsonl", f'{{"to": "{ANA}"}}', header_row=2)


SHEETS = {
    "About": rows(["What this is"], ["A list"]),
    "List": rows(["Name", "Mobile"], ["Ana", ANA]),
    "Old": rows(["Name", "Mobile"], ["Ben", BEN]),
}


def test_of_several_sheets_the_first_with_a_column_for_the_recipient_is_read_and_said(tmp_path: Path) -> None:
    texts, notes = plan_of(tmp_path / "a.xlsx", zipped(xlsx_parts(SHEETS)))
    assert texts == BOTH[:1]
    assert (
        "sheet 'List' is read, for it has a column for the recipient; 2 others are not: 'About', 'Old' ('Old' with a "
        "column for the recipient too)" in notes
    )


def test_a_sheet_that_is_named_is_read_whatever_the_others_have(tmp_path: Path) -> None:
    assert plan_of(tmp_path / "a.xlsx", zipped(xlsx_parts(SHEETS)), sheet="Old")[0] == BOTH[1:]


def test_a_hidden_sheet_is_not_found_by_itself(tmp_path: Path) -> None:
    parts = xlsx_parts(SHEETS, hidden=["List"])
    assert plan_of(tmp_path / "a.xlsx", zipped(parts))[0] == BOTH[1:]


def test_those_to_leave_out_are_found_on_their_sheet_below_a_title_as_they_are_held(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    listed = rows(["Opt-outs of June"], ["Phone"], [(float(ANA), 1)])
    path.write_bytes(zipped(xlsx_parts({"About": rows(["A list"]), "Out": listed}, ["0.00E+00"])))
    assert read_exclusions([path], None).recipients == {ANA}


def test_a_list_without_a_header_is_read_in_its_whole_width(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    path.write_bytes(xlsx([ANA], [None, BEN]))
    assert read(path, ReadOptions(may_lack_header=True)).columns == [ANA, ""]
    assert read_exclusions([path], None).recipients == {ANA, BEN}


@pytest.mark.parametrize("cell", ['<c t="e"><v>#N/A</v></c>', "<c><f>A1</f></c>"])
def test_a_cell_that_cannot_be_read_is_not_left_out_in_silence(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "out.xlsx"
    path.write_bytes(xlsx(["Phone"], [ANA], [cell]))
    with pytest.raises(InputError, match=r"row 2 \(line 3\): .* cannot be left out"):
        read_exclusions([path], None)
