"""What a number is once it is read: of which country, and whether a mobile's."""

# ruff: noqa: PLC0415 -- the library is imported where it is needed

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from bulksend.model import PhoneNumber
from bulksend.sms.phones.numbering import code_of, mobile_in, region_of, regions_of, valid_in

_SAMPLE = 12
_AMERICAN = "1"
_OPTIONAL = {"54": ("9", 11), "241": ("0", 8)}
"""By dialing code, a digit after it that may be left out, and how many digits there are with it."""


def dialing_code(number: PhoneNumber) -> str:
    """Return a number's dialing code, such as ``63``; empty if it begins with none."""
    return code_of(number[:3])


def country_of(code: str) -> str:
    """Return the ISO code of a dialing code's country, of its main one if it has several; empty if none."""
    return region_of(code)


def countries_of(code: str) -> tuple[str, ...]:
    """Return the ISO codes of all countries with a dialing code, the main one first; none if there is none."""
    return regions_of(code)


def country_of_number(number: PhoneNumber) -> str:
    """Return the ISO code of a number's country; empty if none has its dialing code.

    Where countries share a code, the numbers' beginnings tell them apart; what these do not tell is the main one's.
    """
    code = code_of(number[:3])
    regions = regions_of(code)
    if len(regions) < 2:
        return regions[0] if regions else ""
    return (code == _AMERICAN and _american(number[:4])) or _shared(number) or regions[0]


def country_name(code: str) -> str:
    """Write a dialing code for people, such as ``+63 (PH)``; ``contacts`` where it is empty."""
    if not code:
        return "contacts"
    country = country_of(code)
    return f"+{code} ({country})" if country else f"+{code}"


def commonest_code(texts: Sequence[str]) -> str:
    """Return the dialing code that most of a column's sample seems to have; empty if none is seen."""
    sample = texts[:: len(texts) // _SAMPLE + 1]
    codes = Counter(code_of(text.lstrip("+ (")[:3]) for text in sample if text)
    return max(codes, key=lambda code: (code != "", codes[code]), default="")


def may_be_mobile(number: PhoneNumber) -> bool:
    """Say whether a valid number may receive an SMS: the library takes it for a mobile's, or cannot tell.

    In some plans, such as that of the US, mobiles and fixed lines look the same.
    """
    code = code_of(number[:3])
    return bool(mobile_in(code)(number)) or (not valid_in(code)(number) and _library_says_mobile(number))


def is_known(number: PhoneNumber) -> bool:
    """Say whether the numbering plans know a number as a valid one."""
    import phonenumbers

    if valid_in(code_of(number[:3]))(number):
        return True
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{number}"))
    except phonenumbers.NumberParseException:
        return False


def canonical(number: PhoneNumber) -> PhoneNumber:
    """Return the one of several numbers of a phone that stands for all of them.

    From abroad Argentina's mobiles are called with a 9 after the dialing code, and are known by both numbers. Gabon's
    of seven digits may have a 0 there.
    """
    code = code_of(number[:3])
    digit, length = _OPTIONAL.get(code, ("", 0))
    place = len(code)
    if digit and len(number) == place + length and number[place] == digit:
        return PhoneNumber(code + number[place + 1 :])
    return number


def all_numbers(number: PhoneNumber) -> set[PhoneNumber]:
    """Return all numbers of the phone of one of them, see `canonical`."""
    first, code = canonical(number), code_of(number[:3])
    digit, length = _OPTIONAL.get(code, ("", 0))
    is_whole = bool(digit) and len(first) == len(code) + length - 1
    return {number, first} | ({PhoneNumber(code + digit + first[len(code) :])} if is_whole else set())


def has_others(code: str) -> bool:
    """Say whether phones with a dialing code may have more than one number, see `canonical`."""
    return code in _OPTIONAL


def read_abroad(number: PhoneNumber) -> bool:
    """Say whether a valid number may be a Philippine mobile that was written without its dialing code.

    9611234567 is a number of Lebanon, but perhaps 0961 123 4567 was meant.
    """
    return len(number) == 10 and number[0] == "9" and mobile_in("63")(f"63{number}") is not None


def _shared(number: str) -> str:
    """The country of a number whose dialing code several have; empty if the library does not tell."""
    import phonenumbers

    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(f"+{number}")) or ""
    except phonenumbers.NumberParseException:
        return ""


@lru_cache(maxsize=1024)  # the library takes tens of microseconds, and an area is all of one country
def _american(start: str) -> str:
    return _shared(f"{start}2345678")


def _library_says_mobile(number: str) -> bool:
    import phonenumbers

    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    try:
        return phonenumbers.number_type(phonenumbers.parse(f"+{number}")) in mobile
    except phonenumbers.NumberParseException:
        return False
