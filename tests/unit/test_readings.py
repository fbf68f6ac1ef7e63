"""Numbers in the spellings of people, programs and other tools: read right or refused, never as another phone."""

from __future__ import annotations

import phonenumbers
import pytest
from conftest import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from spellings import REGIONS

from bulksend.errors import Advice
from bulksend.model import PhoneNumber
from bulksend.sms.phones import BadNumber, all_numbers, canonical, normalise, normalise_all

MANILA = "639171234567"
DATE = "a date, no phone number: see whether another column holds the numbers"
AMOUNT = "an amount, no phone number: see whether another column holds the numbers"


def why_not(cell: str, country: str | None = None) -> str:
    with pytest.raises(BadNumber) as error:
        normalise(cell, country)
    return str(error.value)


@pytest.mark.parametrize(
    "cell",
    [
        "9,171,234,567.00",
        "9 171 234 567,00",
        "9\N{NO-BREAK SPACE}171\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567,00",
        "9.171.234.567,00",
        "9'171'234'567.00",
        "9,17,12,34,567.00",
        "9,171,234,567.0",
        "(9,171,234,567.00)",
        "9171234567.0000",
        "639,171,234,567.00",
        "0917 123 4567.00",
    ],
)
def test_a_number_that_was_formatted_as_an_amount_is_itself(cell: str) -> None:
    assert normalise(cell, "PH") == MANILA
    assert normalise_all([cell], "PH").numbers == [MANILA]


@pytest.mark.parametrize("cell", ["9,171,234,567.50", "9171234567.5", "9.171.234.567,25"])
def test_a_real_amount_is_no_number(cell: str) -> None:
    assert why_not(cell, "PH") == AMOUNT


def test_decimals_that_may_be_the_numbers_own_are_not_guessed_at() -> None:
    assert normalise("06.12.34.56.00", "FR") == "33612345600"
    assert why_not("0664 123456.00", "AT").startswith("it ends as an amount does")


@pytest.mark.parametrize(
    "cell", ["2024-11-24", "24/11/2024", "24.11.2024", "11/24/2024", "2024-11-24 10:30:00", "2024-11-24T10:30:00Z"]
)
@pytest.mark.parametrize("country", [None, "DK", "PH"])  # 20241124 is a Danish mobile's number
def test_a_date_is_never_a_number(cell: str, country: str | None) -> None:
    assert why_not(cell, country) == DATE
    assert normalise_all([cell, "+4520241124"], country).numbers == [None, "4520241124"]


def test_a_time_is_never_a_number() -> None:
    assert why_not("10:30:00") == "':' in it: write digits only"


@pytest.mark.parametrize(
    ("cell", "country", "number"),
    [
        ("4915112480787", "DE", "4915112480787"),
        ("491711234567", "DE", "491711234567"),
        ("0171 1234567", "DE", "491711234567"),
        ("1711234567", "DE", "491711234567"),
    ],
)
def test_of_two_readings_the_one_of_a_mobile_is_meant(cell: str, country: str, number: str) -> None:
    assert normalise(cell, country) == number
    assert normalise_all([cell], country).numbers == [number]


def test_of_two_readings_that_are_no_mobiles_none_is_guessed() -> None:
    assert why_not("38380008536", "XK").startswith("it may or may not begin with the dialing code: ")


@pytest.mark.parametrize("cell", ["43 012 866", "043 012 866", "992917127532"])
@pytest.mark.parametrize("country", ["WS", "CV", "KP"])  # a 0 or 99 is dialed for abroad there
def test_what_is_dialed_for_abroad_makes_no_bare_number_foreign(cell: str, country: str) -> None:
    why_not(cell, country)


@pytest.mark.parametrize(
    "cell",
    [
        "p:+639171234567",
        "tel:+63-917-123-4567",
        "TEL: +639171234567",
        "whatsapp:+639171234567",
        "sms:639171234567",
        "Mobile: 0917 123 4567",
    ],
)
def test_what_other_tools_write_before_a_number_is_no_part_of_it(cell: str) -> None:
    assert normalise(cell, "PH") == MANILA


def test_two_numbers_in_a_cell_are_told_unless_they_are_one() -> None:
    two = "two numbers in one cell: give each a row of its own"
    assert why_not("+639171234567 ::: +639181234567") == two
    assert why_not("+24740121 ::: +24740122") == two
    assert why_not("0917 123 4567 / 8123 4567", "PH") == two
    assert normalise("+639171234567 ::: 0917 123 4567", "PH") == MANILA
    assert normalise("0917 123 4567; +63 917 123 4567", "PH") == MANILA
    assert normalise("+639171234567 ::: ") == MANILA


@pytest.mark.parametrize(
    ("cell", "country"),
    [
        ("5215512345678", None),
        ("+52 1 55 1234 5678", "PH"),
        ("5215512345678", "MX"),
        ("044 55 1234 5678", "MX"),
        ("5512345678", "MX"),
    ],
)
def test_mexican_mobiles_are_read_with_the_1_of_before(cell: str, country: str | None) -> None:
    assert normalise(cell, country) == "525512345678"


# ---- prefixes that are newer than the numbering plans ----


@pytest.mark.parametrize("cell", ["09041234567", "+63 904 123 4567", "639041234567", "9041234567", "p:+639041234567"])
def test_a_prefix_that_the_library_does_not_know_can_be_allowed(cell: str) -> None:
    with pytest.raises(BadNumber, match=f"phonenumbers {phonenumbers.__version__} knows: ") as error:
        normalise(cell, "PH")
    assert error.value.why.advice is Advice.ALLOW_NEW_PREFIXES
    assert normalise(cell, "PH", new_prefixes=True) == "639041234567"
    assert normalise_all([cell], "PH", new_prefixes=True).numbers == ["639041234567"]


@pytest.mark.parametrize("cell", ["2107654321", "0904 123 456", "+63904123456789", "0904 CALL ME"])
def test_what_cannot_be_a_mobile_of_the_country_is_refused_all_the_same(cell: str) -> None:
    with pytest.raises(BadNumber) as error:
        normalise(cell, "PH", new_prefixes=True)
    assert error.value.why.advice is None


def test_known_numbers_are_read_as_ever_when_new_ones_are_allowed() -> None:
    for cell, country in [("0917 123 4567", "PH"), ("4915112480787", "DE"), ("+6591234567", "PH")]:
        assert normalise(cell, country, new_prefixes=True) == normalise(cell, country)
    assert why_not("6591234567", "PH") == "no number of PH; if it is +65 …, write the +"


# ---- every country, in all spellings ----

FULL_WIDTH = str.maketrans("0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")
TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
WITH_MOBILES = [r for r in REGIONS if phonenumbers.example_number_for_type(r, PhoneNumberType.MOBILE)]


def mobiles_of(region: str) -> st.SearchStrategy[phonenumbers.PhoneNumber]:
    """The country's example, with other digits at its end where these are a mobile's too."""
    sample = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert sample is not None
    spelled = e164(sample)

    def ending_in(tail: str) -> phonenumbers.PhoneNumber:
        number = _parsed(f"+{spelled[: len(spelled) - len(tail)]}{tail}")
        is_one = phonenumbers.number_type(number) in TYPES and phonenumbers.is_valid_number_for_region(number, region)
        return number if is_one else sample

    return st.text("0123456789", max_size=len(spelled) - 4).map(ending_in)


def _parsed(text: str) -> phonenumbers.PhoneNumber:
    return phonenumbers.parse(text)


def in_threes(digits: str, mark: str) -> str:
    first = len(digits) % 3 or 3
    return mark.join([digits[:first], *(digits[i : i + 3] for i in range(first, len(digits), 3))])


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


def with_code(number: phonenumbers.PhoneNumber) -> list[str]:
    spelled = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    uri = phonenumbers.format_number(number, PhoneNumberFormat.RFC3966)
    digits = e164(number)
    marked = [spelled.replace(" ", mark) for mark in ("-", ".", "/", "", "\N{NO-BREAK SPACE}")]
    first, *rest = spelled.split(" ")
    bracketed = f"{first} ({'-'.join(rest)})"
    return [spelled, uri, *marked, bracketed, f"p:+{digits}", f"00{digits}", f"00 {spelled[1:]}", f"'+{digits}"]


def without_plus(number: phonenumbers.PhoneNumber) -> list[str]:
    digits = e164(number)
    return [digits, digits.translate(FULL_WIDTH), f"{digits}.0", in_threes(digits, ","), f"whatsapp:{digits}"]


def at_home(number: phonenumbers.PhoneNumber) -> list[str]:
    spelled = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    bare = phonenumbers.national_significant_number(number)
    marked = [spelled.replace(" ", mark) for mark in ("-", ".", "/", "", "\N{NO-BREAK SPACE}")]
    amounts = [f"{bare}.0", f"{in_threes(bare, ',')}.00", f"{in_threes(bare, '.')},00", f"{in_threes(bare, ' ')},00"]
    return [spelled, *marked, spelled.translate(FULL_WIDTH), bare, *amounts, f"Tel: {spelled}", f"{spelled}.00"]


def read(cell: str, country: str | None) -> str | None:
    try:
        return canonical(normalise(cell, country))
    except BadNumber:
        return None


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(WITH_MOBILES).flatmap(lambda region: st.tuples(mobiles_of(region), st.just(region))))
def test_a_mobiles_number_is_read_right_or_refused_in_all_spellings(
    case: tuple[phonenumbers.PhoneNumber, str],
) -> None:
    number, region = case
    phone = canonical(PhoneNumber(e164(number)))
    for cell in with_code(number):
        assert [read(cell, country) for country in (region, None, "PH", "US")] == [phone] * 4, cell
    for cell in without_plus(number):
        assert {read(cell, region), read(cell, None)} <= {phone, None}, cell
    assert read(e164(number), region) == phone
    for cell in at_home(number):
        assert read(cell, region) in {phone, None}, cell


@settings(max_examples=examples(300), deadline=None)
@example((_parsed("+359 43 012 866"), "WS"))
@example((_parsed("+992 91 712 7532"), "KP"))
@example((_parsed("+1 649 231 1242"), "TD"))
@given(st.tuples(st.sampled_from(WITH_MOBILES).flatmap(mobiles_of), st.sampled_from(REGIONS)))
def test_no_bare_number_becomes_one_of_another_country(case: tuple[phonenumbers.PhoneNumber, str]) -> None:
    number, country = case
    code = str(phonenumbers.country_code_for_region(country))
    for cell in [*without_plus(number), *at_home(number)]:
        if not cell.startswith(("00", "011")):
            assert (read(cell, country) or code).startswith(code), cell


# ---- one phone, two numbers ----


@pytest.mark.parametrize(
    ("one", "other"), [("+54 9 11 2345-6789", "+54 11 2345-6789"), ("+241 05 79 30 78", "+241 579 30 78")]
)
def test_numbers_of_one_phone_have_one_canonical_number(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)
    assert canonical(normalise(one)) == canonical(normalise(other))
    assert all_numbers(normalise(one)) == all_numbers(normalise(other)) == {normalise(one), normalise(other)}
    assert all_numbers(normalise("+639171234567")) == {"639171234567"}


PAIRS = st.sampled_from(WITH_MOBILES).flatmap(
    lambda region: st.tuples(mobiles_of(region), mobiles_of(region), st.integers(0, 3))
)


@settings(max_examples=examples(300), deadline=None)
@example((_parsed("+54 9 11 2345-6789"), _parsed("+54 11 2345-6789"), 0))
@example((_parsed("+54 9 11 2345-6789"), _parsed("+54 9 11 2345-6788"), 0))
@given(PAIRS)
def test_two_numbers_that_are_canonically_one_are_so_for_the_library(
    case: tuple[phonenumbers.PhoneNumber, phonenumbers.PhoneNumber, int],
) -> None:
    one, other, cut = case
    shorter = e164(one)[: len(str(one.country_code))] + phonenumbers.national_significant_number(one)[cut:]
    for second in (e164(other), shorter):
        read = e164(_parsed(f"+{second}"))  # Norfolk Island's 81234 is 381234
        alike = canonical(PhoneNumber(e164(one))) == canonical(PhoneNumber(read))
        match = phonenumbers.is_number_match(f"+{e164(one)}", f"+{second}")
        if alike:
            assert match >= phonenumbers.MatchType.SHORT_NSN_MATCH or one.country_code == 241
        if match == phonenumbers.MatchType.EXACT_MATCH:
            assert alike
