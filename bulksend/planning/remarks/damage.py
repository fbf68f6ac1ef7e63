"""Numbers that a spreadsheet may have made of others, or of nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import sub
from typing import cast

from bulksend.errors import Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.remarks.noted import KINDS_MAX, Noted
from bulksend.rules import Rule
from bulksend.sms import phones
from bulksend.words import many

_SERIES = 3  # rows from which a series is none by chance
_ZEROS, _MANY_ZEROS = "0000", "00000"
_BY_CHANCE = 1_000  # of so many rows, one ending in four zeros is nothing to tell of
_MANY_BY_CHANCE = 20_000  # one ending in five


class Damage:
    """Numbers that end in zeros, as after 9.17123E+09, and such that count up by one from row to row."""

    def __init__(self, lines: Lines) -> None:
        self._rows = 0
        self._zeros, self._many_zeros, self._series = Noted(lines), Noted(lines), Noted(lines)
        self._different: set[str] = set()
        self._before: list[str] = []  # the last numbers of the batch before

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        size = len(batch.recipients)
        self._rows += size
        if not batch.has_odd_tails and not self._goes_on(_numbers(batch, 0, 1)):
            self._before = [*self._before, *_numbers(batch, max(size - _SERIES, 0), size)][-_SERIES:]
            return
        before, numbers = self._before, _numbers(batch, 0, size)
        if phones.odd_tails(numbers) or self._goes_on(numbers[:1]):
            self._look([*before, *numbers], batch.first - len(before), batch.first)
        self._before = [*before, *numbers][-_SERIES:]

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        zeros = self._zeros if self._zeros.rows > 2 + self._rows // _BY_CHANCE else self._many_zeros
        if zeros.rows > (self._rows // _MANY_BY_CHANCE if zeros is self._many_zeros else 0):
            different = sum(number.endswith(_MANY_ZEROS) or zeros is self._zeros for number in self._different)
            repeated = f", {many(different, 'different one')} in all" if zeros.rows > 1 else ""
            yield Remark(
                f"{zeros.count('has a number that ends', 'have numbers that end')} in zeros{repeated}, as when a "
                f"spreadsheet showed 9.17123E+09 and that was saved: {zeros}; compare with where the numbers come from",
                Rule.NUMBER_ZEROS,
                severity=Severity.PERSON,
                about=zeros.about(),
            )
        if self._series.rows:
            yield Remark(
                f"{self._series.rows:,} rows have numbers that count up by one from row to row, as when a cell is "
                f"dragged down in a spreadsheet: {self._series}; compare with where the numbers come from",
                Rule.NUMBER_SERIES,
                severity=Severity.PERSON,
                about=self._series.about(),
            )

    def _goes_on(self, first: Sequence[str]) -> bool:
        """Whether the first of the batch follows the last of the one before."""
        both = [*self._before[-1:], *first]
        return len(both) == 2 and all(both) and int(both[1]) - int(both[0]) == 1

    def _look(self, numbers: Sequence[str], row: int, first: int) -> None:
        """See which of the numbers, which begin in this row, are what they may be; rows before ``first`` were seen."""
        for place, number in enumerate(numbers):
            if number.endswith(_ZEROS) and row + place >= first:
                self._add_zeros(number, row + place)
        values = [int(number or 0) for number in numbers]
        steps = list(map(sub, values[1:], values))
        if steps.count(1) >= _SERIES - 1:
            self._add_series(numbers, steps, row, first)

    def _add_series(self, numbers: Sequence[str], steps: Sequence[int], row: int, first: int) -> None:
        run = 0
        for place, step in enumerate(steps, 1):
            run = run + 1 if step == 1 else 0
            if row + place >= first and run >= _SERIES - 1:
                for member in range(place - run if run == _SERIES - 1 else place, place + 1):
                    self._series.note(row + member, value=numbers[member])

    def _add_zeros(self, number: str, row: int) -> None:
        self._zeros.note(row, value=number)
        if len(self._different) < KINDS_MAX:
            self._different.add(number)
        if number.endswith(_MANY_ZEROS):
            self._many_zeros.note(row, value=number)


def _numbers(batch: PlannedBatch, start: int, end: int) -> list[str]:
    """The numbers of some rows of a batch; empty where a row has none, or does not go."""
    some = batch.recipients[start:end]
    if not batch.flaws and "" not in batch.codes[start:end]:
        return cast("list[str]", some)
    return [who if isinstance(who, str) and i not in batch.flaws else "" for i, who in enumerate(some, start)]
