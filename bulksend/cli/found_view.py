"""What a phone got, as people read it."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bulksend.campaign import Hit, Search
from bulksend.cli.receipt_words import receipt_words
from bulksend.cli.runs_view import when
from bulksend.cli.standing_view import moment
from bulksend.words import many, printable


def show_found(out: Console, found: Search) -> None:
    """Every row to it, over what was looked, and what could not be looked at."""
    for hit in found.hits:
        _show(out, hit)
    out.print(_summed(found))
    for each in found.unread:
        out.print(f"Not looked at: {printable(each.says)}", style="bold red")
    if found.nameless:
        out.print(
            f"{many(found.nameless, 'message')} went to contacts whose numbers are not known here, or may have: "
            "--contact looks for one of them.",
            style="bold red",
        )


def _show(out: Console, hit: Hit) -> None:
    where = f"{printable(hit.place)}, row {hit.row}{', to a private sandbox' if hit.is_rehearsal else ''}"
    out.print(f"{when(hit.at_s):16}  {hit.state:9}  {where}")
    text = "its text is not kept: its run is gone, or was purged" if hit.text is None else printable(hit.text, 2_000)
    receipt = receipt_words(hit.receipt) if hit.receipt else ""
    for says in filter(None, (text, printable(hit.error), receipt)):
        out.print(Padding(Text(says, overflow="fold"), (0, 0, 0, 4), expand=False))


def _summed(found: Search) -> str:
    rows = many(len(found.hits), "row") if found.hits else "Nothing"
    if found.since_s is None:
        history = "there is no history"
    elif found.hits:
        history = f"history reaches back to {moment(found.since_s)}"
    else:
        history = f"history, which reaches back to {moment(found.since_s)}, knows of none"
    return f"{rows} in {many(found.runs, 'run')}; {history}."
