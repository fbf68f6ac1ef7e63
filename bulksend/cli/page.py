"""One screen of the terminal, and how much of it is left."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from bulksend.cli.console import wrapped

LINES = 40  # what a terminal shows at once, with the question below


class Page:
    """What is shown before a question, so that it can be read at one look.

    Args:
        out: where it is shown. Only a terminal has an end: in a log everything is told.
        verbose: whether everything is told on a terminal, too.

    Attributes:
        left: lines that still fit.
        tells_all: whether nothing is left out, however much it is.
        cuts: whether what does not fit is left out.
        out: where it is shown.
    """

    def __init__(self, out: Console, *, verbose: bool) -> None:
        self.left = LINES
        self.tells_all = verbose
        self.cuts = out.is_terminal and not verbose
        self.out = out

    def print(self, text: str, style: str | None = None) -> None:
        """Show a line, which the terminal breaks where it is too long."""
        self.out.print(text, style=style, soft_wrap=True)
        self.left -= self.height(text)

    def gap(self) -> None:
        """Set what follows apart; a log needs none."""
        if self.out.is_terminal:
            self.print("")

    def table(self, table: Table) -> None:
        """Show a table."""
        self.out.print(table)
        self.left -= len(self.out.render_lines(table))

    def height(self, text: str) -> int:
        """How many of the terminal's lines a line takes."""
        return sum(max(1, -(-cell_len(line) // self.out.width)) for line in wrapped(text, self.out.width))
