"""What a person sees of a sheet, in the plan that is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sheets import ods_parts, ods_row, planned, rows, xlsx, xlsx_parts, zipped

from bulksend.cli.advice import advised
from bulksend.errors import UsageError
from bulksend.planning import Plan, PlanOptions
from bulksend.planning.reading import ReadOptions

GOLDEN = Path(__file__).parents[1] / "golden"
ANA, BEN, CY = "639171234567", "639181234567", "639191234567"
NA = '<c t="e"><v>#N/A</v></c>'
VISIBLE = ReadOptions(visible_only=True)


def book(path: Path, *lines: list[object], formats: tuple[str, ...] = (), hidden: tuple[int, ...] = ()) -> Path:
    path.write_bytes(xlsx(*lines, formats=formats, hidden=hidden))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "campaign.xlsx"


def warnings(plan: Plan) -> list[str]:
    return [advised(warning) for warning in plan.findings.warnings]


def test_hidden_rows_are_told_with_their_lines_before_anything_is_asked(path: Path) -> None:
    book(path, ["to"], [ANA], [], [BEN], [CY], hidden=(4,))
    plan, kept = planned(path, PlanOptions(sender="ACME", message="Hi"))
    assert [row.status for row in kept] == ["pending"] * 3
    assert warnings(plan) == [
        (
            "1 row is hidden in the sheet, by a filter or by hand, and will be sent all the same: row 2 (line 4) "
            f"({BEN}): --visible-only leaves them out"
        )
    ]


def test_hidden_rows_are_left_out_if_that_is_asked_for(path: Path) -> None:
    book(path, ["to"], [ANA], [BEN], ["nonsense"], hidden=(3, 4))
    plan, kept = planned(path, PlanOptions(sender="ACME", message="Hi", reading=VISIBLE))
    assert [(row.status, row.error) for row in kept] == [("pending", ""), *[("skipped", "hidden in the sheet")] * 2]
    assert warnings(plan) == []
    assert plan.findings.reasons[0].examples[0].beside == " (line 3)"


@pytest.mark.parametrize("visibility", ["collapse", "filter"])
def test_rows_that_an_ods_hides_or_filters_are_seen(tmp_path: Path, visibility: str) -> None:
    path = tmp_path / "campaign.ods"
    hidden = ods_row(BEN, more=f' table:visibility="{visibility}"')
    path.write_bytes(zipped(ods_parts({"S": ods_row("to") + ods_row(ANA) + hidden})))
    plan, kept = planned(path, PlanOptions(sender="ACME", message="Hi", reading=VISIBLE))
    assert [row.status for row in kept] == ["pending", "skipped"]
    assert ("a filter is set in the sheet" in str(plan.findings.notes)) == (visibility == "filter")


def test_a_filter_of_an_xlsx_is_told(path: Path) -> None:
    table = rows(["to", "Consent"], [ANA, "yes"], [BEN, "no"], hidden=(3,))
    table += '<autoFilter ref="A1:B3"><filterColumn colId="1"><filters><filter val="yes"/></filters></filterColumn>'
    path.write_bytes(zipped(xlsx_parts({"S": table + "</autoFilter>"})))
    plan = planned(path, PlanOptions(sender="ACME", message="Hi"))[0]
    assert [note.says for note in plan.findings.notes] == ["a filter is set in the sheet"]
    assert any("1 row is hidden in the sheet" in warning for warning in warnings(plan))


def test_what_cannot_be_seen_cannot_be_left_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it cannot be seen which rows are hidden"):
        planned(GOLDEN / "libreoffice.xls", PlanOptions(reading=VISIBLE))
    text = tmp_path / "a.csv"
    text.write_text(f"to\n{ANA}\n")
    with pytest.raises(UsageError, match="this is no workbook, so none of its rows are hidden"):
        planned(text, PlanOptions(reading=VISIBLE))


def test_hidden_columns_are_told(path: Path) -> None:
    table = '<cols><col min="2" max="2" hidden="1"/></cols>' + rows(["to", "Other phone"], [ANA, BEN])
    path.write_bytes(zipped(xlsx_parts({"S": table})))
    plan = planned(path, PlanOptions(sender="ACME", message="Hi"))[0]
    assert [note.says for note in plan.findings.notes] == [
        "the column 'Other phone' is hidden in the sheet, and read all the same"
    ]


def test_merge_fields_are_as_shown_and_recipients_as_they_are_held(path: Path) -> None:
    book(path, ["to", "Due"], [(ANA, 2), (1234.5, 1)], formats=('"₱"#,##0.00', "0.00E+00"))
    (row,) = planned(path, PlanOptions(message="You owe {Due}"))[1]
    assert (row.recipient, row.text) == (ANA, "You owe ₱1,234.50")
    assert row.cells == f'["{ANA}","₱1,234.50"]'.encode()


def test_a_used_cell_that_is_not_as_shown_is_told_with_its_column(path: Path) -> None:
    book(path, ["to", "Due", "Share"], [ANA, (45444, 1), (0.5, 2)], formats=("14", "# ?/?"))
    plan, (row,) = planned(path, PlanOptions(sender="ACME", message="{Due} {Share}"))
    assert row.text == "2024-06-01 0.5"
    assert warnings(plan) == [
        (
            "1 row has the column 'Due' written plainly, not as the sheet shows it (its format is that of whichever "
            "machine shows it): row 1 (line 2) (2024-06-01)"
        ),
        (
            "1 row has the column 'Share' written plainly, not as the sheet shows it (its format '# ?/?' is not known "
            "here): row 1 (line 2) (0.5)"
        ),
    ]
    assert warnings(planned(path, PlanOptions(sender="ACME", message="Hi"))[0]) == []


ERROR = "its cell shows an error: correct the formula"
UNREAD = "its cell is a formula that was never worked out: open the workbook, and save it again"


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        (["to", "Name"], [NA, "Ana"]),
        (["to", "Name"], [ANA, NA]),
        (["contactId", "Name"], [NA, "Ana"]),
        (["to", "Name", "message"], [ANA, "Ana", NA]),
        (["to", "Name", "from"], [ANA, "Ana", NA]),
    ],
)
def test_an_error_makes_a_row_invalid_where_it_is_used(path: Path, columns: list[str], cells: list[str]) -> None:
    book(path, [*columns], [*cells])
    plan, (row,) = planned(path, PlanOptions(message="Hi {Name}", sender="ACME"))
    assert (row.status, row.error) == ("invalid", ERROR)
    assert plan.findings.reasons[0].examples[0].value == "#N/A"


def test_a_formula_that_nobody_worked_out_makes_a_row_invalid_where_it_is_used(path: Path) -> None:
    book(path, ["to", "Name"], [ANA, "<c><f>A1</f></c>"], ["<c><f>A1</f></c>", "Ben"])
    kept = planned(path, PlanOptions(message="Hi {Name}"))[1]
    assert [(row.status, row.error) for row in kept] == [("invalid", UNREAD)] * 2


def test_an_error_that_is_not_used_does_not_matter(path: Path) -> None:
    book(path, ["to", "Name", "message"], [ANA, NA, "own text"])
    (row,) = planned(path, PlanOptions(message="Hi {Name}"))[1]
    assert (row.status, row.text) == ("pending", "own text")


def test_rows_of_a_text_have_their_line_beside_them_where_lines_were_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"to\n{ANA}\n\nnonsense\n")
    plan = planned(path, PlanOptions(sender="ACME", message="Hi"))[0]
    assert [(each.row, each.beside) for each in plan.findings.reasons[0].examples] == [(2, " (line 4)")]
