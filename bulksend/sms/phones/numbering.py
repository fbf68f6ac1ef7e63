"""The numbering plans of the ``phonenumbers`` library, compiled for numbers in the commonest shapes.

The library takes tens of microseconds per number, too slow for millions of rows. A pattern from here
may miss a number, which then goes to the library, but never decides otherwise than the library.
It is imported at the first number, not before.
"""

# ruff: noqa: PLC0415 -- the library is imported where it is needed, see above

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from bulksend.errors import UsageError

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata
    from phonenumbers.phonemetadata import PhoneNumberDesc

Matcher = Callable[[str], re.Match[str] | None]
Lines = tuple[str, re.Pattern[str]]
"""What belongs in front of each thing that ``findall`` of the pattern gives for a column's lines."""

_NOTHING = "(?!)"
_NEVER: Matcher = re.compile(_NOTHING).match
_FLAGS = re.ASCII | re.MULTILINE  # so that $ ends a number alone as well as one in a column's lines


def check_country(text: str) -> str:
    """Return the ISO code of a country that ``normalise`` takes, in capitals.

    Raises:
        UsageError: there is no such country.
    """
    import phonenumbers

    country = text.strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise UsageError(f"{text!r} is no country: give its two-letter code, such as PH")
    return country


@lru_cache(maxsize=2048)
def code_of(start: str) -> str:
    """Return the dialing code of numbers that begin with these three digits; empty if there is none."""
    import phonenumbers

    codes = map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE)  # none is the beginning of another
    return next(filter(start.startswith, codes), "")


@lru_cache(maxsize=256)
def region_of(code: str) -> str:
    """Return the main country with a dialing code; empty if it belongs to none."""
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(int(code)) if code else ""
    return region if region in phonenumbers.SUPPORTED_REGIONS else ""


@lru_cache(maxsize=256)
def regions_of(code: str) -> tuple[str, ...]:
    """Return all countries with a dialing code, the main one first; none if it belongs to none."""
    import phonenumbers

    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if code else ()
    return tuple(region for region in regions if region in phonenumbers.SUPPORTED_REGIONS)


def quick(text: str, country: str | None) -> str | None:
    """Return the number of a cell that is written in a common shape, or None if the library must be asked."""
    if text[:1] == "+":
        text, country = text[1:], None
    if country is None:
        return text if valid_in(code_of(text[:3]))(text) else None
    code, national = _national(country)
    match = national(text)
    return code + match["nsn"] if match else None


@lru_cache(maxsize=256)
def valid_in(code: str) -> Matcher:
    """Match valid numbers that are written with this dialing code."""
    plan = _main_plan(code)
    return re.compile(code + _nsn(plan), _FLAGS).fullmatch if plan else _NEVER


@lru_cache(maxsize=256)
def mobile_in(code: str) -> Matcher:
    """Match numbers with this dialing code that may be mobiles; others may be ones only if ``valid_in`` fails."""
    plan = _main_plan(code)
    return re.compile(code + _mobile_nsn(plan), _FLAGS).fullmatch if plan else _NEVER


@lru_cache(maxsize=256)
def column_of(code: str, country: str | None) -> Lines:
    """Find in each line of a column what ``quick`` finds in a cell, if it is a mobile with this dialing code.

    One ``findall`` for a column takes half the time of a match for each cell.
    """
    plan, start = _main_plan(code), _national_start(country) if country else code
    if plan is None:
        return "", re.compile(r"(?!)()|.*\n")
    if country is None:
        return "", re.compile(rf"\+?({start}{_mobile_nsn(plan)})\n|.*\n", _FLAGS)
    return code, re.compile(rf"(?:\+{code}|{start or _NOTHING})({_mobile_nsn(plan)})\n|.*\n", _FLAGS)


@lru_cache(maxsize=256)
def _national(country: str) -> tuple[str, Matcher]:
    """Return a country's dialing code, and match its numbers written with that code, with "0" or bare."""
    code, start = code_in(country), _national_start(country)
    plan = _main_plan(code)
    if plan is None or start is None:
        return code, _NEVER
    return code, re.compile(rf"{start}(?P<nsn>{_nsn(plan)})", _FLAGS).fullmatch


def code_in(country: str) -> str:
    """Return the dialing code of a country.

    Raises:
        UsageError: there is no such country.
    """
    import phonenumbers

    return str(phonenumbers.country_code_for_region(check_country(country)))


def _national_start(country: str) -> str | None:
    """Spell what may stand before a country's national numbers; None if only the library can tell.

    "00" is international for us whatever the country dials.
    """
    code, plan = code_in(country), _main_plan(code_in(country))
    if not plan or not plan.general_desc or plan.id != check_country(country) or plan.national_prefix_transform_rule:
        return None
    trunk = f"(?>{_bare(plan.national_prefix_for_parsing)})?" if plan.national_prefix_for_parsing else ""
    general = plan.general_desc.national_number_pattern
    return rf"(?!00|{plan.international_prefix})(?:(?!(?:{general})$){code}|(?!{code}){trunk})"


def _main_plan(code: str) -> PhoneMetadata | None:
    """Return the plan that decides alone on the numbers it matches: the first of a dialing code's regions.

    The library asks a code's regions in their order, so the first one's yes is final, unless
    it claims numbers by their leading digits only.
    """
    import phonenumbers

    region = region_of(code)
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region) if region else None
    return plan if plan and not plan.leading_digits else None


def _nsn(plan: PhoneMetadata) -> str:
    """Spell a plan as a pattern: the digits of any type of number, which no prefix is stripped from."""
    return _general(plan) + _any_of([plan.mobile, plan.fixed_line, *_services(plan)], plan)


def _mobile_nsn(plan: PhoneMetadata) -> str:
    """Spell the numbers that the library takes for a mobile's, or for those of a mobile or a fixed line.

    It asks whether a number is a service's before it asks whether it is a mobile's.
    """
    lengths = _lengths(plan.mobile, plan)
    services = _any_of([kind for kind in _services(plan) if lengths & _lengths(kind, plan)], plan)
    return _general(plan) + ("" if services == _NOTHING else f"(?!{services}$)") + _any_of([plan.mobile], plan)


def _services(plan: PhoneMetadata) -> list[PhoneNumberDesc | None]:
    services = [plan.toll_free, plan.premium_rate, plan.shared_cost, plan.voip]
    return [*services, plan.personal_number, plan.pager, plan.uan, plan.voicemail]


def _general(plan: PhoneMetadata) -> str:
    if plan.general_desc is None:
        return _NOTHING
    prefix = f"(?!{_bare(plan.national_prefix_for_parsing)})" if plan.national_prefix_for_parsing else ""
    return rf"{prefix}(?=(?:{plan.general_desc.national_number_pattern})$)"


def _any_of(kinds: list[PhoneNumberDesc | None], plan: PhoneMetadata) -> str:
    spelled = [_spelled(kind, _lengths(kind, plan)) for kind in kinds if kind and kind.national_number_pattern]
    return f"(?:{'|'.join(spelled)})" if spelled else _NOTHING


def _spelled(kind: PhoneNumberDesc, lengths: set[int]) -> str:
    either = "|".join(f"[0-9]{{{length}}}" for length in sorted(lengths))
    return rf"(?=(?:{either})$)(?:{kind.national_number_pattern})"


def _lengths(kind: PhoneNumberDesc | None, plan: PhoneMetadata) -> set[int]:
    every = set(plan.general_desc.possible_length) if plan.general_desc else set()
    return every.intersection(kind.possible_length or every) if kind else set()


def _bare(pattern: str) -> str:
    """A pattern without groups, so that ``findall`` sees our own only."""
    return re.sub(r"\((?!\?)", "(?:", pattern)
