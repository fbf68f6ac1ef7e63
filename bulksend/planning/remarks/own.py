"""Rows whose own text or sender goes before the one that was given for all."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.errors import Advice, Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.columns import Columns
from bulksend.planning.lines import Lines
from bulksend.planning.remarks.noted import Noted
from bulksend.rules import Rule

_WORDS = {
    "message": ("text", "sent", Rule.OWN_TEXT, Advice.SEND_GIVEN_MESSAGE),
    "from": ("sender id", "used", Rule.OWN_SENDER, Advice.SEND_GIVEN_SENDER),
}


class Own:
    """What rows have of their own of a field that is given for all.

    Args:
        columns: where in a row the fields are.
        field: ``message`` or ``from``.
        given: what is given for all, if anything.
        lines: knows where in the sheet rows stand.
    """

    def __init__(self, columns: Columns, field: str, given: str | None, lines: Lines) -> None:
        self._columns = columns
        self._field = field
        self._given = bool((given or "").strip())
        self._rows = Noted(lines)

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        places = self._columns.places[self._field]
        if not self._given or not places:
            return
        for i, cells in enumerate(batch.cells):
            if i not in batch.flaws and (own := next(filter(str.strip, (cells[place] for place in places)), "")):
                self._rows.note(batch.first + i, value=own)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        if self._rows.rows:
            what, used, rule, advice = _WORDS[self._field]
            name, first = self._columns.name_of(self._field), self._rows.examples[0]
            has = self._rows.count(f"has its own {what}", f"have {what}s of their own")
            says = f"{has} in {name!r}, {used} in place of the given one"
            yield Remark(
                f"{says}: row {first.row}{first.beside} ({first.value})",
                rule,
                advice,
                Severity.TEXT,
                quotes=self._rows.quotes,
            )
