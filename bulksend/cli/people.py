"""Numbers, names and texts of people: shown on a terminal, and elsewhere only if that is asked for.

What is printed without a terminal lies in logs, and in the mail that cron sends. Rows, lines and columns are told there
all the same, so that the file itself can be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from bulksend.cli.console import Talk
from bulksend.model import Recipient
from bulksend.reports import Numbers
from bulksend.words import printable

LEFT_OUT = "Numbers are masked here, and texts and cells left out: -v shows them."
TEXT_LEFT_OUT = "Its text is left out here: -v shows it."
_HIDDEN = Numbers(are_shown=False)


def are_hidden(out: Console) -> bool:
    """Whether people are not to be told of there."""
    return isinstance(out, Talk) and out.hides_people


def recipient(who: Recipient | str | None, out: Console) -> str:
    """Whom something goes to."""
    return _HIDDEN.within(f"{who}") if are_hidden(out) else f"{who}"


def foreign(says: str, out: Console, longest: int = 300) -> str:
    """What somebody else said, which may name a number; fit to show."""
    return _HIDDEN.within(says, longest) if are_hidden(out) else printable(says, longest)


def quoting(says: str, quotes: Sequence[str], out: Console, longest: int = 300) -> str:
    """A sentence of ours that quotes cells.

    Args:
        says: the sentence.
        quotes: the pieces of it that quote, each with the brackets or marks around it.
        out: where it is shown.
        longest: how long it may be.
    """
    if are_hidden(out):
        says = unquoted(says, quotes)
    return foreign(says, out, longest)


def unquoted(says: str, quotes: Sequence[str]) -> str:
    """A sentence without the cells that it quotes."""
    for quote in quotes:
        says = says.replace(quote, f"{quote[:1]}…{quote[-1:]}")
    return says
