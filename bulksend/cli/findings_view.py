"""What planning found, as people see it: the worst first, and on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from bulksend.cli import people
from bulksend.cli.advice import advised
from bulksend.cli.page import Page
from bulksend.errors import Remark, Severity, Why
from bulksend.planning import Example, Findings, Reason
from bulksend.words import many

_REASONS = 8  # why rows are left out: the commonest
_LONGEST = 1_000  # characters
_ROWS = "(Rows are counted from 1 below the header; empty ones do not count.)"
_WARNING = "yellow"


def show_findings(page: Page, findings: Findings, kept: int) -> None:
    """How the input was understood, which rows are left out and why, and what may be a mistake.

    Args:
        page: where to.
        findings: what was found.
        kept: lines that are kept free for what comes below.
    """
    told = sorted([*_warnings(page, findings), *_reasons(page, findings), *_notes(page, findings)])
    room = page.left - kept - bool(findings.reasons)
    if not page.tells_all and sum(each.height(page) for each in told) > room:
        told = [each.folded() for each in told]
    shown = told[: _fitting(page, told, room)] if page.cuts else told
    for each in shown:
        for line in (each.says, *each.rows):
            page.print(line, each.style if line is each.says else None)
    if len(shown) < len(told):
        page.print(f"{many(len(told) - len(shown), 'more remark')}: -v tells all.", _WARNING)
    if findings.reasons:
        page.print(_ROWS)


class _Told(NamedTuple):
    """Something found; what is worse sorts first, and what was found first among equals.

    Attributes:
        severity: what is at stake.
        kind: what comes first of the same severity.
        place: the same within a kind.
        says: the line that tells it.
        rows: the lines below it, an example each.
        style: how the first line looks.
    """

    severity: Severity
    kind: int
    place: int
    says: str
    rows: tuple[str, ...] = ()
    style: str | None = None

    def height(self, page: Page) -> int:
        """How many lines it takes."""
        return sum(map(page.height, (self.says, *self.rows)))

    def folded(self) -> _Told:
        """The same in one line."""
        rows = "; ".join(row.strip() for row in self.rows)
        return self._replace(says=f"{self.says}: {rows}", rows=()) if rows else self


def _fitting(page: Page, told: Sequence[_Told], room: int) -> int:
    """How many of them fit, the line included that counts the others."""
    left, fitting = room, 0
    for number, each in enumerate(told, 1):
        left -= each.height(page)
        if left < 0:
            break
        if left > 0 or number == len(told):
            fitting = number
    return fitting


def _warnings(page: Page, findings: Findings) -> Iterator[_Told]:
    for place, warning in enumerate(findings.warnings):
        yield _Told(warning.severity, 0, place, f"warning: {_words(page, warning)}", style=_WARNING)


def _reasons(page: Page, findings: Findings) -> Iterator[_Told]:
    most = len(findings.reasons) if page.tells_all else _REASONS
    for place, reason in enumerate(findings.reasons[:most]):
        why = advised(Why(people.foreign(reason.says, page.out), reason.advice))
        says = f"{reason.status}: {many(reason.rows, 'row')}: {why}"
        rows = tuple(f"  {_example(page, one)}" for one in reason.examples)
        yield _Told(Severity.LEFT_OUT, 1, place, says, rows, _WARNING)
    if rest := findings.reasons[most:]:
        yield _Told(Severity.LEFT_OUT, 2, 0, _others(rest), style=_WARNING)


def _others(rest: Sequence[Reason]) -> str:
    left = many(sum(reason.rows for reason in rest), "more row")
    return f"{left} for {many(len(rest), 'other reason')}: -o FILE tells them all."


def _notes(page: Page, findings: Findings) -> Iterator[_Told]:
    for place, note in enumerate(findings.notes):
        is_grave = note.severity < Severity.NOTE
        says = f"{'warning' if is_grave else 'note'}: {_words(page, note)}"
        yield _Told(note.severity, 3, place, says, style=_WARNING if is_grave else None)


def _words(page: Page, remark: Remark) -> str:
    says = people.quoting(remark.says, remark.quotes, page.out, _LONGEST)
    rule = f" [{remark.rule}]" if remark.rule else ""
    return advised(replace(remark, says=says)) + rule


def _example(page: Page, example: Example) -> str:
    value = "" if people.are_hidden(page.out) else example.value
    return (
        f"row {example.row}{example.beside}"
        + (f", column {example.column}" if example.column else "")
        + (f": {value!r}" if value else "")
    )
