"""Numbers that a spreadsheet may have made of others, or of nothing, are told before the question."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulksend import campaign
from bulksend.campaign import PlanRequest
from bulksend.planning import PlanOptions
from bulksend.runs import Address
from bulksend.sms.phones import odd_tails


def warnings_of(path: Path, cells: list[str]) -> list[str]:
    path.write_text("to\n" + "".join(f"{cell}\n" for cell in cells), encoding="utf-8")
    request = PlanRequest(str(path), PlanOptions(message="Hi", country="PH"), Address(1, ""))
    return [w.says for w in campaign.survey(request).findings.warnings if "compare with where" in w.says]


def scattered(rows: int) -> list[str]:
    return [f"63917{row * 7919 % 10**7:07}" for row in range(1, rows + 1)]


@pytest.mark.parametrize("cell", ["639171200000", "9171200000", "9.1712E+09", "+63 917 120 0000"])
def test_a_number_that_ends_in_five_zeros_is_told(tmp_path: Path, cell: str) -> None:
    digits = cell if "E" not in cell else "9171200000"
    (warning,) = warnings_of(tmp_path / "c.csv", [*scattered(20), digits])
    assert warning.startswith("1 row has a number that ends in zeros, as when ")
    assert "row 21 (639171200000)" in warning


def test_numbers_of_six_digits_that_were_filled_up_are_told_with_how_many_are_the_same(tmp_path: Path) -> None:
    (warning,) = warnings_of(tmp_path / "c.csv", ["9171230000", "9181230000", "9171230000", *scattered(5)])
    assert warning.startswith("3 rows have numbers that end in zeros, 2 different ones in all, ")
    assert "row 1 (639171230000), row 2 (639181230000), row 3 (639171230000)" in warning


def test_a_few_numbers_with_four_zeros_are_nothing_to_tell_of(tmp_path: Path) -> None:
    assert warnings_of(tmp_path / "c.csv", [*scattered(2_000), "639171230000", "639181230000"]) == []


@pytest.mark.parametrize("before", [0, 1, 497, 498, 499, 500])  # rows are read 500 at a time
@pytest.mark.parametrize("rows", [3, 4, 12])
def test_a_series_from_dragging_a_cell_down_is_told_with_its_rows(tmp_path: Path, before: int, rows: int) -> None:
    series = [f"0917 123 {4567 + row}" for row in range(rows)]
    (warning,) = warnings_of(tmp_path / "c.csv", [*scattered(before), *series, *scattered(7)])
    assert warning.startswith(f"{rows} rows have numbers that count up by one from row to row")
    assert f"row {before + 1} (639171234567), row {before + 2} (639171234568)" in warning


def test_a_series_that_goes_on_over_many_rows_is_counted_once(tmp_path: Path) -> None:
    (warning,) = warnings_of(tmp_path / "c.csv", [f"63917{row:07}" for row in range(1_234_501, 1_236_401)])
    assert warning.startswith("1,900 rows have numbers that count up by one")


def test_two_that_follow_each_other_are_no_series(tmp_path: Path) -> None:
    cells = ["639171234567", "639171234568", "639181234567", "bad", "639181234568", "639181234570", "639181234572"]
    assert warnings_of(tmp_path / "c.csv", cells) == []


def test_a_series_is_none_over_a_row_that_is_not_sent(tmp_path: Path) -> None:
    assert warnings_of(tmp_path / "c.csv", ["639171234567", "639171234568", "bad", "639171234569"]) == []


NUMBERS = st.lists(st.from_regex(r"639[0-9]{2}(0000|123)[0-9]{0,1}(0000|456[0-9])", fullmatch=True), max_size=8)


@given(NUMBERS)
@example(["639171234567", "639171234568"])
@example(["639171230000"])
@example(["639171234567", "63917123456", "639171234568"])
def test_a_no_to_odd_tails_is_certain(numbers: list[str]) -> None:
    follows = any(int(b) - int(a) == 1 and a[-1] != "9" for a, b in pairwise(numbers))
    if follows or any(number.endswith("0000") for number in numbers):
        assert odd_tails(numbers)


def test_scattered_numbers_have_no_odd_tails() -> None:
    assert not odd_tails(scattered(500))
    assert not odd_tails([])


def test_numbers_of_new_prefixes_are_told_as_that_and_not_as_landlines(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("to\n09041234567\n02 8123 4567\n09171234567\n")
    options = PlanOptions(message="Hi", sender="ACME", country="PH", new_prefixes=True)
    warnings = campaign.survey(PlanRequest(str(path), options, Address(1, ""))).findings.warnings
    assert [warning.says for warning in warnings] == [
        "1 row goes to a prefix that the numbering plans here do not know yet: row 1 (639041234567)",
        "1 row goes to a landline or service number, which gets no SMS as a rule: row 2 (63281234567)",
    ]
