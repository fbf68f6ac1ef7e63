"""Whole columns of numbers, and what a number is once it is read."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from conftest import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberType
from phonenumbers.phonemetadata import PhoneNumberDesc
from phonenumbers.phonenumberutil import _number_type_helper
from spellings import REGIONS, spellings_of

from bulksend.errors import UsageError
from bulksend.model import PhoneNumber
from bulksend.sms.phones import (
    BadNumber,
    Column,
    country_of,
    dialing_code,
    may_be_mobile,
    normalise,
    normalise_all,
    read_abroad,
)
from bulksend.sms.phones.numbering import _mobile_nsn, column_of

MANILA = PhoneNumber("639171234567")
LANDLINE = PhoneNumber("63281234567")


def one_by_one(cells: list[str], country: str | None) -> Column:
    column = Column([], {}, [], [], has_odd_tails=True)
    for i, cell in enumerate(cells):
        try:
            number = normalise(cell, country)
        except BadNumber as error:
            column.numbers.append(None)
            column.reasons[i] = error.why
            column.codes.append("")
        else:
            column.numbers.append(number)
            column.codes.append(dialing_code(number))
            if not by_the_library(number):
                column.not_mobile.append(i)
    return column


def test_a_column_gives_a_number_or_a_reason_for_each_cell_in_its_place() -> None:
    cells = ["639171234567", "", "+63 917 123 4567", "letters", "+6591234567", "639171234567\n", "6591234567"]
    numbers, reasons, codes, *_ = normalise_all(cells, None)
    assert numbers == [MANILA, None, MANILA, None, "6591234567", MANILA, "6591234567"]
    assert codes == ["63", "", "63", "", "65", "63", "65"]
    assert {place: why.says for place, why in reasons.items()} == {
        1: "empty: write a number, or leave the row out",
        3: "letters in it: write digits only",
    }


@pytest.mark.parametrize("cell", ["09171234567", "9171234567", "639171234567", "0917-123-4567", "+63 (917) 123 4567"])
def test_a_column_of_a_country_takes_national_numbers(cell: str) -> None:
    assert normalise_all([cell] * 3, "ph")[:-1] == ([MANILA] * 3, {}, ["63"] * 3, [])


def test_an_empty_column_gives_nothing() -> None:
    assert normalise_all([], None) == normalise_all([], "PH") == ([], {}, [], [], False)


def test_a_column_of_an_unknown_country_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="is no country"):
        normalise_all(["639171234567"], "Philippines")


def test_one_look_at_a_column_finds_all_mobiles_in_its_countrys_common_shapes() -> None:
    lines = "639171234567\n+639171234567\n09171234567\n9171234567\n6591234567\n63281234567\n\n"
    _, anywhere = column_of("63", None)
    assert anywhere.findall(lines) == [MANILA, MANILA, "", "", "", "", ""]
    front, at_home = column_of("63", "PH")
    assert [front + found for found in at_home.findall(lines)] == [MANILA] * 4 + [front] * 3


SEPARATORS = st.lists(st.sampled_from(["", "", "", " ", "-", "(", ")", ".", "\n", "+", "\xa0", "0", ","]), max_size=14)


def spelled(digits: str, marks: list[str], front: str) -> str:
    pieces = [*marks, *[""] * len(digits)]
    return front + "".join(mark + digit for mark, digit in zip(pieces, digits, strict=False))


def cells_of(region: str) -> st.SearchStrategy[list[str]]:
    fronts = st.sampled_from(["", "", "", "+", "00", "'", " +", "-+", "(+", "++"])
    cell = st.builds(spelled, spellings_of(region), SEPARATORS | st.just([]), fronts)
    others = st.sampled_from(["", "639171234567", "12125550123", "x", "\n", "0", "+", "917 123 4567"])
    return st.lists(cell | cell | cell | others, min_size=1, max_size=8)


@settings(max_examples=examples(1000))
@example((["63 917\n1234567", "639171234567"], "PH"))  # a line's end within a cell moves no other cell
@example((["639171234567\n639171234568", "639171234569"], "PH"))
@example((["-+639171234567"], "PH"))
@example((["+9171234567"], "PH"))
@example((["12125550123 12125550123"], "US"))
@example((["81000212345"], "JP"))
@given(st.sampled_from(REGIONS).flatmap(lambda region: st.tuples(cells_of(region), st.just(region))))
def test_a_column_is_never_read_otherwise_than_its_cells(case: tuple[list[str], str]) -> None:
    cells, region = case
    assert normalise_all(cells, region)[:-1] == one_by_one(cells, region)[:-1]
    assert normalise_all(cells, None)[:-1] == one_by_one(cells, None)[:-1]


@settings(max_examples=examples(300))
@given(st.lists(st.text() | st.from_regex(r"[+ (]{0,2}(63|0|00)?[ (-]?9[0-9 -]{9,12}", fullmatch=True)))
def test_a_column_of_any_text_is_never_read_otherwise_than_its_cells(cells: list[str]) -> None:
    assert normalise_all(cells, "PH")[:-1] == one_by_one(cells, "PH")[:-1]
    assert normalise_all(cells, None)[:-1] == one_by_one(cells, None)[:-1]


@pytest.mark.parametrize(
    ("number", "code", "country"),
    [
        ("639171234567", "63", "PH"),
        ("6591234567", "65", "SG"),
        ("12042345678", "1", "US"),  # Canada's, but the code is the US's first
        ("9611234567", "961", "LB"),
        ("79161234567", "7", "RU"),
        ("80012345678", "800", ""),  # toll free everywhere
        ("9991234567", "", ""),
    ],
)
def test_a_number_shows_its_dialing_code_and_that_its_country(number: str, code: str, country: str) -> None:
    assert dialing_code(PhoneNumber(number)) == code
    assert country_of(code) == country


@pytest.mark.parametrize("region", REGIONS)
def test_every_countrys_dialing_code_is_found(region: str) -> None:
    sample = phonenumbers.example_number(region)
    assert sample is not None
    code = str(sample.country_code)
    number = PhoneNumber(code + phonenumbers.national_significant_number(sample))
    assert dialing_code(number) == code
    assert country_of(code) == phonenumbers.region_code_for_country_code(int(code))


@pytest.mark.parametrize(
    ("number", "may_be"),
    [
        ("639171234567", True),
        ("63281234567", False),
        ("6318001234567", False),  # toll free
        ("12125550123", True),  # in the US a mobile's number shows nothing
        ("18005550123", False),
        ("12042345678", True),  # Canada
        ("447911123456", True),
        ("442079460123", False),
        ("80012345678", False),
    ],
)
def test_a_landline_or_a_service_is_no_mobile(number: str, may_be: bool) -> None:
    assert may_be_mobile(PhoneNumber(number)) is may_be


def test_those_that_are_not_mobile_are_found_in_a_column() -> None:
    cells = [MANILA, "", LANDLINE, "442079460123", "6591234567", "+63 2 8123 4567"]
    assert normalise_all(cells, None).not_mobile == [2, 3, 5]
    assert normalise_all(["02 8123 4567", "0917 123 4567"], "PH").not_mobile == [0]


def by_the_library(number: str) -> bool:
    try:
        kind = phonenumbers.number_type(phonenumbers.parse("+" + number))
    except phonenumbers.NumberParseException:
        return False
    return kind in {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


CODES = st.sampled_from(sorted(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE)))
NUMBERS = st.one_of(
    st.builds("".join, st.tuples(CODES, st.from_regex(r"[0-9]{4,13}", fullmatch=True).filter(str.isascii))),
    st.from_regex(r"63[289][0-9]{6,11}", fullmatch=True).filter(str.isascii),
    st.sampled_from(REGIONS).flatmap(
        lambda region: spellings_of(region).map(
            lambda digits: f"{phonenumbers.country_code_for_region(region)}{digits}",
        )
    ),
).map(PhoneNumber)


@settings(max_examples=examples(1000))
@example([PhoneNumber("9718001234")])
@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_what_may_be_a_mobile_never_differs_from_the_library(numbers: list[PhoneNumber]) -> None:
    for number in numbers:
        assert may_be_mobile(number) == by_the_library(number), number


def test_a_services_number_among_a_plans_mobiles_is_no_mobiles() -> None:
    plan = PhoneMetadata(
        "PH",
        country_code=63,
        general_desc=PhoneNumberDesc(national_number_pattern=r"9\d{9,11}", possible_length=(10, 12)),
        mobile=PhoneNumberDesc(national_number_pattern=r"9\d{9}", possible_length=(10,)),
        premium_rate=PhoneNumberDesc(national_number_pattern=r"900\d{7,9}", possible_length=(10, 12)),
        toll_free=PhoneNumberDesc(national_number_pattern=r"9\d{11}", possible_length=(12,)),
        register=False,
    )
    for digits in ("9171234567", "9001234567", "917123456", "917123456789", "8171234567"):
        kind = _number_type_helper(digits, plan)
        assert bool(re.fullmatch(_mobile_nsn(plan), digits)) == (kind == PhoneNumberType.MOBILE)


@pytest.mark.parametrize("region", REGIONS)
def test_every_countrys_example_numbers_are_mobile_where_the_library_says_so(region: str) -> None:
    for kind in PhoneNumberType.values():
        sample = phonenumbers.example_number_for_type(region, kind)
        if sample is not None:
            number = f"{sample.country_code}{phonenumbers.national_significant_number(sample)}"
            assert may_be_mobile(PhoneNumber(number)) == by_the_library(number)


@pytest.mark.parametrize(
    ("number", "perhaps"),
    [
        ("9611234567", True),  # Lebanon's, or 0961 123 4567
        ("9607771234", True),  # the Maldives', or 0960 777 1234
        ("9821234567", False),  # no Philippine mobile begins with 0982
        ("96112345678", False),
        ("6591234567", False),
        ("639171234567", False),
    ],
)
def test_a_number_read_abroad_may_be_a_philippine_one_without_its_code(number: str, perhaps: bool) -> None:
    assert read_abroad(PhoneNumber(number)) is perhaps
