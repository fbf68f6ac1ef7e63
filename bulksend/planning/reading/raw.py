"""What all readers speak of: options, batches of rows, and the rules that hold for each kind of file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, Protocol

from bulksend.errors import Advice, InputError, Remark, UsageError
from bulksend.planning.reading.marks import Mark
from bulksend.words import printable

STDIN = "-"
BATCH_ROWS = 500  # what fits a processor's cache: larger ones are slower
EMPTY = "the input is empty; it needs a header line and rows"

_NAME_MAX = 1_000  # characters
_PHONE = re.compile(r"[0-9]{9,15}")  # 15 digits at most: E.164
_PHONE_MARKS = str.maketrans("", "", "+-(). \xa0")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says of an input; None where it is to be detected.

    Attributes:
        encoding: a text's encoding, by the name of a Python codec such as "cp1252".
        delimiter: the one character between a line's cells.
        sheet: a workbook's sheet, by its name or its number from 1.
        may_lack_header: whether the first line may be a row; it is given as the columns all the same.
        header_row: the header's line, from 1.
        visible_only: whether rows that a workbook does not show are left out; for a workbook that does not tell them,
            and for whatever is none, this is refused.

    Raises:
        UsageError: there is no such encoding, or the delimiter cannot be one.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    may_lack_header: bool = False
    header_row: int | None = None
    visible_only: bool = False

    def __post_init__(self) -> None:
        if self.encoding is not None:
            try:
                codecs.getincrementaldecoder(self.encoding)
                b"\xff\xff\xff\xff".decode(
                    self.encoding, errors="replace"
                )  # refuses what is for no text, such as base64
            except (LookupError, ValueError):
                raise UsageError(
                    f"the encoding {self.encoding!r} is not known; some that are: utf-8, cp1252, utf-16, cp1250"
                ) from None
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n\0'):
            raise UsageError(f"the delimiter {self.delimiter!r} cannot be used", Advice.SAY_DELIMITER)


@dataclass(frozen=True, slots=True)
class Looks:
    """What a person sees of some rows in a sheet, beside their texts; what speaks of cells goes by column and place.

    Attributes:
        lines: each one's line in the sheet, from 1.
        is_book: whether the sheet is one of a workbook.
        hidden: the places of the rows that are not shown.
        values: what cells hold that show something else.
        marks: what is to be said of cells, should they be used.
    """

    lines: Sequence[int]
    is_book: bool = False
    hidden: frozenset[int] = frozenset()
    values: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    marks: Mapping[int, Mapping[int, Mark]] = field(default_factory=dict)


class RawBatch(NamedTuple):
    """The next records of an input, in its order.

    Attributes:
        rows: each one's cells by the columns' order, one for each column known so far; those of a row with a flaw
            as they stand. A workbook's are as they are shown.
        flaws: why a row cannot be one, for people, by its place in ``rows``.
        looks: what else a person sees of them; None for what is no sheet.
    """

    rows: list[list[str]]
    flaws: dict[int, str]
    looks: Looks | None = None


class Reader(Protocol):
    """An open input.

    Attributes:
        columns: names of the columns known so far, in order.
        is_fixed: whether no more columns can come.
        notes: what was detected that people may want to know.
    """

    columns: list[str]
    is_fixed: bool
    notes: list[Remark]

    def batches(self) -> Iterator[RawBatch]:
        """All rows in input order.

        Raises:
            InputError: the input turned out to be unreadable as a whole.
        """


def shown(name: str) -> str:
    """An input's name as people know it."""
    return "standard input" if name == STDIN else printable(name, _NAME_MAX)


def check_header(name: str, columns: Sequence[str], options: ReadOptions) -> None:
    """See that the first line is a header, if it must be one.

    Raises:
        InputError: there is none, or one of its cells is a phone number: a row would be lost as a header.
    """
    if not any(cell.strip() for cell in columns):
        raise InputError(f"{shown(name)}: {EMPTY}")
    for cell in () if options.may_lack_header else columns:
        if is_phone(cell):
            raise InputError(
                f"{shown(name)}: the first line looks like a row, not like a header: it holds the number "
                f"{printable(cell)}; add a header line such as to,message"
            )


def is_phone(cell: str) -> bool:
    """Whether a cell can only be a phone number, and so part of a row."""
    return _PHONE.fullmatch(cell.translate(_PHONE_MARKS)) is not None


def is_blank(cells: Iterable[str]) -> bool:
    """Whether nothing stands in a row but spaces, no-break ones too: then it is none."""
    return not any(map(str.strip, cells))


def nul_flaws(rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """Faults of rows with a NUL character: no text has one, and what it was meant to be nobody knows."""
    if "\0" not in "".join(chain.from_iterable(rows)):
        return {}
    return {
        place: "the row has a NUL character in it: it is damaged; write its text anew"
        for place, cells in enumerate(rows)
        if any("\0" in cell for cell in cells)
    }
