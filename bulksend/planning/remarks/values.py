"""What would be read on phones and nobody means: words for no value, garbled letters, placeholders."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.errors import Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.oddities import Oddity
from bulksend.planning.remarks.noted import KINDS_MAX, Noted
from bulksend.sms import dollars

_WORDS = {
    Oddity.NO_VALUE: (
        "a word for no value in {place}",
        "fill the cells in, or leave the rows out, unless it is somebody's name",
    ),
    Oddity.FORMULA: ("a formula in {place} instead of its value", "save the sheet with values"),
    Oddity.GARBLED: ("garbled letters in {place}", "mend them where the sheet comes from"),
    Oddity.MARKUP: ("signs of a web page or a program in {place}", "a phone shows them as they stand"),
    Oddity.PLACEHOLDER: ("a placeholder in {place} that nobody fills in", "write what is meant"),
}
"""What rows have, and what to do about it."""


_QUOTING = {Oddity.FORMULA, Oddity.GARBLED}
"""Of these the whole cell is shown; of the others what is odd about it."""


class Values:
    """What nobody means, by kind and place, and what its messages would cost."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._found: dict[tuple[Oddity, str], _Rows] = {}

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        for index, kind, place, seen in batch.oddities:
            if index not in batch.flaws and ((kind, place) in self._found or len(self._found) < KINDS_MAX):
                rows = self._found.setdefault((kind, place), _Rows(self._lines))
                rows.noted.note(batch.first + index, value=seen)
                rows.micro += batch.prices[index] or 0

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        for (kind, place), rows in self._found.items():
            has, what_to_do = _WORDS[kind]
            cost = f", for {dollars(rows.micro)}" if rows.micro else ""
            yield Remark(
                f"{rows.noted.count('has', 'have')} {has.format(place=place)}: {rows.noted}; "
                f"{'it is' if rows.noted.rows == 1 else 'they are'} sent so{cost}: {what_to_do}",
                kind.rule,
                severity=Severity.TEXT,
                quotes=rows.noted.quotes if kind in _QUOTING else (),
            )


class _Rows:
    """The rows that have something in common, and what they cost."""

    __slots__ = ("micro", "noted")

    def __init__(self, lines: Lines) -> None:
        self.noted = Noted(lines)
        self.micro = 0
