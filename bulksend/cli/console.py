"""Where the command line talks, and how it puts things: stderr, for stdout is for data."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from bulksend.cli.streams import silence
from bulksend.model import Status
from bulksend.sms import phones

_LOG_WIDTH = 160  # columns, where there is no terminal


MEANINGS = {
    Status.SENT: "accepted by the API",
    Status.REJECTED: "refused by the API: certainly not sent",
    Status.FAILED: "certainly not sent, tries used up; the same command tries them again",
    Status.UNKNOWN: "may or may not have been accepted",
    Status.INVALID: "the row is bad: not tried",
    Status.SKIPPED: "left out on purpose",
    Status.PENDING: "not sent yet; the same command goes on",
}


def console() -> Console:
    """Where to show things."""
    width = None if sys.stderr.isatty() else _LOG_WIDTH
    return _Unbreakable(file=sys.stderr, highlight=False, markup=False, emoji=False, width=width)


class _Unbreakable(Console):
    """A run that somebody paid for does not end because nobody listens any more."""

    def on_broken_pipe(self) -> None:
        """Go on in silence."""
        self.quiet = True
        silence(sys.stderr)


def country_name(code: str) -> str:
    """A dialing code for people, such as +63 (PH)."""
    if not code:
        return "contacts"
    country = phones.country_of(code)
    return f"+{code} ({country})" if country else f"+{code}"


def time_of(seconds: float) -> str:
    """A duration for people."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def table(title: str) -> Table:
    """Names and what is said of them."""
    made = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    return made
