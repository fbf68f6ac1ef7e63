"""What digits mean where their shape is not a common one: all ways to read them, and which is meant; or why none is."""

# ruff: noqa: PLC0415 -- the library is imported where it is needed

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from bulksend.errors import Advice, Why
from bulksend.model import PhoneNumber
from bulksend.sms.phones.numbering import check_country, code_in, code_of, mobile_in, quick
from bulksend.sms.phones.spelling import BadNumber
from bulksend.sms.phones.traits import may_be_mobile

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber as Parsed

_MEXICAN = re.compile("521([0-9]{10})")
_MEXICAN_AT_HOME = re.compile("04[45]([0-9]{10})")  # with a 1 alone in front it may be an American one
"""As mobiles were dialed until 2019, and many sheets still have them."""

_MEXICO = "52"
_ABROAD_FROM_AMERICA = "011"
_NONE_HAS = "none has these digits; correct it, or leave the row out"


def read_by_library(digits: str, country: str | None, *, has_code: bool, new_prefixes: bool) -> str:
    """Read digits as a valid number.

    Args:
        digits: without "+" or "00".
        country: whose number it is, in its own spelling or with its dialing code in front; None if it begins with any
            country's dialing code.
        has_code: whether "+" or "00" said that it does.
        new_prefixes: whether prefixes count that the library does not know.

    Raises:
        BadNumber: it is none, or may be several.
    """
    import phonenumbers

    parsed = [*_parsed(digits, country)]
    numbers = {_spelled(number) for number in parsed if phonenumbers.is_valid_number(number)}
    if not numbers and new_prefixes:
        numbers = {_spelled(number) for number in parsed if _may_be_new(number)}
    if len(numbers) > 1:  # a mobile's number is what is meant in a sheet for SMS
        numbers = {number for number in numbers if may_be_mobile(PhoneNumber(number))} or numbers
    if len(numbers) > 1:
        raise BadNumber("it may or may not begin with the dialing code: write it with a + and that code")
    if numbers:
        return numbers.pop()
    if country is None and _lacks_code(digits, has_code=has_code):
        raise BadNumber("no dialing code", Advice.SAY_COUNTRY)
    why = _why_invalid(digits, country, parsed)
    raise BadNumber(why.says, why.advice)


def _parsed(digits: str, country: str | None) -> Iterator[Parsed]:
    """All numbers that digits may be, valid or not: as at home, and with the dialing code."""
    code = code_in(country) if country is not None else ""
    if country is not None:
        at_home = _MEXICAN_AT_HOME.sub(r"\1", digits) if code == _MEXICO else digits
        number = _parse(at_home, check_country(country))
        # The library knows what is dialed for abroad, but that may be a single 0, or digits that a number begins with.
        if number and (f"{number.country_code}" == code or digits.startswith(_ABROAD_FROM_AMERICA)):
            yield number
    if digits.startswith(code) and (number := _parse("+" + _MEXICAN.sub(r"52\1", digits), None)):
        yield number


def _parse(text: str, region: str | None) -> Parsed | None:
    import phonenumbers

    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _spelled(number: Parsed) -> str:
    import phonenumbers

    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


def _may_be_new(number: Parsed) -> bool:
    """Whether a number is as long as a mobile's of its country, and begins as some do."""
    import phonenumbers

    mobile = phonenumbers.PhoneNumberType.MOBILE
    first = phonenumbers.national_significant_number(number)[:1]
    return first in _first_digits(f"{number.country_code}") and phonenumbers.is_possible_number_for_type(number, mobile)


@lru_cache(maxsize=256)
def _first_digits(code: str) -> frozenset[str]:
    """What a dialing code's mobile numbers begin with, after it."""
    is_mobile, lengths = mobile_in(code), _mobile_lengths(int(code))
    tried = (f"{start:04}1234567890"[:length] for start in range(10_000) for length in lengths)
    return frozenset(national[:1] for national in tried if is_mobile(code + national))


# ---- why it is no number ----


def _lacks_code(digits: str, *, has_code: bool) -> bool:
    """No dialing code begins with 0; and the API's document has its users at home in the Philippines."""
    return digits.startswith("0") or (not has_code and quick(digits, "PH") is not None)


def _why_invalid(digits: str, country: str | None, parsed: list[Parsed]) -> Why:
    import phonenumbers

    if country and (foreign := _foreign_code(digits)):
        return Why(f"no number of {check_country(country)}; if it is +{foreign} …, write the +")
    if any(map(_may_be_new, parsed)):
        plans, code = f"phonenumbers {phonenumbers.__version__}", parsed[0].country_code
        says = f"not a number of any country that {plans} knows: with the dialing code {code}, {_NONE_HAS}"
        return Why(says, Advice.ALLOW_NEW_PREFIXES)
    return Why(_flaw(digits, country))


def _foreign_code(digits: str) -> str:
    """The dialing code of digits that would be a valid number with a "+" in front; empty if they would be none."""
    import phonenumbers

    return code_of(digits[:3]) if any(map(phonenumbers.is_valid_number, _parsed(digits, None))) else ""


def _flaw(digits: str, country: str | None) -> str:
    import phonenumbers

    if country and digits.startswith(code_in(country)):
        country = None  # it shows its dialing code
    try:
        number = phonenumbers.parse(digits if country else f"+{digits}", country)
    except phonenumbers.NumberParseException as error:
        if error.error_type == error.INVALID_COUNTRY_CODE:
            return "not a number of any country: it begins with no known dialing code, such as 63"
        if error.error_type == error.TOO_LONG:
            return "too long: no country has numbers of so many digits; write one number a row"
        return "too short: digits are missing; write it in full, such as 639171234567"
    code, have = number.country_code or 0, len(phonenumbers.national_significant_number(number))
    lengths = _mobile_lengths(code)
    fewest, most = min(lengths), max(lengths)
    if fewest <= have <= most:
        return f"not a number of any country: with the dialing code {code}, {_NONE_HAS}"
    size, wanted = "short" if have < fewest else "long", f"{fewest} to {most}" if fewest < most else fewest
    return f"too {size}: {have} digits after the dialing code {code}, where a mobile number has {wanted}"


def _mobile_lengths(code: int) -> list[int]:
    """Return how many digits mobile numbers with a dialing code have after it."""
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(code)
    plan = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    kinds = (plan.mobile, plan.general_desc) if plan else ()
    lengths = ([length for length in kind.possible_length if length > 0] for kind in kinds if kind)
    return next(filter(None, lengths), [15])  # E.164's most, for a plan that says nothing
