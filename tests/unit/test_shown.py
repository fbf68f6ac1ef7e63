"""What a sheet shows of a number, as Excel renders it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.planning.reading.books.digits import general
from bulksend.planning.reading.books.shown import BUILT_IN, Format

NOON = 45444.604166666664  # 2024-06-01 14:30


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("0", 1234.5, "1235"),
        ("0.00", 1234.5, "1234.50"),
        ("#,##0", 1234567.0, "1,234,567"),
        ("#,##0.00", -1234.5, "-1,234.50"),
        ("#,##0.00", 0.0, "0.00"),
        ("0.00", -0.001, "0.00"),
        ("0.00", 1.005, "1.01"),
        ("0.##", 1.5, "1.5"),
        ("00000", 123.0, "00123"),
        ("#,##0,", 1234567.0, "1,235"),
        ("0.0,,", 1234567.0, "1.2"),
        ("0%", 0.25, "25%"),
        ("0.0 %", 0.255, "25.5 %"),
        ("0.00E+00", 639171234567.0, "6.39E+11"),
        ('"₱"#,##0.00', 1234.5, "₱1,234.50"),
        ("[$₱-3409]#,##0.00", 1234.5, "₱1,234.50"),
        ("[$PHP] #,##0.00", 1234.5, "PHP 1,234.50"),
        (r"\$#,##0.00_);[Red]\(\$#,##0.00\)", -1234.5, "($1,234.50)"),
        ('_("₱"* #,##0.00_);_("₱"* (#,##0.00);_("₱"* "-"??_);_(@_)', 1234.5, "₱1,234.50"),
        ('_("₱"* #,##0.00_);_("₱"* (#,##0.00);_("₱"* "-"??_);_(@_)', 0.0, "₱-"),
        ('0;-0;"none"', 0.0, "none"),
        (";;;", 5.0, ""),
        ('0" pcs"', 3.0, "3 pcs"),
        ('General" kg"', 2.5, "2.5 kg"),
        ("[<=9999999]###-####;(###) ###-####", 5551234.0, "555-1234"),
        ("[<=9999999]###-####;(###) ###-####", 9175551234.0, "(917) 555-1234"),
        ("0000-0000", 12345678.0, "1234-5678"),
    ],
)
def test_numbers(code: str, value: float, text: str) -> None:
    assert Format(code).shown(value) == text


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("yyyy-mm-dd", NOON, "2024-06-01"),
        ("d/m/yyyy", NOON, "1/6/2024"),
        ("dd mmm yy", NOON, "01 Jun 24"),
        ('mmmm d", "yyyy', NOON, "June 1, 2024"),
        ("dddd, d mmmm", NOON, "Saturday, 1 June"),
        ("[$-409]mmmm d, yyyy;@", NOON, "June 1, 2024"),
        ("h:mm AM/PM", NOON, "2:30 PM"),
        ("hh:mm", 0.5, "12:00"),
        ("h:mm AM/PM", 0.0, "12:00 AM"),
        ("h:mm", 0.9999884, "23:59"),
        ("mm:ss", 0.00034722, "00:30"),
        ("mm:ss.0", 0.0003486, "00:30.1"),
        ("[h]:mm:ss", 1.0868055555, "26:05:00"),
        ("[h]:mm", 1.0868055555, "26:05"),
        ("[mm]:ss", 0.0625, "90:00"),
        ("m/d/yy h:mm", NOON, "6/1/24 14:30"),
        ("yyyy-mm-dd", 1.0, "1900-01-01"),
        ("yyyy-mm-dd", 61.0, "1900-03-01"),
    ],
)
def test_dates_and_times(code: str, value: float, text: str) -> None:
    assert Format(code).shown(value) == text


def test_days_may_be_counted_from_1904() -> None:
    assert Format("yyyy-mm-dd").shown(0.0, since_1904=True) == "1904-01-01"


@pytest.mark.parametrize(
    "code", ["# ?/?", "[$-40C]d mmmm yyyy", "[$-F800]dddd", "ggge", "[DBNum1]0", "yyyy-mm-dd b", '"open', "[h", "0.0.0"]
)
def test_what_is_not_known_is_not_made_up(code: str) -> None:
    assert Format(code).shown(0.5) is None


def test_a_date_before_all_days_is_not_known() -> None:
    assert Format("yyyy-mm-dd").shown(-1.0) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.333333333"),
        (1234.5678912345, "1234.567891"),
        (639171234567.0, "639171234567"),
        (123456789012345.0, "123456789012345"),
        (0.1 + 0.2, "0.3"),
        (-12.5, "-12.5"),
    ],
)
def test_without_a_format_whole_numbers_have_all_digits_and_others_as_many_as_a_sheet_shows(
    value: float, text: str
) -> None:
    assert general(value) == text


def test_a_word_may_have_something_around_it() -> None:
    assert Format('0;-0;0;"Mr. "@').words == "Mr. \0"
    assert Format("#,##0.00").words is None


@given(st.text(st.sampled_from('0#?.,%E+-yMmdhs:/"\\[]$@;*_ AP<>=1₱'), max_size=20), st.floats(-1e12, 1e12))
def test_no_code_makes_it_fail(code: str, value: float) -> None:
    assert isinstance(Format(code).shown(value), str | None)


@given(st.integers(-(10**11), 10**11), st.integers(0, 6))
def test_with_separators_it_is_what_python_writes(cents: int, decimals: int) -> None:
    code = "#,##0" + ("." + "0" * decimals if decimals else "")
    assert Format(code).shown(float(cents)) == f"{cents:,.{decimals}f}"


def test_all_formats_that_need_no_code_are_known_but_fractions() -> None:
    assert [number for number, code in BUILT_IN.items() if Format(code).shown(0.5) is None] == [12, 13, 48]
