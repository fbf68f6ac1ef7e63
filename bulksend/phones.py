"""Phone numbers and contact ids as people write them in spreadsheets, made into what the API takes.

The numbering plans are those of the ``phonenumbers`` library. It takes tens of microseconds per number,
too slow for millions of rows, so its own patterns are compiled once per country for numbers in the
commonest shapes; all others go to the library. It is imported at the first number, not before.
"""

# ruff: noqa: PLC0415 -- the library is imported where it is needed, see above

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from bulksend.errors import UsageError
from bulksend.model import ContactId, PhoneNumber

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata
    from phonenumbers.phonemetadata import PhoneNumberDesc


class BadNumber(ValueError):  # noqa: N818 -- it reads as what it is, and is caught by this name only
    """A cell that is no phone number or contact id; ``str(error)`` tells people why and what to do."""


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
    number = _quick(text, country)
    if number is None:
        digits, has_code = _read(text)
        country = None if has_code else country
        number = _quick(digits, country) or _by_library(digits, country, has_code=has_code)
    return PhoneNumber(number)


def normalise_contact_id(text: str) -> ContactId:
    """Read a contact's id: a positive whole number, also as a spreadsheet's float such as ``123.0``.

    Raises:
        BadNumber: it is none; the reason says what to do.
    """
    cell = _cell(text)
    if not re.fullmatch("[0-9]+", cell):
        raise BadNumber("not a contact id: write a whole number such as 123456")
    if not 0 < len(cell.lstrip("0")) <= 18:
        raise BadNumber("not a contact id: it is out of range")
    return ContactId(int(cell))


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
def dialing_code(start: str) -> str:
    """Return the dialing code that a number with these first three digits has, "" if it is of no country."""
    import phonenumbers

    codes = map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE)  # none is the beginning of another
    return next((code for code in codes if start.startswith(code)), "")


# ---- from a cell to digits ----


def _read(text: str) -> tuple[str, bool]:
    """Return a cell's digits, without "+" or "00", and whether it had one of them."""
    cell = _cell(text)
    digits = _NOT_DIGIT.sub("", cell)
    if len(digits) >= 2 * _WHOLE_NUMBER and _has_two_numbers(cell):
        raise BadNumber("two numbers in one cell: give each a row of its own")
    plus, rest = _PLUS.match(cell).groups()  # type: ignore[union-attr] # it matches every cell
    if foreign := _NO_PART_OF_A_NUMBER.search(rest):
        if foreign[0].isalpha():
            raise BadNumber("letters in it: write digits only")
        raise BadNumber(f"{foreign[0]!r} in it: write digits only")
    if not digits:
        raise BadNumber("no digits in it: write a number such as 639171234567, or leave the row out")
    if digits.startswith("00"):
        return digits[2:], True
    return digits, bool(plus)


def _has_two_numbers(cell: str) -> bool:
    pieces = _BETWEEN_NUMBERS.split(cell)
    return sum(len(_NOT_DIGIT.sub("", piece)) >= _WHOLE_NUMBER for piece in pieces) > 1


def _cell(text: str) -> str:
    """Return a cell's text in plain characters, or say what a spreadsheet did to it."""
    cell = text.translate(_PLAIN).strip(" \n\"',;|&")
    if not cell:
        raise BadNumber("empty: write a number, or leave the row out")
    if _SPREADSHEET_ERROR.match(cell):
        raise BadNumber("a spreadsheet's error, no number: correct the formula in this cell")
    if _SCIENTIFIC.fullmatch(cell):
        raise BadNumber("digits lost to scientific notation: format the column as text and fill it in again")
    if whole := _FLOAT.fullmatch(cell):
        return whole[1]
    return cell


class _Plain(dict[int, str]):
    """For ``str.translate``: what each character stands for in a number, by its Unicode category."""

    KINDS: ClassVar = {"Cf": "", "Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n"}  # Cf: marks without width

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind, narrow = unicodedata.category(character), unicodedata.normalize("NFKC", character)
        plain = str(unicodedata.decimal(character)) if kind == "Nd" else self.KINDS.get(kind, character)
        self[code] = narrow if narrow in set("+()[]./,;|&#") else plain
        return self[code]


_PLAIN = _Plain(str.maketrans("\N{MINUS SIGN}\t\r\u2018\u2019`\u00b4", "- \n''''"))  # type: ignore[arg-type]
_WHOLE_NUMBER = 7
"""Digits from which a piece of a cell looks like a number of its own."""
_NOT_DIGIT = re.compile("[^0-9]")
_NO_PART_OF_A_NUMBER = re.compile(r"[^0-9 \n()\[\]./,-]")
_PLUS = re.compile(r"[ (\[]*(\+?)(.*)", re.DOTALL)
_FLOAT = re.compile(r"(\+?[0-9]+)[.,]0{1,2}")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+([.,][0-9]*)? ?[eE] ?[+-]?[0-9]+")
_SPREADSHEET_ERROR = re.compile(r"#(N/A|REF|VALUE|NAME|DIV/0|NULL|NUM|SPILL|CALC|#)|err:[0-9]", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(
    r"[,;|&/\n]"
    r"|(?<![a-z])(?:or|and)(?![a-z])"
    r"|(?<=[0-9]{9})[ -]+(?=[0-9]{9})"
    r"|(?<=[0-9])[ )-]*(?=\+)",
    re.IGNORECASE,
)


# ---- from digits to a number: the library, and why it says no ----


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
        raise BadNumber("no dialing code: write 63917… instead of 0917…, or give --country")
    raise BadNumber(_why_invalid(digits, country))


def _lacks_code(digits: str, *, has_code: bool) -> bool:
    """No dialing code begins with 0; and the API's document has its users at home in the Philippines."""
    return digits.startswith("0") or (not has_code and _quick(digits, "PH") is not None)


def _why_invalid(digits: str, country: str | None) -> str:
    import phonenumbers

    if country and digits.startswith(str(phonenumbers.country_code_for_region(country.upper()))):
        country = None  # it shows its dialing code
    try:
        number = phonenumbers.parse(digits if country else f"+{digits}", country)
    except phonenumbers.NumberParseException as error:
        if error.error_type == error.INVALID_COUNTRY_CODE:
            return "not a number of any country: it begins with no known dialing code"
        if error.error_type == error.TOO_LONG:
            return "too long: no country has numbers of so many digits"
        return "too short: digits are missing"
    code, have = number.country_code or 0, len(phonenumbers.national_significant_number(number))
    lengths = _mobile_lengths(code)
    fewest, most = min(lengths), max(lengths)
    if fewest <= have <= most:
        return f"not a number of any country: with the dialing code {code}, none has these digits"
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


# ---- the quick way: the library's patterns for numbers in the commonest shapes ----
# A pattern may miss a number, which then goes to the library, but never decides otherwise than the library.

_Matcher = Callable[[str], re.Match[str] | None]
_NEVER: _Matcher = re.compile(r"(?!)").match


def _quick(digits: str, country: str | None) -> str | None:
    """Return the number, or None if the library must be asked."""
    if country is None:
        return digits if _international(digits[:3])(digits) else None
    code, national = _national(country)
    match = national(digits)
    return code + match["nsn"] if match else None


@lru_cache(maxsize=2048)
def _international(start: str) -> _Matcher:
    """Match valid numbers that begin with these three digits and are written with their dialing code."""
    code = dialing_code(start)
    return _valid_in(code) if code else _NEVER


@lru_cache(maxsize=256)
def _valid_in(code: str) -> _Matcher:
    plan = _main_plan(code)
    return re.compile(code + _nsn(plan), re.ASCII).fullmatch if plan else _NEVER


@lru_cache(maxsize=256)
def _national(country: str) -> tuple[str, _Matcher]:
    """Return a country's dialing code, and match its numbers written with that code, with "0" or bare."""
    import phonenumbers

    region = check_country(country)
    code = str(phonenumbers.country_code_for_region(region))
    plan = _main_plan(code)
    if not plan or not plan.general_desc or plan.id != region or plan.national_prefix_transform_rule:
        return code, _NEVER
    trunk = f"(?>{plan.national_prefix_for_parsing})?" if plan.national_prefix_for_parsing else ""
    general = plan.general_desc.national_number_pattern
    start = rf"(?!{plan.international_prefix})(?:(?!(?:{general})\Z){code}|(?!{code}){trunk})"
    return code, re.compile(rf"{start}(?P<nsn>{_nsn(plan)})", re.ASCII).fullmatch


def _main_plan(code: str) -> PhoneMetadata | None:
    """Return the plan that decides alone on the numbers it matches: the first of a dialing code's regions.

    The library asks a code's regions in their order, so the first one's yes is final, unless
    it claims numbers by their leading digits only.
    """
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(int(code))
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return plan if plan and not plan.leading_digits else None


def _nsn(plan: PhoneMetadata) -> str:
    """Spell a plan as a pattern: the digits of any type of number, which no prefix is stripped from."""
    every = plan.general_desc
    if every is None:
        return "(?!)"
    types = [plan.mobile, plan.fixed_line, plan.toll_free, plan.premium_rate, plan.shared_cost, plan.voip]
    types += [plan.personal_number, plan.pager, plan.uan, plan.voicemail]
    either = "|".join(_spelled(kind, every) for kind in types if kind and kind.national_number_pattern)
    prefix = f"(?!{plan.national_prefix_for_parsing})" if plan.national_prefix_for_parsing else ""
    return rf"{prefix}(?=(?:{every.national_number_pattern})\Z)(?:{either})"


def _spelled(kind: PhoneNumberDesc, every: PhoneNumberDesc) -> str:
    lengths = set(kind.possible_length or every.possible_length) & set(every.possible_length)
    either = "|".join(f"[0-9]{{{length}}}" for length in sorted(lengths))
    return rf"(?=(?:{either})\Z)(?:{kind.national_number_pattern})"
