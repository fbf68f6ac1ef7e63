"""Rows' places in the sheet they come from, which a person finds them by."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Sequence


class Lines:
    """Knows the line of each row; few bytes, unless empty lines stand between many of them."""

    def __init__(self) -> None:
        self._is_book = False
        self._rows = array("q", [0])
        self._ahead = array("q", [0])  # by how much the lines are ahead from that row on; 0 if nothing is known

    def add(self, first: int, lines: Sequence[int], *, is_book: bool) -> None:
        """Take in the lines of the next rows.

        Args:
            first: number of the first of these rows.
            lines: theirs.
            is_book: whether a program shows them with their numbers.
        """
        self._is_book = is_book
        if not lines:
            return
        if lines[-1] - lines[0] == len(lines) - 1:
            self._note(first, lines[0] - first)
        else:
            for row, line in enumerate(lines, first):
                self._note(row, line - row)

    def end(self, row: int) -> None:
        """From that row on there are no lines in the sheet."""
        self._note(row, 0)

    def beside(self, row: int) -> str:
        """What is written after a row's number: its line, where it is not simply the next after the header's first.

        A workbook's stands there always, for its program shows it.
        """
        ahead = self._ahead[bisect_right(self._rows, row) - 1]
        return f" (line {row + ahead})" if ahead > 1 or (ahead and self._is_book) else ""

    def of(self, row: int) -> int | None:
        """A row's line; None where nothing is known of it."""
        ahead = self._ahead[bisect_right(self._rows, row) - 1]
        return row + ahead if ahead else None

    def packed(self) -> bytes:
        """All of it, to be kept."""
        return _little(array("q", [self._is_book]) + self._rows + self._ahead).tobytes()

    @classmethod
    def unpacked(cls, packed: bytes) -> Lines:
        """What was kept."""
        lines, numbers = cls(), array("q")
        numbers.frombytes(packed)
        numbers = _little(numbers)
        half = 1 + len(numbers) // 2
        lines._is_book, lines._rows, lines._ahead = bool(numbers[0]), numbers[1:half], numbers[half:]
        return lines

    def _note(self, row: int, ahead: int) -> None:
        if ahead != self._ahead[-1]:
            self._rows.append(row)
            self._ahead.append(ahead)


def _little(numbers: array[int]) -> array[int]:
    """The same numbers in the byte order in which they are kept, or back from it."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
