"""Cells that a spreadsheet would run, or take for a number: how they are kept from that, and what they mean.

Results are opened in spreadsheets, and what is corrected there comes back as an input: so both ways stand here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain

_RUN = re.compile(r"\s*[=+\-@\t\r|]")  # OWASP, "CSV Injection"
_NUMBER = re.compile(r"[+\-]?[\d\s().,\-]*")
_TEXT_FORMULA = re.compile(r'\s*="((?:[^"]|"")*)"\s*')
_APOSTROPHE = re.compile(rb"'[\s\x80-\xff]*[=+\-@|\t\r]")
_SEAM = 64  # bytes


def harmless(text: str) -> str:
    """A text as a cell that no spreadsheet runs; numbers are left alone.

    Where one would, an apostrophe stands before it, which `as_meant` takes off again.
    """
    return f"'{text}" if _is_run(text) else text


def as_meant(cell: str) -> str:
    """The text that a spreadsheet's cell stands for, without what keeps it from being run, or from being a number."""
    if cell.startswith("'"):
        return cell[1:] if _is_run(cell) else cell
    return without_formula(cell)


def without_formula(cell: str) -> str:
    """The text of a formula that is nothing but a text, as people make Excel keep ``="00123"`` as it is."""
    formula = _TEXT_FORMULA.fullmatch(cell)
    return formula[1].replace('""', '"') if formula else cell


def each_cell(rows: list[list[str]], read: Callable[[str], str]) -> list[list[str]]:
    """Rows with each cell read by `as_meant` or `without_formula`; the same list if none can be other than it is."""
    text = "\n".join(chain.from_iterable(rows))
    if not ('="' in text or "'" in text):
        return rows
    return [list(map(read, cells)) for cells in rows]


class Escapes:
    """Watches a text's bytes for cells that may mean another text than they are.

    Attributes:
        seen: whether there may have been one; most texts have none, and their cells need not be looked at.
    """

    def __init__(self) -> None:
        self.seen = False
        self._end = b""

    def look_at(self, text: bytes) -> None:
        """Take in the next bytes of a UTF-8 text."""
        self.seen = self.seen or _may_hold(text) or _may_hold(self._end + text[:_SEAM])
        self._end = (self._end + text[-_SEAM:])[-_SEAM:]


def _may_hold(text: bytes) -> bool:
    # A single byte is found many times faster than two.
    return (b"=" in text and b'="' in text) or (b"'" in text and _APOSTROPHE.search(text) is not None)


def _is_run(text: str) -> bool:
    bare = text.lstrip("'")
    return _RUN.match(bare) is not None and not _NUMBER.fullmatch(bare)
