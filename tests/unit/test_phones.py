from __future__ import annotations

import re
import subprocess
import sys

import phonenumbers
import pytest
from conftest import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spellings import REGIONS, spellings_of

from bulksend.errors import Advice, UsageError, Why
from bulksend.model import ContactId, PhoneNumber
from bulksend.sms.phones import (
    BadNumber,
    all_numbers,
    check_country,
    normalise,
    normalise_contact_id,
)

MANILA = PhoneNumber("639171234567")
LOST = "digits lost to scientific notation: format the column as text and fill it in again"
NO_SUCH_NUMBER = (
    f"not a number of any country that phonenumbers {phonenumbers.__version__} knows: with the dialing code 63, none "
    "has these digits; correct it, or leave the row out"
)
NARROW = "the column was too narrow for its digits: widen it, and export the file again"


BARE = [
    "639171234567",
    "'639171234567",
    "639171234567.0",
    "639171234567.00",
    "639171234567,0",
    "639,171,234,567",
    "6.39171234567E+11",
    "6.39171234567e11",
    "6,39171234567 E+11",
    "6391.71234567E+08",
    "639171234567E+0",
    "63917123456\u0667",
]


@pytest.mark.parametrize("country", [None, "PH"])
@pytest.mark.parametrize("cell", BARE, ids=ascii)
def test_digits_with_a_dialing_code_are_read_in_every_spelling(cell: str, country: str | None) -> None:
    assert normalise(cell, country) == MANILA


@pytest.mark.parametrize("cell", BARE, ids=ascii)
def test_what_does_not_fit_the_country_is_never_read_as_another_ones(cell: str) -> None:
    with pytest.raises(BadNumber, match=r"^no number of US; if it is \+63 …, write the \+$"):
        normalise(cell, "us")


@pytest.mark.parametrize("country", [None, "PH", "US"])
@pytest.mark.parametrize(
    "cell",
    [
        "+639171234567",
        "00639171234567",
        "+63 917 123 4567",
        "+63\xa0917\u202f123\u20094567",
        "+63-917-123-4567",
        "+63‐917‑123‒4567",  # noqa: RUF001 -- dashes of every sort
        "+63–917—123―4567",  # noqa: RUF001
        "+63\u2212917\u2212123\u22124567",
        "+63.917.123.4567",
        "+63/917/1234567",
        "+63 (917) 123-4567",
        "(+63) 917 123 4567",
        "[+63] 917 123 4567",
        "+63 (0)917 123 4567",
        "0063-(0)917-123-4567",
        "+00639171234567",
        "'+639171234567",
        "\u2019+639171234567",
        '"+639171234567"',
        "+639171234567.0",
        "  +639171234567\t\r\n",
        "+63 917\n123 4567",
        "+63 - 917 - (123) - 4567",
        "'+6.39171234567E+11",
        "+639171234567;",
        "\ufeff+639171234567",
        "\u202a+639171234567\u202c",
        "\u200e+63\u200b917\u2060123\u00ad4567\u200f",
        "\uff0b\uff16\uff13\uff08\uff19\uff11\uff17\uff09\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "+٦٣٩١٧١٢٣٤٥٦٧",
        "+६३ ९१७ १२३ ४५६७",
    ],
    ids=ascii,
)
def test_an_international_number_is_read_in_every_spelling_and_whatever_the_country(
    cell: str, country: str | None
) -> None:
    assert normalise(cell, country) == MANILA


@pytest.mark.parametrize(
    "cell",
    [
        "09171234567",
        "0917 123 4567",
        "(0917) 123-4567",
        "917-123-4567",
        "9171234567.0",
        "'09171234567",
        "9.171234567E+09",
    ],
)
def test_a_national_number_takes_the_dialing_code_of_the_country(cell: str) -> None:
    assert normalise(cell, "PH") == normalise(cell, "ph") == MANILA
    with pytest.raises(BadNumber, match=r"^no dialing code$") as error:
        normalise(cell)
    assert error.value.why == Why("no dialing code", Advice.SAY_COUNTRY)


@pytest.mark.parametrize(
    ("cell", "country", "number"),
    [
        ("6591234567", None, "6591234567"),
        ("+1 (212) 555-0123", None, "12125550123"),
        ("(212) 555-0123", "US", "12125550123"),
        ("1-212-555-0123", "US", "12125550123"),
        ("011 63 917 123 4567", "US", "639171234567"),
        ("204-234-5678", "CA", "12042345678"),
        ("+39 06 6982 1234", None, "390669821234"),  # Italy keeps its 0
        ("06 6982 1234", "IT", "390669821234"),
        ("+44 (0)20 7946 0123", None, "442079460123"),
        ("02 8123 4567", "PH", "63281234567"),
        ("+6591234567", "PH", "6591234567"),
    ],
)
def test_numbers_of_other_countries(cell: str, country: str | None, number: str) -> None:
    assert normalise(cell, country) == number


def test_a_number_valid_in_the_country_is_taken_as_such_before_an_international_one() -> None:
    assert normalise("9611234567") == "9611234567"  # Lebanon
    assert normalise("9611234567", "PH") == "639611234567"


@pytest.mark.parametrize("cell", ["+9611234567", "+961 1 234 567", "009611234567"])
def test_a_plus_or_00_makes_a_number_international_whatever_the_country(cell: str) -> None:
    assert normalise(cell, "PH") == "9611234567"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "empty: write a number, or leave the row out"),
        (" \xa0\u200b'", "empty: write a number, or leave the row out"),
        ("-", "no digits in it: write a number such as 639171234567, or leave the row out"),
        ("+", "no digits in it: write a number such as 639171234567, or leave the row out"),
        ("unknown", "letters in it: write digits only"),
        ("n/a", "letters in it: write digits only"),
        ("+63 917 CALL NOW", "letters in it: write digits only"),
        ("639171234567 ext. 5", "letters in it: write digits only"),
        ("63917l234567", "letters in it: write digits only"),
        ("+63917123456*", "'*' in it: write digits only"),
        ("63+9171234567", "'+' in it: write digits only"),
        ("#N/A", "a spreadsheet's error, no number: correct the formula in this cell"),
        ("#REF!", "a spreadsheet's error, no number: correct the formula in this cell"),
        ("#VALUE!", "a spreadsheet's error, no number: correct the formula in this cell"),
        ("#DIV/0!", "a spreadsheet's error, no number: correct the formula in this cell"),
        ("#NAME?", "a spreadsheet's error, no number: correct the formula in this cell"),
        ("######", NARROW),
        ("Err:502", "a spreadsheet's error, no number: correct the formula in this cell"),
        *[(cell, LOST) for cell in ("6.39171E+11", "6,39171E+11", "6.39e11", "6E+11", "'6.39171E+11")],
        *[(cell, LOST) for cell in ("6.3917123456E+11", "6.391712345678E+11", "6.39171234567E-11", "6E+" + "9" * 5000)],
        *[
            (cell, "two numbers in one cell: give each a row of its own")
            for cell in (
                "639171234567, 639181234567",
                "639171234567;639181234567",
                "639171234567/639181234567",
                "639171234567 or 639181234567",
                "639171234567 OR 639181234567",
                "639171234567 and 639181234567",
                "639171234567\n639181234567",
                "639171234567 639181234567",
                "+639171234567+639181234567",
                "0917 123 4567 / 8123 4567",
            )
        ],
        ("09171234567", "no dialing code"),
        ("9171234567", "no dialing code"),
        ("+09171234567", "no dialing code"),
        ("0212345", "no dialing code"),
        ("5", "too short: digits are missing; write it in full, such as 639171234567"),
        ("00", "too short: digits are missing; write it in full, such as 639171234567"),
        ("63917123", "too short: 6 digits after the dialing code 63, where a mobile number has 10"),
        ("+63 917 123 456", "too short: 9 digits after the dialing code 63, where a mobile number has 10"),
        ("6391712345678", "too long: 11 digits after the dialing code 63, where a mobile number has 10"),
        ("+49 1511", "too short: 4 digits after the dialing code 49, where a mobile number has 10 to 11"),
        ("6" * 30, "too long: no country has numbers of so many digits; write one number a row"),
        ("9" * 300, "too long: no country has numbers of so many digits; write one number a row"),
        ("+63 900 123 4567", NO_SUCH_NUMBER),
        ("+999 1234 5678", "not a number of any country: it begins with no known dialing code, such as 63"),
        ("2107654321", "not a number of any country: it begins with no known dialing code, such as 63"),
    ],
    ids=ascii,
)
def test_each_flaw_has_its_own_reason_that_says_what_to_do(cell: str, reason: str) -> None:
    with pytest.raises(BadNumber, match=f"^{re.escape(reason)}$"):
        normalise(cell)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("0917 123 456", "too short: 9 digits after the dialing code 63, where a mobile number has 10"),
        ("917 123 45678", "too long: 11 digits after the dialing code 63, where a mobile number has 10"),
        ("63917123", "too short: 6 digits after the dialing code 63, where a mobile number has 10"),
        ("0900 123 4567", NO_SUCH_NUMBER),
    ],
)
def test_with_a_country_the_reason_speaks_of_its_numbers(cell: str, reason: str) -> None:
    with pytest.raises(BadNumber, match=f"^{re.escape(reason)}$"):
        normalise(cell, "PH")


def by_the_library_alone(digits: str, country: str | None) -> str | None:
    """The one valid reading; of several the one that is a mobile's; with a country, none of another one."""
    code = str(phonenumbers.country_code_for_region(country)) if country else ""
    found = {}
    for written, region in [(digits, country), (f"+{digits}", None)][country is None :]:
        try:
            number = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number) and (not code or str(number.country_code) == code):
            spelled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
            found[spelled] = phonenumbers.number_type(number)
    mobile = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
    chosen = [spelled for spelled in found if len(found) == 1 or found[spelled] in mobile]
    return chosen[0] if len(chosen) == 1 else None


def by_us(cell: str, country: str | None) -> str | None:
    try:
        return normalise(cell, country)
    except BadNumber:
        return None


@settings(max_examples=examples(1000))
@example(("62810730231", "ID"))  # begins with the dialing code, and is a whole national number
@example(("38380008536", "XK"))
@example(("03211234589", "CO"))  # the trunk prefix takes more digits than "0"
@example(("015117474495", "IL"))  # begins as a call abroad does
@example(("1831300123456", "CC"))  # shares its dialing code with a greater country
@example(("3758102633309", "BY"))  # "810" after the dialing code is a prefix, and stripped
@example(("4949601234840", "DE"))  # of a type's shape, but not of the country's
@example(("0483000000", "CC"))  # begins with "0" and what would be a dialing code
@given(st.sampled_from(REGIONS).flatmap(lambda region: st.tuples(spellings_of(region), st.just(region))))
def test_the_quick_way_never_differs_from_the_library(case: tuple[str, str]) -> None:
    digits, region = case
    if not digits.startswith(("00", "011", "521")):  # international for us, or Mexico's of before
        assert by_us(digits, region) == by_the_library_alone(digits, region)
        assert by_us(digits, None) == by_the_library_alone(digits, None)


@settings(max_examples=examples(1000))
@given(st.from_regex(r"(63|0|630)?[89][0-9]{9}[0-9]?", fullmatch=True).filter(str.isascii))
def test_the_quick_way_never_differs_for_philippine_mobiles(digits: str) -> None:
    assert by_us(digits, "PH") == by_the_library_alone(digits, "PH")
    assert by_us(digits, None) == by_the_library_alone(digits, None)


@pytest.mark.parametrize("region", REGIONS)
def test_every_countrys_example_numbers_are_read(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            digits = f"{example.country_code}{phonenumbers.national_significant_number(example)}"
            assert normalise(digits) == by_the_library_alone(digits, None)
            national = phonenumbers.national_significant_number(example)
            assert normalise(national, region) == by_the_library_alone(national, region)


@given(
    st.sampled_from(["639171234567", "6591234567", "12125550123", "4915112345678"]),
    st.lists(st.sampled_from(["", " ", "-", ".", "/", "(", ")", "\xa0", "\u2011", "\u200b"]), min_size=13),
)
def test_separators_never_change_the_number(digits: str, separators: list[str]) -> None:
    spelled = "".join(digit + mark for digit, mark in zip(digits, [*separators, ""], strict=False))
    assert normalise("+" + spelled) == digits


@given(st.text())
def test_any_text_gives_digits_or_a_reason(cell: str) -> None:
    try:
        outcome: str = normalise(cell, "PH")
    except BadNumber as error:
        outcome = str(error)
    assert re.match(
        r"[0-9]{7,15}$|[a-z'\"].+: [^:]+$|no dialing code$", outcome
    )  # what can be done about that is advised beside


def test_an_unknown_country_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="'Philippines' is no country: give its two-letter code, such as PH"):
        normalise("639171234567", "Philippines")
    assert check_country(" ph ") == "PH"


@pytest.mark.parametrize("cell", ["123456", " 123456 ", "123456.0", "'123456", "0123456", "１２３４５６"])  # noqa: RUF001
def test_a_contact_id_is_a_whole_number(cell: str) -> None:
    assert normalise_contact_id(cell) == ContactId(123456)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "empty: write a number, or leave the row out"),
        ("0", "not a contact id: it is out of range"),
        ("9" * 19, "not a contact id: it is out of range"),
        ("-5", "not a contact id: write a whole number such as 123456"),
        ("12.5", "not a contact id: write a whole number such as 123456"),
        ("abc", "not a contact id: write a whole number such as 123456"),
        ("#N/A", "a spreadsheet's error, no number: correct the formula in this cell"),
    ],
)
def test_a_bad_contact_id_has_its_reason(cell: str, reason: str) -> None:
    with pytest.raises(BadNumber, match=f"^{re.escape(reason)}$"):
        normalise_contact_id(cell)


def test_the_library_is_imported_at_the_first_number_only() -> None:
    code = "import sys, bulksend.sms.phones; sys.exit('phonenumbers' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("number", "all_of_it"),
    [
        ("5491123456789", {"541123456789", "5491123456789"}),
        ("541123456789", {"541123456789", "5491123456789"}),
        ("639171234567", {"639171234567"}),
    ],
)
def test_all_numbers_of_a_phone_are_known(number: str, all_of_it: set[str]) -> None:
    assert set(all_numbers(PhoneNumber(number))) == all_of_it
