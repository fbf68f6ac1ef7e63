"""From a cell to digits: what people and spreadsheets put around, between and in place of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import ClassVar

from bulksend.errors import Advice, Why


class BadNumber(ValueError):  # noqa: N818 -- it reads as what it is, and is caught by this name only
    """A cell that is no phone number or contact id; ``str(error)`` tells people why.

    Attributes:
        why: the same, and what can be done.
    """

    def __init__(self, says: str, advice: Advice | None = None) -> None:
        super().__init__(says)
        self.why = Why(says, advice)


def digits_of(cell: str) -> tuple[str, bool]:
    """Return the digits of a plain cell, without "+" or "00", and whether it had one of them.

    Raises:
        BadNumber: there is something in it that is no part of a number.
    """
    if is_date(cell):
        raise BadNumber("a date, no phone number: see whether another column holds the numbers")
    cell = _SCHEME.sub("", cell)
    digits = _NOT_DIGIT.sub("", cell)
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


def plain_cell(text: str) -> str:
    """Return a cell's text in plain characters, without what a spreadsheet adds to a number.

    Raises:
        BadNumber: it is empty, or the spreadsheet lost what was in it.
    """
    cell = plain(text)
    if cell.startswith('="'):  # how people make Excel keep a number as text
        cell = cell[1:]
    cell = cell.strip(" \n\"',;|&:")
    if bracketed := _BRACKETED.fullmatch(cell):  # as accountants write a negative amount
        cell = bracketed[1].strip()
    if not cell:
        raise BadNumber("empty: write a number, or leave the row out")
    if cell.startswith("##"):
        raise BadNumber("the column was too narrow for its digits: widen it, and export the file again")
    if _SPREADSHEET_ERROR.match(cell):
        raise BadNumber("a spreadsheet's error, no number: correct the formula in this cell")
    if _FORMULA.match(cell):
        raise BadNumber("a formula, not its value: open the sheet, save it, and export it again")
    if (whole := _FLOAT.fullmatch(cell)) or (whole := _GROUPED.fullmatch(cell)):
        if whole["decimals"].strip("0"):
            raise BadNumber("an amount, no phone number: see whether another column holds the numbers")
        return re.sub("[,. ']", "", whole["whole"])
    if scientific := _SCIENTIFIC.fullmatch(cell):
        return _written_out(scientific)
    return cell


def plain(text: str) -> str:
    """Return a text with plain digits and marks in place of those of other scripts, and without marks of no width."""
    return text.translate(_PLAIN).strip()


def is_date(cell: str) -> bool:
    """Say whether a plain cell is a date, perhaps with a time."""
    return _DATE.fullmatch(cell) is not None


def is_scientific(cell: str) -> bool:
    """Say whether a plain cell is a large number in scientific notation, such as 6.39E+11."""
    return _LARGE.fullmatch(cell) is not None


def squeezed(cells: Sequence[str]) -> list[str]:
    """Take the plainest separators out of cells of one line each; empty where ``digits_of`` might differ.

    Fewer than 14 digits are never two numbers, and a "+" counts in front only.
    """
    bare = "\n".join(cells).translate(_SEPARATORS).split("\n")
    return [
        text
        if len(text) < 2 * _WHOLE_NUMBER
        and cell.rfind("+") < 1
        and (len(text) > _DATE_DIGITS or not is_date(cell.strip()))
        else ""
        for text, cell in zip(bare, cells, strict=True)
    ]


def several_in(cell: str) -> list[str]:
    """Take the numbers of a plain cell apart; empty if it has no two."""
    if _GOOGLES in cell:
        return [piece for piece in cell.split(_GOOGLES) if piece.strip()]
    if len(_NOT_DIGIT.sub("", cell)) < 2 * _WHOLE_NUMBER:
        return []
    pieces = _BETWEEN_NUMBERS.split(cell)
    if sum(len(_NOT_DIGIT.sub("", piece)) >= _WHOLE_NUMBER for piece in pieces) < 2:
        return []
    return [piece for piece in pieces if piece.strip()]


def without_decimals(cell: str) -> str:
    """Return a plain cell without the .00 at its end that may be an amount's or the number's own; empty if none is."""
    amount = _TAIL.fullmatch(cell)
    return amount[1] or amount[2] if amount else ""


def _written_out(scientific: re.Match[str]) -> str:
    """Write a number such as 6.39171234567E+11 out, if each of its digits is there."""
    if len(scientific["decimals"] or "") != int(scientific["exponent"][:_WHOLE_NUMBER]):
        raise BadNumber("digits lost to scientific notation: format the column as text and fill it in again")
    return scientific["whole"] + (scientific["decimals"] or "")


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
_SEPARATORS = str.maketrans("", "", " -()")
_WHOLE_NUMBER = 7
"""Digits from which a piece of a cell looks like a number of its own."""
_GOOGLES = ":::"
"""What Google's address book puts between the numbers of a contact."""
_NOT_DIGIT = re.compile("[^0-9]")
_NO_PART_OF_A_NUMBER = re.compile(r"[^0-9 \n()\[\]./,-]")
_PLUS = re.compile(r"[ (\[]*(\+?)(.*)", re.DOTALL)
_BRACKETED = re.compile(r"\(([^()]*)\)")
_SCHEME = re.compile(
    r"^(?:p|ph|tel|telephone|phone|mobile|mob|cell|sms|smsto|callto|whatsapp|viber) ?: ?", re.IGNORECASE
)
"""What other tools write before a number, such as Meta's p:, the tel: of RFC 3966, and Twilio's whatsapp:."""

_FLOAT = re.compile(r"(?P<whole>\+?[0-9]+)[.,](?P<decimals>0{1,2}|(?<=[0-9]{7}.)0+|(?<=[0-9]{9}.)[0-9]{1,2})")
_GROUPED = re.compile(  # 9,171,234,567.00 and its like, by lakhs too: 9,17,12,34,567.00
    r"(?P<whole>\+?[0-9]{1,3}(?P<mark>[,. '])[0-9]{2,3}(?:(?P=mark)[0-9]{2,3})*)"
    r"(?<=[0-9]{3})(?!(?P=mark))[.,](?P<decimals>[0-9]{1,2})"
)
_TAIL = re.compile(r"([^.]{7,})\.0{1,2}|([^,]{7,}),0{1,2}")
_DATE_DIGITS = 8
_YEAR, _MONTH, _DAY = "(?:19|20)[0-9]{2}", "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = re.compile(
    rf"(?:{_YEAR}(?P<a>[-/.]){_MONTH}(?P=a){_DAY}"
    rf"|{_DAY}(?P<b>[-/.]){_MONTH}(?P=b){_YEAR}|{_MONTH}(?P<c>[-/.]){_DAY}(?P=c){_YEAR})(?:[ T,]+[0-9]{{1,2}}[:.].*)?",
    re.DOTALL,
)
_SCIENTIFIC = re.compile(r"(?P<whole>[+-]?[0-9]+)([.,](?P<decimals>[0-9]*))? ?[eE] ?(?P<exponent>[+-]?[0-9]+)")
_LARGE = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)? ?[eE] ?\+?0*(?:[6-9]|[12][0-9])")
_FORMULA = re.compile(r"=.*[A-Za-z]", re.DOTALL)
_SPREADSHEET_ERROR = re.compile(r"#(N/A|REF|VALUE|NAME|DIV/0|NULL|NUM|SPILL|CALC)|err:[0-9]", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(
    r"[,;|&/\n]"
    r"|(?<![a-z])(?:or|and)(?![a-z])"
    r"|(?<=[0-9]{9})[ -]+(?=[0-9]{9})"
    r"|(?<=[0-9])[ )-]*(?=\+)",
    re.IGNORECASE,
)
