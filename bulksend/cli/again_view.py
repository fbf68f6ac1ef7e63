"""What is told of the runs that the same command has begun before."""

from __future__ import annotations

import time

from rich.console import Console

from bulksend.campaign import Begun, Since
from bulksend.model import Status
from bulksend.runs import in_words
from bulksend.words import many

_EDITS = ("corrected", "new", "gone")


def tell_going_on(out: Console, found: Begun) -> None:
    """Which run goes on."""
    span = found.run.span
    began = f", which began {_moment(span.began_at)}" if span else ""
    out.print(f"Going on with {found.run.place}{began}.", soft_wrap=True)
    _tell_moved(out, found)


def tell_finished(out: Console, found: Begun) -> None:
    """That a run is through, and since when."""
    span, statuses = found.run.span, found.run.tally().statuses
    ended = f" {_moment(span.ended_at)}" if span else ""
    others = ", ".join(f"{rows:,} {status}" for status, rows in statuses.items() if rows and status != Status.SENT)
    sent = f"{many(statuses[Status.SENT], 'message')} sent" + (f", {others}" if others else "")
    out.print(f"{found.run.place} was finished{ended}: {sent}.", soft_wrap=True)
    _tell_moved(out, found)


def tell_changed(out: Console, since: Since) -> None:
    """What is otherwise since a run began."""
    out.print(f"{since.run} has begun with {in_words(since.changed)}.", soft_wrap=True)
    words = since_words(since)
    out.print(f"{words[0].upper()}{words[1:]}.", soft_wrap=True)


def tell_replanned(out: Console, since: Since) -> None:
    """That a test send is no reason not to change anything."""
    out.print(
        f"Only commands with --limit have sent of it: the rest is planned anew in {since.run}; what was sent stays.",
        soft_wrap=True,
    )


def since_words(since: Since) -> str:
    """What became of a run's messages since it began, such as: since 3 June 2026: 1 row corrected, 2 new, 17 sent."""
    edits = since.edits
    counts = [(count, name) for name in _EDITS if edits and (count := getattr(edits, name))]
    told = [f"{count:,} {name}" for count, name in [*counts, (since.sent, "sent")]]
    if counts:
        told[0] = f"{many(counts[0][0], 'row')} {counts[0][1]}"
    else:
        told.insert(0, "no row is another" if edits else "nobody can compare, for its texts are purged")
    return f"since {_day(since.span.began_at) if since.span else 'then'}: {', '.join(told)}"


def _tell_moved(out: Console, found: Begun) -> None:
    if found.moved:
        out.print("Its rows stand in another order by now; the results keep theirs.")


def _moment(seconds: float) -> str:
    return f"on {_day(seconds)}, {time.strftime('%H:%M', time.localtime(seconds))}"


def _day(seconds: float) -> str:
    day = time.localtime(seconds)
    return f"{day.tm_mday} {time.strftime('%B %Y', day)}"
