"""What a plan says of rows that follow one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson

from bulksend.errors import Advice, Why
from bulksend.model import Encoding, MicroUSD, Recipient, Status
from bulksend.planning.oddities import Odd
from bulksend.planning.reading import Looks, Mark


class Unsure(NamedTuple):
    """A cell in use of which it is not known how a person sees it.

    Attributes:
        place: the row's index.
        column: the input's column.
        mark: why.
        text: what is written for it.
    """

    place: int
    column: str
    mark: Mark
    text: str


class FilledIn(NamedTuple):
    """An empty cell for which a merge field has something to say.

    Attributes:
        row: the row's index in its batch.
        place: the merge field, for people.
        fallback: what is said.
    """

    row: int
    place: str
    fallback: str


class Flaw(NamedTuple):
    """Why a row is not to be sent.

    Attributes:
        status: invalid or skipped.
        says: the reason, for people; the same words for all rows of the same reason.
        column: the input's column that is to blame; empty if it is no single one.
        value: what stands there.
        advice: what can be done, or None.
    """

    status: Status
    says: str
    column: str = ""
    value: str = ""
    advice: Advice | None = None


def refuse(
    flaws: dict[int, Flaw], rows: Iterable[int], why: Why, column: str, cells: Sequence[str] | None = None
) -> None:
    """Add why rows cannot be sent, where nothing else is said of them yet.

    Args:
        flaws: gets it.
        rows: their indices.
        why: the reason.
        column: the input's column that is to blame; empty if it is no single one.
        cells: what stands there, of all rows.
    """
    for i in rows:
        flaws.setdefault(i, Flaw(Status.INVALID, why.says, column, cells[i] if cells else "", why.advice))


class PlannedBatch(NamedTuple):
    """What the plan says of rows that follow one another: column by column, for millions of them pass.

    Attributes:
        first: number of the first row.
        recipients: whom they go to; None where the row does not tell.
        senders: the sender ids, or None.
        texts: merge fields filled; empty for a row with a flaw.
        encodings: how the texts travel; None for a row with a flaw.
        parts: SMS parts; 0 for a row with a flaw.
        codes: dialing codes of the recipients' numbers; empty for a contact or an unknown recipient.
        prices: in micro-USD; None where no rate is known.
        flaws: why rows are not to be sent, by their index.
        not_mobile: the indices of numbers that are surely no mobile's.
        has_odd_tails: False if surely none of the numbers ends in zeros or follows the one before it.
        made_plain: by index, the parts that a text would need, had it not been made GSM-7.
        oddities: what nobody means to be read, in texts and in what is filled into them.
        filled_in: the empty cells for which a merge field has something to say.
        singular: the rows whose text is to be looked at by itself: of their own, or with a value that says something.
        cells: the rows' own cells.
        looks: what else a person sees of them in their sheet; None for what is no sheet.
        unsure: the cells in use of which it is not known how a person sees them.
    """

    first: int
    recipients: list[Recipient | None]
    senders: list[str | None]
    texts: list[str]
    encodings: list[Encoding | None]
    parts: list[int]
    codes: list[str]
    prices: list[MicroUSD | None]
    flaws: dict[int, Flaw]
    not_mobile: list[int]
    has_odd_tails: bool
    made_plain: dict[int, int]
    oddities: list[Odd]
    filled_in: list[FilledIn]
    singular: frozenset[int]
    cells: list[list[str]]
    looks: Looks | None = None
    unsure: Sequence[Unsure] = ()

    def counts(self) -> Counter[Status]:
        """How many of the rows are to be sent, and how many are not for what reason."""
        found = Counter(flaw.status for flaw in self.flaws.values())
        found[Status.PENDING] = len(self.cells) - len(self.flaws)
        return found

    def columns(self) -> PlannedColumns:
        """See `PlannedRows.columns`."""
        size = len(self.cells)
        statuses, errors = [Status.PENDING.value] * size, [""] * size
        for index, flaw in self.flaws.items():
            statuses[index], errors[index] = flaw.status.value, flaw.says
        return PlannedColumns(
            rows=range(self.first, self.first + size),
            statuses=statuses,
            recipients=self.recipients,
            senders=self.senders,
            texts=self.texts,
            encodings=list(map(_ENCODINGS.__getitem__, self.encodings)),
            parts=self.parts,
            prices=self.prices,
            errors=errors,
            cells=list(map(orjson.dumps, self.cells)),
        )


class PlannedColumns(NamedTuple):
    """Rows that follow one another as a run keeps them, column by column; a `PlannedRecord` is one of them.

    Plain strings: SQLite's module takes twice as long for enums.
    """

    rows: Sequence[int]
    statuses: Sequence[str]
    recipients: Sequence[Recipient | None]
    senders: Sequence[str | None]
    texts: Sequence[str]
    encodings: Sequence[str | None]
    parts: Sequence[int]
    prices: Sequence[MicroUSD | None]
    errors: Sequence[str]
    cells: Sequence[bytes]

    @classmethod
    def of(cls, records: Sequence[PlannedRecord]) -> PlannedColumns:
        """The columns of some rows."""
        return cls(*zip(*records, strict=True)) if records else cls(*[()] * len(cls._fields))

    def records(self) -> Iterator[PlannedRecord]:
        """The rows."""
        return zip(*self, strict=True)


PlannedRecord = tuple[int, str, Recipient | None, str | None, str, str | None, int, MicroUSD | None, str, bytes]
"""A planned row: number, status, recipient, sender, text, encoding, parts, price, why it is left out, own cells."""

_ENCODINGS: dict[Encoding | None, str | None] = {None: None} | {encoding: encoding.value for encoding in Encoding}
