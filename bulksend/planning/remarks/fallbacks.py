"""Empty cells for which a merge field has something to say."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.errors import Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.remarks.noted import Noted
from bulksend.rules import Rule


class FilledInCells:
    """How often each merge field's fallback is used."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._found: dict[tuple[str, str], Noted] = {}  # as few as merge fields

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        for index, place, fallback in batch.filled_in:
            if index not in batch.flaws:
                self._found.setdefault((place, fallback), Noted(self._lines)).note(batch.first + index)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        for (place, fallback), noted in self._found.items():
            says = f"say {fallback!r} instead" if fallback else "say nothing there"
            if noted.rows == 1:
                says = says.replace("say", "says", 1)
            has = noted.count(f"has nothing for {place} and {says}", f"have nothing for {place} and {says}")
            yield Remark(f"{has}: {noted}", Rule.VALUE_EMPTY, severity=Severity.NOTE)
