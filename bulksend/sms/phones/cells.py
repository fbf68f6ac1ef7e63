"""From cells to numbers: in the quick way where their shape is common, else by the library, and why not."""

# ruff: noqa: PLC0415 -- the library is imported where it is needed

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, cast

from bulksend.errors import Advice, Remark
from bulksend.model import ContactId, PhoneNumber
from bulksend.sms.phones.numbering import check_country, code_in, column_of, quick
from bulksend.sms.phones.spelling import BadNumber, digits_of, plain_cell, squeezed
from bulksend.sms.phones.traits import commonest_code, dialing_code, may_be_mobile


def normalise(text: str, country: str | None = None) -> PhoneNumber:
    """Read a phone number in any usual spelling; it must be a valid number of some country.

    Args:
        text: the cell. With "+" or "00" in front it is international.
        country: whose number it is if it has no dialing code, as an ISO code such as ``PH``. A number
            that is valid there is taken as such, else as an international one without "+".
            Without a country every number is taken as international, as the API takes it.

    Raises:
        BadNumber: it is no valid number; the reason says what to do.
        UsageError: ``country`` is no country.
    """
    number = quick(text, country)
    if number is None:
        digits, has_code = digits_of(text)
        country = None if has_code else country
        number = quick(digits, country) or _by_library(digits, country, has_code=has_code)
    return PhoneNumber(number)


class Column(NamedTuple):
    """What a column of cells comes to.

    Attributes:
        numbers: None where a cell is no number.
        reasons: why it is none, by its place in the column.
        codes: the numbers' dialing codes; empty where there is no number.
        not_mobile: the places of numbers that are surely no mobile's.
    """

    numbers: list[PhoneNumber | None]
    reasons: dict[int, Remark]
    codes: list[str]
    not_mobile: list[int]


def normalise_all(cells: Sequence[str], country: str | None) -> Column:
    """Read a whole column; decide for each cell as ``normalise`` and ``may_be_mobile`` do.

    Raises:
        UsageError: ``country`` is no country.
    """
    code = code_in(country) if country else commonest_code(cells)
    front, pattern = column_of(code, country)
    lines = ["" if "\n" in cell else cell for cell in cells] if "\n" in "".join(cells) else cells
    numbers = _column(lines, front, pattern)
    column = Column(numbers, {}, [code] * len(numbers), [])
    rest = [i for i, number in enumerate(numbers) if number is None] if None in numbers else []
    found = _column(squeezed([lines[i] for i in rest]), front, pattern) if rest else []
    for i, number in zip(rest, found, strict=True):
        numbers[i] = number
        if number is None:
            _add_odd(column, i, cells[i], country)
    return column


def _add_odd(column: Column, place: int, cell: str, country: str | None) -> None:
    """Read a cell that is no mobile's number of the column's country in a common shape."""
    try:
        number = normalise(cell, country)
    except BadNumber as error:
        column.reasons[place], column.codes[place] = error.why, ""
        return
    column.numbers[place], column.codes[place] = number, dialing_code(number)
    if not may_be_mobile(number):
        column.not_mobile.append(place)


def _column(lines: Sequence[str], front: str, pattern: re.Pattern[str]) -> list[PhoneNumber | None]:
    found = pattern.findall("\n".join([*lines, ""]))
    if front or "" in found:
        found = [front + number if number else None for number in found]
    return cast("list[PhoneNumber | None]", found)  # to call the type for each would take a third of the time


def normalise_contact_id(text: str) -> ContactId:
    """Read a contact's id: a positive whole number, also as a spreadsheet's float such as ``123.0``.

    Raises:
        BadNumber: it is none; the reason says what to do.
    """
    cell = plain_cell(text)
    if not re.fullmatch("[0-9]+", cell):
        raise BadNumber("not a contact id: write a whole number such as 123456")
    if not 0 < len(cell.lstrip("0")) <= 18:
        raise BadNumber("not a contact id: it is out of range")
    return ContactId(int(cell))


# ---- the library, and why it says no ----


def _by_library(digits: str, country: str | None, *, has_code: bool) -> str:
    import phonenumbers

    readings = [("+", None)] if country is None else [("", check_country(country)), ("+", None)]
    for plus, region in readings:
        try:
            number = phonenumbers.parse(plus + digits, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    if country is None and _lacks_code(digits, has_code=has_code):
        raise BadNumber("no dialing code", Advice.SAY_COUNTRY)
    raise BadNumber(_why_invalid(digits, country))


def _lacks_code(digits: str, *, has_code: bool) -> bool:
    """No dialing code begins with 0; and the API's document has its users at home in the Philippines."""
    return digits.startswith("0") or (not has_code and quick(digits, "PH") is not None)


def _why_invalid(digits: str, country: str | None) -> str:
    import phonenumbers

    if country and digits.startswith(str(phonenumbers.country_code_for_region(country.upper()))):
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
        flaw = f"not a number of any country: with the dialing code {code}, none has these digits"
        return f"{flaw}; correct it, or leave the row out"
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
