"""What a person does not see, or sees otherwise than it is written."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.errors import Advice, Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.reading import MarkKind
from bulksend.planning.remarks.noted import KINDS_MAX, Noted
from bulksend.rules import Rule


class HiddenRows:
    """Rows to be sent that the sheet does not show."""

    def __init__(self, lines: Lines) -> None:
        self._rows = Noted(lines)

    def add(self, batch: PlannedBatch, _texts: str) -> None:
        """See `Topic.add`."""
        for place in sorted(batch.looks.hidden) if batch.looks else ():
            if place not in batch.flaws:
                self._rows.note(batch.first + place, value=f"{batch.recipients[place]}")

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        if self._rows.rows:
            are = self._rows.count("is", "are")
            says = f"{are} hidden in the sheet, by a filter or by hand, and will be sent all the same: {self._rows}"
            yield Remark(says, Rule.READ_HIDDEN, Advice.SEND_VISIBLE, Severity.PERSON, self._rows.about())


class UnsureLooks:
    """Cells in texts of which it is not known how the sheet shows them."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._columns: dict[tuple[str, MarkKind, str], Noted] = {}

    def add(self, batch: PlannedBatch, _texts: str) -> None:
        """See `Topic.add`."""
        for place, column, mark, text in batch.unsure:
            key = (column, mark.kind, mark.about)
            if key in self._columns or len(self._columns) < KINDS_MAX:
                self._columns.setdefault(key, Noted(self._lines)).note(batch.first + place, value=text)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        for (column, kind, about), noted in self._columns.items():
            if kind is MarkKind.LOCAL:
                why = "its format is that of whichever machine shows it"
            else:
                why = f"its format {about!r} is not known here"
            yield Remark(
                f"{noted.count('has', 'have')} the column {column!r} written plainly, not as the sheet shows it "
                f"({why}): {noted}",
                Rule.READ_LOOK,
                severity=Severity.TEXT,
                quotes=noted.quotes,
            )
