"""What a person sees of a sheet beside its texts, as far as it matters for planning."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from bulksend.model import Status
from bulksend.planning.batch import Flaw, Unsure
from bulksend.planning.reading import Looks, Mark, MarkKind, RawBatch
from bulksend.planning.usual import is_usual
from bulksend.sms import column_key

HIDDEN = "hidden in the sheet"
_UNREADABLE = {MarkKind.ERROR, MarkKind.UNCALCULATED}
_UNREAD = "(not worked out)"


def recipient_names(mapping: Sequence[tuple[str, str]]) -> Callable[[str], bool]:
    """What tells whether a column's name is one for the recipient: as it is mapped, else as is usual."""
    mapped = {column_key(column) for field, column in mapping if field in {"to", "contactId"} and column}
    if mapped:
        return lambda name: column_key(name) in mapped
    return lambda name: is_usual(name) or column_key(name) in {"to", "contactid"}


def held(raw: RawBatch, columns: Collection[int]) -> list[list[str]]:
    """The rows with what the cells of some columns hold, instead of what they show."""
    if raw.looks:
        for column in columns:
            for place, value in raw.looks.values.get(column, {}).items():
                raw.rows[place][column] = value
    return raw.rows


def listed(raw: RawBatch) -> list[list[str]]:
    """The rows with what all cells hold, and with what stands for those that cannot be read, so that none is missed."""
    if raw.looks:
        held(raw, raw.looks.values)
        for column, marks in raw.looks.marks.items():
            for place, mark in marks.items():
                if mark.kind in _UNREADABLE:
                    raw.rows[place][column] = mark.about or _UNREAD
    return raw.rows


def flaws(raw: RawBatch, own: Collection[int], names: Sequence[str], *, visible_only: bool) -> dict[int, Flaw]:
    """The rows that are not to be sent for what a person sees of them.

    Args:
        raw: the rows.
        own: the columns that hold the rows' own texts and senders: one that cannot be read is no row without one.
        names: the columns' names.
        visible_only: whether rows that are not shown are left out.
    """
    if raw.looks is None:
        return {}
    found = {
        place: _flaw(mark, names[column])
        for column in own
        for place, mark in raw.looks.marks.get(column, {}).items()
        if mark.kind in _UNREADABLE
    }
    return found | dict.fromkeys(raw.looks.hidden if visible_only else (), Flaw(Status.SKIPPED, HIDDEN))


def explain(flaws: dict[int, Flaw], looks: Looks | None, recipients: Collection[int], names: Sequence[str]) -> None:
    """Say of cells that are found empty why they are: they show an error, or nobody has worked them out.

    Args:
        flaws: what is wrong with rows, which is changed.
        looks: what is seen of these.
        recipients: the columns of the recipients, of which one stands for all.
        names: the columns' names.
    """
    for column, marks in looks.marks.items() if looks else ():
        keys = {column_key(names[each]) for each in (recipients if column in recipients else [column])}
        keys |= {"to"} if column in recipients else set()
        for place, mark in marks.items():
            flaw = flaws.get(place)
            if flaw and mark.kind in _UNREADABLE and not flaw.value and column_key(flaw.column) in keys:
                flaws[place] = _flaw(mark, names[column])


def unsure(
    raw: RawBatch, columns: Collection[int], names: Sequence[str], left_out: Mapping[int, object]
) -> list[Unsure]:
    """The cells in use of which it is not known how a person sees them."""
    marks = raw.looks.marks if raw.looks else {}
    return [
        Unsure(place, names[column], mark, raw.rows[place][column])
        for column in sorted(set(columns))
        for place, mark in marks.get(column, {}).items()
        if mark.kind not in _UNREADABLE and place not in left_out
    ]


def _flaw(mark: Mark, column: str) -> Flaw:
    if mark.kind is MarkKind.ERROR:
        return Flaw(Status.INVALID, "its cell shows an error: correct the formula", column, mark.about)
    says = "its cell is a formula that was never worked out: open the workbook, and save it again"
    return Flaw(Status.INVALID, says, column)
