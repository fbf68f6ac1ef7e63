"""From a cell to digits: what people and spreadsheets put around, between and in place of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import ClassVar

from bulksend.errors import Advice, Remark


class BadNumber(ValueError):  # noqa: N818 -- it reads as what it is, and is caught by this name only
    """A cell that is no phone number or contact id; ``str(error)`` tells people why.

    Attributes:
        why: the same, and what can be done.
    """

    def __init__(self, says: str, advice: Advice | None = None) -> None:
        super().__init__(says)
        self.why = Remark(says, advice)


def digits_of(text: str) -> tuple[str, bool]:
    """Return a cell's digits, without "+" or "00", and whether it had one of them.

    Raises:
        BadNumber: there is something in it that is no part of a number, or more than one.
    """
    cell = plain_cell(text)
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


def plain_cell(text: str) -> str:
    """Return a cell's text in plain characters, without what a spreadsheet adds to a number.

    Raises:
        BadNumber: it is empty, or the spreadsheet lost what was in it.
    """
    cell = text.translate(_PLAIN).strip()
    if cell.startswith('="'):  # how people make Excel keep a number as text
        cell = cell[1:]
    cell = cell.strip(" \n\"',;|&")
    if not cell:
        raise BadNumber("empty: write a number, or leave the row out")
    if cell.startswith("##"):
        raise BadNumber("the column was too narrow for its digits: widen it, and export the file again")
    if _SPREADSHEET_ERROR.match(cell):
        raise BadNumber("a spreadsheet's error, no number: correct the formula in this cell")
    if whole := _FLOAT.fullmatch(cell):
        return whole[1]
    if scientific := _SCIENTIFIC.fullmatch(cell):
        return _written_out(scientific)
    return cell


def squeezed(cells: Sequence[str]) -> list[str]:
    """Take the plainest separators out of cells of one line each; empty where ``digits_of`` might differ.

    Fewer than 14 digits are never two numbers, and a "+" counts in front only.
    """
    bare = "\n".join(cells).translate(_SEPARATORS).split("\n")
    return [
        text if len(text) < 2 * _WHOLE_NUMBER and cell.rfind("+") < 1 else ""
        for text, cell in zip(bare, cells, strict=True)
    ]


def _has_two_numbers(cell: str) -> bool:
    pieces = _BETWEEN_NUMBERS.split(cell)
    return sum(len(_NOT_DIGIT.sub("", piece)) >= _WHOLE_NUMBER for piece in pieces) > 1


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
_NOT_DIGIT = re.compile("[^0-9]")
_NO_PART_OF_A_NUMBER = re.compile(r"[^0-9 \n()\[\]./,-]")
_PLUS = re.compile(r"[ (\[]*(\+?)(.*)", re.DOTALL)
_FLOAT = re.compile(r"(\+?[0-9]+)[.,]0{1,2}")
_SCIENTIFIC = re.compile(r"(?P<whole>[+-]?[0-9]+)([.,](?P<decimals>[0-9]*))? ?[eE] ?(?P<exponent>[+-]?[0-9]+)")
_SPREADSHEET_ERROR = re.compile(r"#(N/A|REF|VALUE|NAME|DIV/0|NULL|NUM|SPILL|CALC)|err:[0-9]", re.IGNORECASE)
_BETWEEN_NUMBERS = re.compile(
    r"[,;|&/\n]"
    r"|(?<![a-z])(?:or|and)(?![a-z])"
    r"|(?<=[0-9]{9})[ -]+(?=[0-9]{9})"
    r"|(?<=[0-9])[ )-]*(?=\+)",
    re.IGNORECASE,
)
