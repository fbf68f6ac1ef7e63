"""A cell of an .xlsx workbook: what it holds, and what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulksend.planning.reading.books.dates import plain_date
from bulksend.planning.reading.books.digits import general
from bulksend.planning.reading.books.plain import plain
from bulksend.planning.reading.books.shown import Format
from bulksend.planning.reading.books.strings import unescaped
from bulksend.planning.reading.marks import Mark, MarkKind

_KEPT_MAX = 50_000  # numbers whose looks are remembered
_PLAIN_DIGITS = 15
_UNCALCULATED = Mark(MarkKind.UNCALCULATED)


class Cell(NamedTuple):
    """A cell.

    Attributes:
        text: what it shows.
        value: what it holds, in plain letters; None if it shows just that.
        mark: what is to be said of it, or None.
    """

    text: str
    value: str | None = None
    mark: Mark | None = None


class Cells:
    """Makes cells of what a sheet's XML says.

    Args:
        strings: the shared texts.
        formats: each style's; None for plain numbers.
        since_1904: whether days are counted from 1904.

    Attributes:
        has_plain_words: whether no style puts anything around a text.
    """

    def __init__(self, strings: Sequence[str], formats: Sequence[Format | None], *, since_1904: bool) -> None:
        self._strings = strings
        self._formats = formats
        self._since_1904 = since_1904
        self._kept: dict[tuple[str, str], Cell] = {}
        self.has_plain_words = not any(look and look.words for look in formats)

    def shared(self, text: str) -> str:
        """A shared text, by its number."""
        return self._strings[int(text)]

    def cell(self, kind: str, style: str, text: str | None, *, is_formula: bool) -> Cell:
        """The cell.

        Args:
            kind: its type as the XML has it; empty for a number.
            style: the number of its style as the XML has it; empty if it has none.
            text: its value as the XML has it, or None.
            is_formula: whether the value is a formula's.
        """
        if kind == "s":
            return self._word(self._strings[int(text)], style) if text else Cell("")
        if is_formula and (text is None or (not text and kind != "str")):
            return Cell("", None, _UNCALCULATED)
        if not text:
            return Cell("")
        if kind in {"str", "inlineStr"}:
            return self._word(unescaped(text), style)
        if kind == "b":
            return Cell("FALSE" if text.strip() in {"0", "false"} else "TRUE")
        if kind == "e":
            return Cell("", None, Mark(MarkKind.ERROR, text))
        if kind == "d":
            return Cell(text.replace("T", " ").removesuffix("Z").removesuffix(" 00:00:00"))
        return self._number(text, style)

    def _format(self, style: str) -> Format | None:
        place = int(style) if style else 0
        return self._formats[place] if place < len(self._formats) else None

    def _word(self, text: str, style: str) -> Cell:
        if style and (look := self._format(style)) and look.words:
            return Cell(look.words.replace("\0", text), text)
        return Cell(text)

    def _number(self, text: str, style: str) -> Cell:
        known = self._kept.get((text, style))
        if known is None:
            known = self._made(text, self._format(style))
            if len(self._kept) < _KEPT_MAX:
                self._kept[text, style] = known
        return known

    def _made(self, text: str, look: Format | None) -> Cell:
        number = float(text)
        if look is None:
            value, shown = plain(number), general(number)
            return Cell(shown, None if shown == value else value)
        if look.is_date:
            value = plain_date(number, is_duration=look.is_duration, since_1904=self._since_1904)
        else:
            value = plain(number)
        seen = look.shown(number, since_1904=self._since_1904)
        if seen is not None:
            return Cell(seen, None if seen == value else value)
        return Cell(value, None, Mark(MarkKind.LOCAL if look.is_local else MarkKind.UNKNOWN, look.code))
