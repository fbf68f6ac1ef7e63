"""``{Name|there}``: what is said of a cell that is empty, and how often it was said."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import rows_of

from bulksend.model import Status
from bulksend.planning import Findings, PlanOptions, Source, plan_into
from bulksend.planning.planner import Planner
from bulksend.planning.reading import RawBatch

ANA = "639171234567"
CELLS = st.text(st.sampled_from(" \t\xa0Ana|"), max_size=4)
FALLBACKS = st.text(st.sampled_from(" abc|%"), max_size=5)


def texts(message: str, *names: str) -> list[str]:
    columns = ["to", "Name"]
    planner = Planner("in.csv", PlanOptions(message=message), columns, fixed=True)
    rows = rows_of(planner.plan(RawBatch([[ANA, name] for name in names], {}), columns))
    return [row.text if row.status == Status.PENDING else row.error for row in rows]


def found(path: Path, rows: Sequence[Sequence[str]], options: PlanOptions) -> Findings:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    with closing(Source(str(path), options.reading)) as source:
        return plan_into(source, options, None).plan.findings


def notes(path: Path, rows: Sequence[Sequence[str]], options: PlanOptions) -> list[str]:
    return [f"{note.says} [{note.rule}]" for note in found(path, rows, options).notes]


def test_an_empty_cell_says_the_fallback_and_any_other_what_it_holds() -> None:
    assert texts("Hi {Name|there}!", "Ana", "", " \t\xa0", " Ben ") == ["Hi Ana!", "Hi there!", "Hi there!", "Hi Ben!"]


def test_a_fallback_may_be_nothing_and_without_one_the_row_is_invalid() -> None:
    assert texts("Hi{Name|}!", "Ana", " ") == ["HiAna!", "Hi!"]
    assert texts("Hi {Name}!", " ")[0].startswith("{Name} is empty in this row")


@pytest.mark.parametrize("word", ["NULL", "nan", "n/a", "none"])
def test_a_word_for_no_value_is_told_and_not_replaced(word: str, tmp_path: Path) -> None:
    assert texts("Hi {Name|there}!", word) == [f"Hi {word}!"]
    (warning,) = [
        each.rule
        for each in found(
            tmp_path / "in.csv",
            [("to", "Name"), (ANA, word)],
            PlanOptions(message="Hi {Name|there}", sender="ACME"),
        ).warnings
    ]
    assert warning == "VALUE-NONE"


def test_a_spreadsheets_error_is_no_empty_cell() -> None:
    assert "spreadsheet's error" in texts("Hi {Name|there}!", "#N/A")[0]


def test_the_sender_has_fallbacks_too() -> None:
    columns = ["to", "message", "Store"]
    planner = Planner("in.csv", PlanOptions(sender="{Store|ACME}"), columns, fixed=True)
    rows = rows_of(planner.plan(RawBatch([[ANA, "Hi", ""], [ANA, "Hi", "SM"]], {}), columns))
    assert [row.sender for row in rows] == ["ACME", "SM"]


def test_it_is_told_how_often_each_fallback_was_used_of_the_rows_that_go(tmp_path: Path) -> None:
    rows = [("to", "Name", "Store"), (ANA, "", "SM"), (ANA, "Ben", " "), ("no number", "", ""), (ANA, " ", "")]
    message = "Hi {Name|there}, {Name|there} at {Store|}"
    assert notes(tmp_path / "in.csv", rows, PlanOptions(message=message, sender="ACME")) == [
        "2 rows have nothing for {Name} and say 'there' instead: row 1, row 4 [VALUE-EMPTY]",
        "2 rows have nothing for {Store} and say nothing there: row 2, row 4 [VALUE-EMPTY]",
    ]
    full = [("to", "Name", "Store"), (ANA, "Ana", "SM")]
    assert notes(tmp_path / "full.csv", full, PlanOptions(message=message, sender="ACME")) == []


def test_a_rows_own_text_is_sent_as_it_stands(tmp_path: Path) -> None:
    rows = [("to", "message", "Name"), (ANA, "Hi {Name|there}", "")]
    assert notes(tmp_path / "in.csv", rows, PlanOptions(message="Hi {Name|you}", sender="ACME")) == []
    columns = list(rows[0])
    planner = Planner("in.csv", PlanOptions(message="Hi {Name|you}"), columns, fixed=True)
    (row,) = rows_of(planner.plan(RawBatch([list(rows[1])], {}), columns))
    assert row.text == "Hi {Name|there}"
    told = found(tmp_path / "in.csv", rows, PlanOptions(sender="ACME")).warnings
    assert [each.rule for each in told] == ["VALUE-FIELD"]  # nobody fills it in, and that is told


def test_a_column_with_a_bar_in_its_name_is_taken_and_that_is_said(tmp_path: Path) -> None:
    rows = [("to", "a|b", "a"), (ANA, "bar", "")]
    options = PlanOptions(message="Hi {a|b}", sender="ACME")
    assert notes(tmp_path / "in.csv", rows, options) == [
        "{a|b} is the column 'a|b', not another one with a value for empty cells [COLUMN-BAR]"
    ]
    assert notes(tmp_path / "other.csv", [("to", "a"), (ANA, "x")], options) == []


@given(st.lists(CELLS, min_size=1, max_size=20), FALLBACKS)
def test_whatever_stands_there_each_row_says_its_cell_or_the_fallback(cells: list[str], fallback: str) -> None:
    assert texts(f"<{{Name|{fallback}}}>", *cells) == [f"<{cell.strip() or fallback.strip()}>" for cell in cells]
