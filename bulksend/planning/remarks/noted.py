"""How remarks speak of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bulksend.planning.lines import Lines
from bulksend.planning.overview import Example
from bulksend.words import printable

EXAMPLES = 3
KINDS_MAX = 1_000
"""How many different characters, sender ids or hosts are told apart."""
_LONGEST = 60  # characters of a cell


class Noted:
    """Rows that have something in common: how many, and the first of them.

    Args:
        lines: knows where in the sheet they stand.

    Attributes:
        rows: how many.
    """

    __slots__ = ("_examples", "_lines", "rows")

    def __init__(self, lines: Lines | None = None) -> None:
        self.rows = 0
        self._lines = lines or Lines()
        self._examples: list[Example] = []

    def note(self, row: int, column: str = "", value: str = "") -> None:
        """Take one in, in whatever order."""
        self.rows += 1
        if len(self._examples) < EXAMPLES or row < self._examples[-1].row:
            example = Example(row, printable(column, _LONGEST), printable(value, _LONGEST))
            self._examples = sorted([*self._examples, example])[:EXAMPLES]

    def note_all(self, rows: Iterable[int]) -> None:
        """Take some in of which nothing else is to be said."""
        for row in rows:
            self.note(row)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The first of them, in input order."""
        return tuple(replace(example, beside=self._lines.beside(example.row)) for example in self._examples)

    @property
    def quotes(self) -> tuple[str, ...]:
        """What of these words quotes cells."""
        return tuple(f"({example.value})" for example in self._examples if example.value)

    def count(self, one: str, many: str) -> str:
        """How many rows do something, in words: ``1 row has``, ``2 rows have``."""
        return f"1 row {one}" if self.rows == 1 else f"{self.rows:,} rows {many}"

    def about(self, **more: str) -> dict[str, str]:
        """How many, and the first of them without what stands there, for faces that have words of their own."""
        return {"count": f"{self.rows:,}", "rows": self._named(shows_values=False)} | more

    def __str__(self) -> str:
        return self._named(shows_values=True)

    def _named(self, *, shows_values: bool) -> str:
        named = [
            f"row {example.row}{example.beside}" + (f" ({example.value})" if example.value and shows_values else "")
            for example in self.examples
        ]
        return ", ".join(named) + (", …" if self.rows > len(named) else "")
