"""Sums a plan up while it is made, in memory that does not grow with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import nlargest

from bulksend.errors import Advice, Remark, Severity
from bulksend.model import Duplicates, Encoding, MicroUSD, Recipient, Status
from bulksend.planning.batch import Flaw, PlannedBatch
from bulksend.planning.columns import Columns
from bulksend.planning.extremes import Extremes
from bulksend.planning.lines import Lines
from bulksend.planning.overview import (
    CROWDS_MAX,
    Crowd,
    Findings,
    Group,
    Overview,
    Plan,
    Preview,
    Reason,
    Tally,
    summed,
)
from bulksend.planning.planner import PlanOptions
from bulksend.planning.remarks import Noted, Remarks
from bulksend.planning.repeats import RepeatedMessage, Repeats

_REASONS_MAX = 1_000  # beyond these many, reasons are not told apart: those of JSON lines name the line
DUPLICATE = "the same number and text as an earlier row"
ANOTHER = "an earlier row goes to the same phone"
_MANY_REASONS = "for other reasons: see the results"
_Why = tuple[Status, str, Advice | None]


class Survey:
    """Counts what is planned, and collects what people should know of it.

    Args:
        name: the input's name.
        options: what decided.
        columns: the input's.
    """

    def __init__(self, name: str, options: PlanOptions, columns: Columns) -> None:
        self._name = name
        self._options = options
        self._rows = 0
        self._groups: Counter[tuple[str, Encoding | None, int, MicroUSD | None]] = Counter()
        self._lines = Lines()
        self._reasons: dict[_Why, Noted] = {}
        self._remarks = Remarks(options, columns, self._lines)
        self._previews: list[Preview] = []
        self._extremes = Extremes(self._lines)
        self._repeats = Repeats()
        self._crowds: list[Crowd] = []
        self._duplicates = Noted(self._lines)
        self._others = Noted(self._lines)

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self._rows

    @property
    def lines(self) -> Lines:
        """The rows' lines in their sheet, as far as it is one."""
        return self._lines

    def add(self, batch: PlannedBatch) -> None:
        """Take in the next rows."""
        size = len(batch.cells)
        self._rows += size
        if batch.looks:
            self._lines.add(batch.first, batch.looks.lines, is_book=batch.looks.is_book)
        columns = (batch.codes, batch.encodings, batch.parts, batch.prices)
        if all(column.count(column[0]) == size for column in columns if column):  # type: ignore[arg-type]
            self._groups.update(dict.fromkeys(zip(*(column[:1] for column in columns), strict=True), size))
        else:
            self._groups.update(zip(*columns, strict=True))
        for index, flaw in batch.flaws.items():
            self._add_flaw(batch.first + index, flaw)
        self._remarks.add(batch)
        self._extremes.add(batch)
        if len(self._previews) < self._options.previews:
            self._add_previews(batch)
        recipients = batch.recipients
        if batch.flaws:
            recipients = [None if i in batch.flaws else who for i, who in enumerate(recipients)]
        self._repeats.add(batch.first, recipients, batch.texts, batch.parts)

    def repeats(self) -> Iterator[tuple[Recipient, list[RepeatedMessage], dict[int, int]]]:
        """Once all rows are in: each recipient of more than one message, its messages, and which of them repeats which.

        The last is a mapping from rows to the earlier rows that have their text.
        """
        for recipient, messages in self._repeats.groups():
            firsts: dict[int, int] = {}
            copies = {m.row: first for m in messages if (first := firsts.setdefault(m.text, m.row)) != m.row}
            for row, first in copies.items():
                self._duplicates.note(row, "", f"as row {first}")
            kept = messages[0].row
            for message in messages[1:]:
                if self._options.one_per_number or message.row not in copies:
                    self._others.note(message.row, "", f"{recipient}, as row {kept}")
            self._crowds.append(Crowd(recipient, len(messages), sum(message.parts for message in messages)))
            if len(self._crowds) > 8 * CROWDS_MAX:
                self._crowds = self._most_crowded()
            yield recipient, messages, copies
        self._crowds = self._most_crowded()
        self._repeats.close()

    @property
    def duplicates(self) -> Noted:
        """The rows that have number and text of an earlier one; known once `repeats` is through."""
        return self._duplicates

    def findings(self, notes: Sequence[Remark], warnings: Sequence[Remark]) -> Findings:
        """What people should know.

        Args:
            notes: how the input was understood.
            warnings: what else than this survey has found may not be as it was meant.
        """
        found = dict(self._reasons)
        if self._options.one_per_number and self._others.rows:
            found[Status.SKIPPED, ANOTHER, None] = self._others
        elif self._options.duplicates is Duplicates.SKIP and self._duplicates.rows:
            found[Status.SKIPPED, DUPLICATE, Advice.SEND_DUPLICATES] = self._duplicates
        reasons = [
            Reason(status, says, noted.rows, noted.examples, advice) for (status, says, advice), noted in found.items()
        ]
        reasons.sort(key=lambda reason: (-reason.rows, reason.examples))
        remarks = (*warnings, *self._remarks.all(self._duplicates, self._others))
        grave = tuple(remark for remark in remarks if remark.severity is not Severity.NOTE)
        told = (*notes, *(remark for remark in remarks if remark.severity is Severity.NOTE))
        return Findings(tuple(reasons), told, grave, self._options.rates.source, *self._extremes.rows)

    def plan(self, findings: Findings) -> Plan:
        """The plan summed up, with nothing of it sent."""
        tally = Tally(dict.fromkeys(Status, 0) | self.counts())
        previews = tuple(self._previews)
        extremes = self._extremes.beside(previews) if self._options.previews else ()
        return Plan(self._name, tally, self._overview(), findings, previews, extremes)

    def counts(self) -> dict[Status, int]:
        """Rows by what the plan says of them; known once `repeats` is through."""
        left_out = dict.fromkeys((Status.INVALID, Status.SKIPPED), 0)
        for (status, *_), noted in self._reasons.items():
            left_out[status] += noted.rows
        if self._options.one_per_number:
            left_out[Status.SKIPPED] += self._others.rows
        elif self._options.duplicates is Duplicates.SKIP:
            left_out[Status.SKIPPED] += self._duplicates.rows
        return left_out | {Status.PENDING: self._rows - sum(left_out.values())}

    def _overview(self) -> Overview:
        groups = (
            Group(code, encoding, parts, rows, (price or 0) * rows, rows if price is None else 0)
            for (code, encoding, parts, price), rows in self._groups.items()
            if encoding is not None
        )
        return Overview(summed(groups), tuple(self._crowds))

    def _most_crowded(self) -> list[Crowd]:
        return nlargest(CROWDS_MAX, self._crowds, key=lambda crowd: crowd.parts)

    def _add_flaw(self, row: int, flaw: Flaw) -> None:
        key: _Why = (flaw.status, flaw.says, flaw.advice)
        if key not in self._reasons and len(self._reasons) >= _REASONS_MAX:
            key = (flaw.status, _MANY_REASONS, None)
        self._reasons.setdefault(key, Noted(self._lines)).note(row, flaw.column, flaw.value)

    def _add_previews(self, batch: PlannedBatch) -> None:
        for i, (recipient, sender, text) in enumerate(zip(batch.recipients, batch.senders, batch.texts, strict=True)):
            if i not in batch.flaws and len(self._previews) < self._options.previews:
                self._previews.append(Preview.of(batch.first + i, recipient, sender, text))
