"""What the page's child does with a sheet that was chosen: it looks how that is understood."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bulksend.errors import Advice, Remark, Severity
from bulksend.planning import ReadOptions, look_at_sheet
from bulksend.rules import Rule
from bulksend.sms import phones
from bulksend.web.jobs import Look
from bulksend.web.told import SheetSeen, Told
from bulksend.web.wording import advised

_ROWS_SHOWN = 50
_ROWS_LOOKED_AT = 500
_CELL_MAX = 1_500  # characters: more than any message has
_COLUMNS_MAX = 200
_SHEETS_MAX = 200
_NAME_SHOWN = 200  # characters of a sheet's name, which in Excel has 31


async def do(job: Look) -> Told:
    """Do it; what comes of it."""
    return await asyncio.to_thread(_see, job)


def _see(job: Look) -> SheetSeen:
    """Look at a draft's sheet."""
    draft = job.draft
    how = ReadOptions(sheet=draft.sheet or None)
    sheet = look_at_sheet(draft.input_name, how, list(draft.mapping.items()), _ROWS_LOOKED_AT)

    def cut(cells: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cell[:_CELL_MAX] for cell in cells[:_COLUMNS_MAX])

    return SheetSeen(
        cut(sheet.columns),
        sheet.numbers,
        sheet.asks,
        sheet.own_texts,
        tuple(map(cut, sheet.rows[:_ROWS_SHOWN])),
        sheet.lines[:_ROWS_SHOWN],
        tuple(place for place in sheet.hidden if place < _ROWS_SHOWN),
        tuple(advised(note) for note in sheet.notes if not _is_shown(note)),
        _codeless(sheet.rows, sheet.columns, sheet.numbers)[:_CELL_MAX],
        sheet.name,
        tuple(name for name in sheet.names if name == sheet.name or len(name) <= _NAME_SHOWN)[:_SHEETS_MAX],
    )


def _codeless(rows: Sequence[tuple[str, ...]], columns: Sequence[str], numbers: str) -> str:
    """The first number that has no country code; empty if all have."""
    if numbers in columns:
        place = columns.index(numbers)
        for cells in rows:
            try:
                phones.normalise(cells[place])
            except phones.BadNumber as error:
                if error.why.advice is Advice.SAY_COUNTRY:
                    return cells[place]
    return ""


def _is_shown(note: Remark) -> bool:
    """Whether it says no more than the page shows: which sheet is read and which column, and which others could be."""
    return note.rule in {Rule.READ_SHEET, Rule.COLUMN_GUESS} and note.severity is Severity.NOTE
