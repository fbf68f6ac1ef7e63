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
    told = list(_told(page, findings))
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
    """Something found.

    Attributes:
        says: the line that tells it.
        rows: the lines below it, an example each.
        style: how the first line looks.
    """

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


def _told(page: Page, findings: Findings) -> Iterator[_Told]:
    most = len(findings.reasons) if page.tells_all else _REASONS
    left_out = 0
    for each in findings.worst_first():
        if isinstance(each, Remark):
            is_grave = each.severity < Severity.NOTE or each in findings.warnings
            kind = "warning" if is_grave else "note"
            yield _Told(f"{kind}: {_words(page, each)}", style=_WARNING if is_grave else None)
            continue
        left_out += 1
        if left_out <= most:
            yield _reason(page, each)
        elif left_out == most + 1:
            yield _Told(_others(findings.reasons[most:]), style=_WARNING)


def _reason(page: Page, reason: Reason) -> _Told:
    why = advised(Why(people.foreign(reason.says, page.out), reason.advice))
    rows = tuple(f"  {_example(page, one)}" for one in reason.examples)
    return _Told(f"{reason.status}: {many(reason.rows, 'row')}: {why}", rows, _WARNING)


def _others(rest: Sequence[Reason]) -> str:
    left = many(sum(reason.rows for reason in rest), "more row")
    return f"{left} for {many(len(rest), 'other reason')}: -o FILE tells them all."


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
