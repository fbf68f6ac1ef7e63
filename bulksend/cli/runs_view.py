"""Several runs, as people see them: two lines each, within 60 columns."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bulksend.campaign import Unread
from bulksend.model import Status
from bulksend.reports import why_ended
from bulksend.runs import Stand
from bulksend.sms import dollars
from bulksend.words import printable

_LINE = "{:16} {:13} {:>9} {:>8} {:>10}"
_NOT_SENT = (Status.PENDING, Status.FAILED, Status.REJECTED, Status.UNKNOWN, Status.INVALID)


def show_runs(out: Console, found: Sequence[Stand | Unread]) -> None:
    """When each began, how it stands, what was sent and what it cost; and which could not be read."""
    out.print(_LINE.format("begun", "state", "sent", "not sent", "charged"), style="bold")
    for each in found:
        if isinstance(each, Unread):
            out.print(_LINE.format(when(each.began_at), "gone" if each.is_gone else "unreadable", "", "", "").rstrip())
            _explain(out, each.says)
        else:
            _show(out, each)


def _show(out: Console, stand: Stand) -> None:
    statuses = stand.tally.statuses
    not_sent = sum(statuses[status] for status in _NOT_SENT) + stand.tally.in_flight
    counts = (f"{statuses[Status.SENT]:,}", f"{not_sent:,}", dollars(stand.tally.charged))
    out.print(_LINE.format(when(stand.spell.started_at), stand.standing, *counts))
    words = [f"{stand.place}, of {stand.input_name}"]
    if stand.is_rehearsal:
        words.append("to a private sandbox")
    if statuses[Status.UNKNOWN]:
        words.append(f"{statuses[Status.UNKNOWN]:,} unknown")
    if stand.purge:
        words.append("purged" if stand.purge.is_whole else "purged in part")
    why = f": {why_ended(stand.end)}" if stand.end else ""
    _explain(out, ", ".join(words) + why)


def _explain(out: Console, says: str) -> None:
    out.print(Padding(Text(printable(says), overflow="fold"), (0, 0, 0, 4), expand=False))


def when(seconds: float | None) -> str:
    """A time for people, to be read in a column; empty if it is not known."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
