"""Rows chosen by what a column holds."""

from __future__ import annotations

import pytest
from planned import rows_of

from bulksend.errors import UsageError
from bulksend.planning.filters import Pairs
from bulksend.planning.planner import Planner, PlanOptions
from bulksend.planning.reading import RawBatch

NUMBER = "639171234567"
COLUMNS = ["to", "City", "Unsubscribed"]
ROWS = [
    [NUMBER, "Cebu", "FALSE"],
    [NUMBER, " cebu", "TRUE"],
    [NUMBER, "Davao", ""],
    ["bad", "Cebu City", "true "],
]


def planner(only: Pairs = (), skip: Pairs = (), columns: list[str] = COLUMNS, *, fixed: bool = True) -> Planner:
    return Planner("c.csv", PlanOptions(message="Hi", only=only, skip=skip), columns, fixed=fixed)


def reasons(*rows: list[str], only: Pairs = (), skip: Pairs = ()) -> list[str]:
    planned = planner(only, skip).plan(RawBatch([list(row) for row in rows], {}), COLUMNS)
    return [f"{row.status} {row.error}".strip() for row in rows_of(planned)]


def test_rows_are_skipped_by_a_value_whatever_its_case_and_spaces() -> None:
    says = "skipped left out: its 'Unsubscribed' is 'True'"
    found = reasons(*ROWS, skip=(("unsubscribed", "True"),))
    assert found == ["pending", says, "pending", says]  # the last one has a bad number too: it is left out on purpose


def test_only_rows_with_one_of_the_values_are_kept() -> None:
    assert reasons(*ROWS[:3], only=(("City", "CEBU"),)) == [
        "pending",
        "pending",
        "skipped left out: its 'City' is not 'CEBU'",
    ]
    assert reasons(*ROWS[:3], only=(("City", "Cebu"), ("city", "Davao"))) == ["pending"] * 3
    assert reasons(ROWS[3], only=(("City", "Cebu"), ("City", "Davao"))) == [
        "skipped left out: its 'City' is not 'Cebu' or 'Davao'"
    ]


def test_choices_by_several_columns_hold_together() -> None:
    only, skip = (("City", "Cebu"), ("Unsubscribed", "false"), ("Unsubscribed", "")), (("to", NUMBER),)
    assert [reason.partition(" ")[0] for reason in reasons(*ROWS[:3], only=only)] == ["pending", "skipped", "skipped"]
    assert {reason.partition(" ")[0] for reason in reasons(*ROWS[:3], only=only, skip=skip)} == {"skipped"}


def test_an_empty_cell_is_a_value() -> None:
    assert reasons(*ROWS[1:3], skip=(("Unsubscribed", ""),)) == [
        "pending",
        "skipped left out: its 'Unsubscribed' is empty",
    ]
    assert reasons(ROWS[2], only=(("Unsubscribed", "no"), ("Unsubscribed", ""))) == ["pending"]


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    for only, skip in (((("Town", "x"),), ()), ((), (("Town", "x"),))):
        with pytest.raises(UsageError) as error:
            planner(only, skip)
        assert str(error.value) == (
            "there is no column 'Town' to choose rows by; the columns are 'to', 'City', 'Unsubscribed'"
        )


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="rows cannot be chosen by 'City': the header names it twice"):
        planner(only=(("City", "x"),), columns=["to", "City", "CITY"])


def test_a_value_that_no_row_has_is_told_with_those_that_there_are() -> None:
    found = planner(only=(("City", "Cebbu"), ("City", "Davao")), skip=(("Unsubscribed", "yes"),))
    found.plan(RawBatch([list(row) for row in ROWS], {}), COLUMNS)
    assert [warning.says for warning in found.warnings] == [
        "no row has 'Cebbu' in 'City', which holds 'Cebu', 'Cebu City'",
        "no row has 'yes' in 'Unsubscribed', which holds 'FALSE', 'TRUE', empty",
    ]


def test_json_lines_may_bring_the_column_later() -> None:
    columns = ["to"]
    found = planner(only=(("City", "Cebu"),), skip=(("Day", "Mon"),), columns=columns, fixed=False)
    (early,) = rows_of(found.plan(RawBatch([[NUMBER]], {}), columns))
    columns += ["City", "Day"]
    first, second = rows_of(found.plan(RawBatch([[NUMBER, "Cebu", "Tue"], [NUMBER, "Cebu", "Mon"]], {}), columns))
    found.check()
    assert [row.status for row in (early, first, second)] == ["skipped", "pending", "skipped"]
    never = planner(skip=(("Day", "Mon"),), columns=["to"], fixed=False)
    with pytest.raises(UsageError, match="there is no column 'Day' to choose rows by"):
        never.check()


def test_a_row_that_cannot_be_read_stays_bad() -> None:
    (row,) = rows_of(planner(skip=(("City", ""),)).plan(RawBatch([["x"]], {0: "the row has 9 cells"}), COLUMNS))
    assert (row.status, row.error) == ("invalid", "the row has 9 cells")
