"""Cells that are no number, but may have been meant as one."""

from __future__ import annotations

import re

from bulksend.sms.phones.spelling import is_date, is_scientific, plain

_FEW = 7  # digits: what has fewer is hardly a number
_MANY = 10  # digits that among words may be one
_LETTERS_MAX = 2  # a slip such as 63917l234567
_MANY_DIGITS = re.compile(r"(?:\D*\d){7}", re.DOTALL)
_MARKS = re.compile(r"[eE\uff25\uff45] ?\+?\d|[#=\uff03\uff1d]")
_DIGIT = re.compile("[0-9]")
_AMOUNT = re.compile(r"[-+]?[^0-9A-Za-z]{0,2}[0-9]{1,3}(?:[,. ']?[0-9]{3}){0,2}[.,][0-9]{1,2}")
_DEGREES = re.compile(r"-?(?:[0-9]|[1-9][0-9]|1[0-8][0-9])\.[0-9]{4,}")
_NETWORK_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_AMONG_WORDS = re.compile(r"(?<![^\W_])\+?[0-9](?:[ ().,/-]{0,2}[0-9]){9,14}(?![^\W_])")
_ELSEWHERE = ("@", "://")


def resembles(text: str) -> bool:
    """Say whether a cell may have been meant as a phone number, damaged or misspelled.

    So it is with digits lost to scientific notation or to a narrow column, a formula that was not calculated, and many
    digits that are no date, time, amount, place or network address.
    """
    if not (_MANY_DIGITS.match(text) or _MARKS.search(text)):
        return False  # quickly, for most cells are words
    cell = plain(text).strip(" \n'\"")
    if cell.startswith("##") or is_scientific(cell):
        return True
    digits = len(_DIGIT.findall(cell))
    if digits < _FEW and not cell.startswith("="):
        return False
    if any(mark in cell for mark in _ELSEWHERE) or is_date(cell):
        return False
    if any(ordinary.fullmatch(cell) for ordinary in (_AMOUNT, _DEGREES, _NETWORK_ADDRESS)):
        return False
    letters = sum(map(str.isalpha, cell))
    if not letters:
        return digits >= _FEW
    if cell.startswith("="):
        return True
    return bool(_AMONG_WORDS.search(cell)) or (digits >= _MANY and letters <= _LETTERS_MAX)
