"""How it went, and where a run stands: what was sent, what was not and why, and what to do next."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bulksend.cli import people
from bulksend.cli.advice import stop_words
from bulksend.cli.console import MEANINGS, meaning_of, table
from bulksend.cli.receipt_words import deliveries_of, delivery_words
from bulksend.model import RowInDoubt, Status
from bulksend.planning import Lines, Tally
from bulksend.runs import Run
from bulksend.sending import Stop, StopReason
from bulksend.sms import dollars
from bulksend.words import many, printable

_REASONS = 8  # of each kind, the commonest


_LISTED_ROWS = 20

_NOT_SENT = (Status.REJECTED, Status.FAILED, Status.UNKNOWN)


def stopped(stop: Stop, out: Console) -> str:
    """Why a run ended early, in words; those of the API may name a number."""
    said = stop_words(stop)
    return people.foreign(said, out) if stop.reason is StopReason.ALL_REJECTED else printable(said)


def show_status(out: Console, run: Run, tally: Tally, who: str) -> None:
    """Where a run stands."""
    rows = table(run.place + rehearsed(run))
    rows.add_row("rows", f"{tally.rows:,}")
    _add_statuses(rows, tally)
    if tally.in_flight:
        rows.add_row("in flight", f"{tally.in_flight:,}  (under way: no outcome is noted yet)")
    rows.add_row("charged", f"{dollars(tally.charged)} {in_whose_words(run)}")
    if (known := deliveries_of(run)) is not None:
        rows.add_row("reached", delivery_words(known))
    out.print(rows)
    if run.purge is None:
        _show_reasons(out, run, tally, (Status.INVALID, *_NOT_SENT))
    tell_if_closed(out, run)
    out.print(who[0].upper() + who[1:] + ".", soft_wrap=True)


def tell_if_closed(out: Console, run: Run) -> None:
    """Say of a run that was closed that it sends nothing more by itself."""
    if (closed_at := run.closed_at) is not None:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(closed_at))
        out.print(
            f"This run was closed at {when}: what it had not sent then is skipped, to be sent from a sheet of its own "
            f"(bulksend retry {run.place} -o FILE writes that).",
            soft_wrap=True,
        )


def show_in_doubt(out: Console, rows: Sequence[RowInDoubt]) -> None:
    """The rows that may or may not have been accepted."""
    listed = Table(title=f"{many(len(rows), 'row')} in doubt", title_justify="left", box=None, padding=(0, 2))
    for name in ("row", "recipient", "since", "why"):
        listed.add_column(name, overflow="fold")
    for row in rows[:_LISTED_ROWS]:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.since))
        listed.add_row(f"{row.row}", people.recipient(row.recipient, out), since, people.foreign(row.error, out))
    out.print(listed)
    if len(rows) > _LISTED_ROWS:
        out.print(f"... and {len(rows) - _LISTED_ROWS:,} more; all are in the results.")


def these_rows(rows: int, first: int, lines: Lines) -> str:
    """Which rows something is said of: how many, and the first of them."""
    named = f"row {first}{lines.beside(first)}"
    return f"{rows:,} rows, the first is {named}" if rows > 1 else named


def rehearsed(run: Run) -> str:
    """What stands behind a headline, where it is of a rehearsal."""
    return " (a rehearsal: no SMS was sent)" if run.facts.address.is_rehearsal else ""


def in_whose_words(run: Run) -> str:
    """Who told what was charged."""
    return "by the sandbox's words: nothing is paid" if run.facts.address.is_rehearsal else "by the API's words"


def _add_statuses(rows: Table, tally: Tally) -> None:
    for status in MEANINGS:
        if tally.statuses[status]:
            rows.add_row(status, f"{tally.statuses[status]:,}  ({meaning_of(status, tally)})")


def _show_reasons(out: Console, run: Run, tally: Tally, statuses: tuple[Status, ...]) -> None:
    lines = run.lines()
    for status in statuses:
        if not tally.statuses[status]:
            continue
        for says, rows, first in run.complaints(status, _REASONS):
            which = these_rows(rows, first, lines)
            out.print(f"{status}: {which}: {people.foreign(says, out)}", style="yellow", soft_wrap=True)
