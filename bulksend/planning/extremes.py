"""The longest and the dearest of a plan's messages, found while it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bulksend.model import MicroUSD
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.overview import Extreme, Preview


class Extremes:
    """Finds the first message of most parts, and of these of most characters; and the first of the highest price.

    Args:
        lines: knows where in the sheet rows stand.

    Attributes:
        longest: it; None as long as there is none.
        dearest: the same of the price; None where no price is known.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.longest: Extreme | None = None
        self.dearest: Extreme | None = None

    @property
    def rows(self) -> tuple[int, int]:
        """The rows of the longest and of the dearest; 0 for none."""
        return (self.longest.preview.row if self.longest else 0), (self.dearest.preview.row if self.dearest else 0)

    def add(self, batch: PlannedBatch) -> None:
        """Take in the next rows."""
        parts, texts = batch.parts, batch.texts
        most = max(parts, default=0)
        if most and (self.longest is None or most >= self.longest.parts):
            sizes = list(map(len, texts)) if parts.count(most) == len(parts) else _sizes(parts, texts, most)
            size = max(sizes)
            if self.longest is None or (most, size) > (self.longest.parts, len(self.longest.preview.text)):
                self.longest = self._of(batch, sizes.index(size))
        price = _highest(batch.prices)
        if price is not None and (self.dearest is None or price > (self.dearest.price or 0)):
            self.dearest = self._of(batch, batch.prices.index(price))

    def beside(self, previews: Iterable[Preview]) -> tuple[Extreme, ...]:
        """Both, without those that are shown anyway."""
        return extremes(self.longest, self.dearest, {preview.row for preview in previews}, self._lines)

    def _of(self, batch: PlannedBatch, place: int) -> Extreme:
        preview = Preview.of(batch.first + place, batch.recipients[place], batch.senders[place], batch.texts[place])
        return Extreme(preview, batch.parts[place], batch.prices[place])


def extremes(
    longest: Extreme | None, dearest: Extreme | None, shown: set[int], lines: Lines
) -> tuple[Extreme, ...]:  # fmt: skip
    """The longest and the dearest message, without those that are shown anyway; one that is both stands once.

    Args:
        longest: the first.
        dearest: the other.
        shown: the rows that are shown anyway.
        lines: knows where in the sheet rows stand.
    """
    rows = [None if each is None else each.preview.row for each in (longest, dearest)]
    found = {each.preview.row: each for each in (longest, dearest) if each is not None}
    return tuple(
        each._replace(beside=lines.beside(row), is_longest=row == rows[0], is_dearest=row == rows[1])
        for row, each in found.items()
        if row not in shown
    )


def _sizes(parts: Sequence[int], texts: Sequence[str], most: int) -> list[int]:
    return [len(text) if count == most else -1 for count, text in zip(parts, texts, strict=True)]


def _highest(prices: Sequence[MicroUSD | None]) -> MicroUSD | None:
    if prices and prices.count(prices[0]) == len(prices):
        return prices[0]
    return max((price for price in prices if price is not None), default=None)
