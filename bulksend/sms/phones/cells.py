"""From cells to numbers: in the quick way where their shape is common, else by the library, and why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, cast

from bulksend.errors import Why
from bulksend.model import ContactId, PhoneNumber
from bulksend.sms.phones.numbering import code_in, column_of, quick
from bulksend.sms.phones.readings import read_by_library
from bulksend.sms.phones.spelling import BadNumber, digits_of, plain_cell, several_in, squeezed, without_decimals
from bulksend.sms.phones.tails import odd_tails_of
from bulksend.sms.phones.traits import commonest_code, dialing_code, may_be_mobile


def normalise(text: str, country: str | None = None, *, new_prefixes: bool = False) -> PhoneNumber:
    """Read a phone number in any usual spelling; it must be a valid number of some country.

    Args:
        text: the cell. With "+" or "00" in front it is international.
        country: whose number it is if it has neither, as an ISO code such as ``PH``: written as at home, or with that
            country's dialing code. Without a country its digits are taken as international, as the API takes them.
        new_prefixes: whether a number counts too whose digits the library knows none of, if it is as long as a
            mobile's.

    Raises:
        BadNumber: it is no valid number; the reason says what to do.
        UsageError: ``country`` is no country.
    """
    number = quick(text, country)
    if number is None:
        cell = plain_cell(text)
        read = partial(_read, country=country, new_prefixes=new_prefixes)
        if several := several_in(cell):
            number = _one_of(several, read)
        elif bare := without_decimals(cell):
            number = _either(bare, cell, read)
        else:
            number = read(cell)
    return PhoneNumber(number)


def _read(cell: str, *, country: str | None, new_prefixes: bool) -> str:
    digits, has_code = digits_of(cell)
    country = None if has_code else country
    return quick(digits, country) or read_by_library(digits, country, has_code=has_code, new_prefixes=new_prefixes)


def _one_of(cells: Sequence[str], read: Callable[[str], str]) -> str:
    """The number that all of them are."""
    try:
        numbers = {read(plain_cell(cell)) for cell in cells}
    except BadNumber:
        numbers = set()
    if len(numbers) != 1:
        raise BadNumber("two numbers in one cell: give each a row of its own")
    return numbers.pop()


def _either(bare: str, cell: str, read: Callable[[str], str]) -> str:
    """The number of a cell that ends in .00, which may be its own digits or an amount's."""
    numbers = set()
    for each in (bare, cell):
        with suppress(BadNumber):
            numbers.add(read(each))
    if len(numbers) > 1:
        raise BadNumber("it ends as an amount does, and is a number with and without that: write digits only")
    return numbers.pop() if numbers else read(bare)


class Column(NamedTuple):
    """What a column of cells comes to.

    Attributes:
        numbers: None where a cell is no number.
        reasons: why it is none, by its place in the column.
        codes: the numbers' dialing codes; empty where there is no number.
        not_mobile: the places of numbers that are surely no mobile's.
        has_odd_tails: False if surely none ends in zeros or follows the one before it, see `odd_tails`.
    """

    numbers: list[PhoneNumber | None]
    reasons: dict[int, Why]
    codes: list[str]
    not_mobile: list[int]
    has_odd_tails: bool


def normalise_all(cells: Sequence[str], country: str | None, *, new_prefixes: bool = False) -> Column:
    """Read a whole column; decide for each cell as ``normalise`` and ``may_be_mobile`` do.

    Raises:
        UsageError: ``country`` is no country.
    """
    code = code_in(country) if country else commonest_code(cells)
    front, pattern = column_of(code, country)
    lines = ["" if "\n" in cell else cell for cell in cells] if "\n" in "".join(cells) else cells
    text = "\n".join([*lines, ""])
    numbers = _column(text, front, pattern)
    column = Column(numbers, {}, [code] * len(numbers), [], None in numbers or odd_tails_of(text, len(numbers)))
    rest = [i for i, number in enumerate(numbers) if number is None] if None in numbers else []
    found = _column("\n".join([*squeezed([lines[i] for i in rest]), ""]), front, pattern) if rest else []
    for i, number in zip(rest, found, strict=True):
        numbers[i] = number
        if number is None:
            _add_odd(column, i, partial(normalise, cells[i], country, new_prefixes=new_prefixes))
    return column


def _add_odd(column: Column, place: int, read: Callable[[], PhoneNumber]) -> None:
    """Read a cell that is no mobile's number of the column's country in a common shape."""
    try:
        number = read()
    except BadNumber as error:
        column.reasons[place], column.codes[place] = error.why, ""
        return
    column.numbers[place], column.codes[place] = number, dialing_code(number)
    if not may_be_mobile(number):
        column.not_mobile.append(place)


def _column(lines: str, front: str, pattern: re.Pattern[str]) -> list[PhoneNumber | None]:
    found = pattern.findall(lines)
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
