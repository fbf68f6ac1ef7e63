"""Where the command line talks, and how it puts things: stderr, for stdout is for data."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from bulksend.cli.streams import silence
from bulksend.errors import UsageError
from bulksend.model import Status
from bulksend.planning import Tally

_LOG_WIDTH, _PAGE_WIDTH = 160, 80  # columns, where there is no terminal
_SET_IN = "    "


REHEARSAL = "a private sandbox: a rehearsal, nothing reaches a phone"
"""Where a rehearsal goes, in words."""

MEANINGS = {
    Status.SENT: "accepted by the API",
    Status.REJECTED: "refused by the API: certainly not sent",
    Status.FAILED: "certainly not sent, tries used up; the same command tries them again",
    Status.UNKNOWN: "may or may not have been accepted",
    Status.INVALID: "the row is bad: not tried",
    Status.SKIPPED: "left out on purpose",
    Status.PENDING: "not sent yet; the same command goes on",
}


def meaning_of(status: Status, tally: Tally) -> str:
    """What a status means of a run's rows: some that were skipped were not left out on purpose."""
    if status is not Status.SKIPPED or not tally.known:
        return MEANINGS[status]
    before = "accepted before, not charged again"
    return before if tally.known == tally.statuses[status] else f"{MEANINGS[status]}; {tally.known:,} {before}"


def console(*, is_data: bool = False, quiet: bool = False, verbose: bool = False) -> Console:
    """Where to show things; what was asked for as such goes to stdout, and fits a narrow page where that is a pipe.

    Args:
        is_data: whether what is shown was asked for as such.
        quiet: whether nothing is to be said but errors.
        verbose: whether everything is.

    Raises:
        UsageError: both.
    """
    if quiet and verbose:
        raise UsageError("-q says nothing but errors, and -v everything: leave one out")
    if is_data:
        width = None if sys.stdout.isatty() else _PAGE_WIDTH
        return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width)
    width = None if sys.stderr.isatty() else _LOG_WIDTH
    talk = Talk(file=sys.stderr, highlight=False, markup=False, emoji=False, width=width, quiet=quiet)
    talk.hides_people = not verbose and not sys.stderr.isatty()
    return talk


def tell_error(out: Console, sentence: str) -> None:
    """Say what went wrong, also where nothing else is said."""
    is_quiet, out.quiet = out.quiet, False
    out.print(sentence, style="bold red", soft_wrap=True)
    out.quiet = is_quiet


def confirmed(question: str, out: Console) -> bool:
    """Ask whether to, on a terminal in lines of whole words; the answer stands behind the last."""
    asked = f"{question} [y/N]:"
    lines = wrapped(asked, out.width - len(" yes")) if out.is_terminal else [asked]
    return click.confirm("\n".join(lines), prompt_suffix=" ", show_default=False, err=True)


class Talk(Console):
    """A run that somebody paid for does not end because nobody listens any more; and its words stay whole.

    Attributes:
        hides_people: whether numbers, names and texts of people are not shown.
    """

    hides_people = False

    def print(self, *objects: Any, soft_wrap: bool | None = None, **how: Any) -> None:
        """Show objects; on a terminal, a sentence in lines of whole words."""
        if not (soft_wrap and self.is_terminal):
            super().print(*objects, soft_wrap=soft_wrap, **how)
            return
        for line in wrapped(" ".join(map(str, objects)), self.width):
            super().print(line, soft_wrap=True, **how)

    def on_broken_pipe(self) -> None:
        """Go on in silence."""
        self.quiet = True
        silence(sys.stderr)


def wrapped(sentence: str, width: int) -> list[str]:
    """A sentence in lines of whole words, those after the first set in.

    A word that is longer than a line stays whole as well, so that a path can be copied: the terminal breaks it.
    """
    if cell_len(sentence) <= width:
        return [sentence]
    line, *words = sentence.split(" ")
    lines = []
    for word in words:
        if line.strip() and cell_len(line) + cell_len(word) >= width:
            lines.append(line)
            line = _SET_IN + word
        else:
            line = f"{line} {word}"
    return [*lines, line]


def table(title: str) -> Table:
    """Names and what is said of them."""
    made = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    return made
