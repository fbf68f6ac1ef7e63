"""Where a table's header is: often below a title, and in a workbook on a sheet further on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bulksend.errors import Remark
from bulksend.planning.reading.raw import is_phone
from bulksend.rules import Rule
from bulksend.words import many

LOOKED_AT = 20
"""How many lines are looked at for it."""

IsRecipient = Callable[[str], bool]
"""Whether a column's name is one for the recipient."""


def header_place(lines: Sequence[Sequence[str]], is_recipient: IsRecipient) -> int | None:
    """Which of the first lines is the header, by the names in it; None if none has a name for the recipient.

    After a line with a phone number there is none: it is a row. Of several the fullest one is it: a title may be such a
    name by chance.
    """
    best, most = None, 0
    for place, cells in enumerate(lines[:LOOKED_AT]):
        if any(map(is_phone, cells)):
            break
        filled = sum(bool(cell.strip()) for cell in cells)
        if filled > most and any(is_recipient(cell) for cell in cells if cell.strip()):
            best, most = place, filled
    return best


def header_note(line: int, above: int) -> Remark:
    """What is said where the header is not what stands first.

    Args:
        line: the header's.
        above: how many lines above it have anything in them.
    """
    says = (
        f"the header is taken from line {line}; {many(above, 'line')} above it {'is' if above == 1 else 'are'} left out"
    )
    return Remark(says, Rule.READ_HEADER, about={"line": f"{line}", "above": f"{above}"})
