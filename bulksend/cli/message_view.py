"""Messages as the phone will show them, before they are sent."""

from __future__ import annotations

from collections.abc import Sequence

from bulksend.cli import people
from bulksend.cli.page import Page
from bulksend.model import MicroUSD
from bulksend.planning import Extreme, Lines, Plan, Preview
from bulksend.runs import RowTold
from bulksend.sms import dollars
from bulksend.words import many, printable


def message_blocks(page: Page, plan: Plan) -> list[list[str]]:
    """The first messages of a plan, then the longest and the dearest: a heading and the text of each."""
    first = [_block(page, _heading(page, each), each.text) for each in plan.previews]
    return [*first, *(_extreme(page, each) for each in plan.extremes)]


def show_blocks(page: Page, blocks: Sequence[Sequence[str]]) -> None:
    """Show messages, the first in any case and the others as far as they fit."""
    for number, lines in enumerate(blocks):
        if page.cuts and number and page.left <= height(page, lines):
            break
        page.print(lines[0], "bold")
        for line in lines[1:]:
            page.print(line)


def row_block(page: Page, row: RowTold, lines: Lines) -> list[str]:
    """A row that somebody asks for, or why it has no message."""
    line = lines.beside(row.row)
    if not row.text or row.recipient is None:
        return [f"row {row.row}{line} is not sent: {people.foreign(row.error or row.state, page.out)}"]
    preview = Preview.of(row.row, row.recipient, row.sender, row.text)
    return _block(page, f"{_heading(page, preview, line)}: {_size(row.parts, row.price)}", row.text)


def height(page: Page, lines: Sequence[str]) -> int:
    """How many lines of the terminal a message takes."""
    return sum(map(page.height, lines))


def _extreme(page: Page, extreme: Extreme) -> list[str]:
    what = " and ".join(name for name, it in (("longest", extreme.is_longest), ("dearest", extreme.is_dearest)) if it)
    heading = _heading(page, extreme.preview, extreme.beside)
    return _block(page, f"the {what}: {heading}: {_size(extreme.parts, extreme.price)}", extreme.preview.text)


def _heading(page: Page, preview: Preview, beside: str = "") -> str:
    sender = f" from {printable(preview.sender)}" if preview.sender else ""
    return f"row {preview.row}{beside} to {people.recipient(preview.recipient, page.out)}{sender}"


def _size(parts: int, price: MicroUSD | None) -> str:
    return f"{many(parts, 'SMS part')}, {'no rate known' if price is None else f'{dollars(price)} estimated'}"


def _block(page: Page, heading: str, text: str) -> list[str]:
    """A message, whose text is left out of logs."""
    if people.are_hidden(page.out):
        return [heading]
    return [heading, *(f"  {printable(line, 1_000)}" for line in text.splitlines())]
