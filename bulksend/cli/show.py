"""What people see: the plan before it is sent, and how it went. On stderr, for stdout is for data."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bulksend.campaign import SendOptions, SendReport, min_seconds
from bulksend.cli.streams import silence
from bulksend.model import Doubtful, Status
from bulksend.pricing import dollars
from bulksend.printable import printable
from bulksend.readers import shown
from bulksend.report import Overview, RunReport, Tally

_REASONS = 5  # of each status, the commonest
_PREVIEWS = 3
_DOUBTFUL = 20
_LOG_WIDTH = 160  # columns, where there is no terminal
_NOT_SENT = (Status.REJECTED, Status.FAILED, Status.UNKNOWN)
_MEANINGS = {
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


def show_cursor(out: Console) -> None:
    """Give the terminal its cursor back, which a progress bar hides."""
    if out.is_terminal:
        out.show_cursor()


def show_plan(out: Console, run: RunReport, overview: Overview, options: SendOptions, place: str) -> None:
    """The plan: what goes where, for how much, and what will not go; with --limit, of the rows within it."""
    tally = run.tally()
    table = _table(f"Plan of {printable(shown(run.facts.input_name))}")
    table.add_row("rows", f"{tally.rows:,}")
    table.add_row("to send" if options.limit is None else "this time", f"{overview.rows:,}" + _parts(overview))
    for status in (Status.SENT, Status.REJECTED, Status.UNKNOWN, Status.INVALID, Status.SKIPPED):
        if tally.statuses[status]:
            table.add_row(status, f"{tally.statuses[status]:,}  ({_MEANINGS[status]})")
    if overview.rows:
        table.add_row("price", price_of(overview))
        table.add_row("takes", _duration(overview, options))
        table.add_row("goes to", place)
    out.print(table)
    _show_reasons(out, run, tally, (Status.INVALID,))


def show_previews(out: Console, run: RunReport) -> None:
    """The first messages as the phones will show them."""
    for row, recipient, sender, text in run.previews(_PREVIEWS):
        out.print(f"row {row} to {recipient}" + (f" from {printable(sender)}" if sender else ""), style="bold")
        out.print(f"  {printable(text, 1_000)}", soft_wrap=True)


def show_report(out: Console, run: RunReport, report: SendReport, results: str) -> None:
    """How it went: what was sent, what was not and why, and what to do next."""
    tally = report.tally
    table = _table("Done" if not report.says else "Stopped")
    _add_statuses(table, tally)
    table.add_row("charged", f"{dollars(tally.charged)} by the API's estimates")
    pace = f", {report.sent_now / report.seconds:,.0f} SMS/s" if report.sent_now and report.seconds else ""
    table.add_row("took", f"{_time(report.seconds)} for {many(report.attempts_now, 'request')}{pace}")
    table.add_row("results", results)
    out.print(table)
    _show_reasons(out, run, tally, _NOT_SENT)
    if report.says:
        out.print(f"Stopped early: {printable(report.says)}", style="bold red", soft_wrap=True)
    if tally.statuses[Status.PENDING]:
        out.print("To go on, run the same command again.")
    if tally.statuses[Status.UNKNOWN]:
        out.print(f"What to do about the unknown rows: bulksend resolve {run.path}", soft_wrap=True)


def show_status(out: Console, run: RunReport, tally: Tally, who: str) -> None:
    """Where a run stands."""
    table = _table(f"{run.path}")
    table.add_row("rows", f"{tally.rows:,}")
    _add_statuses(table, tally)
    if tally.in_flight:
        table.add_row("in flight", f"{tally.in_flight:,} of the unknown: no outcome is noted yet")
    table.add_row("charged", f"{dollars(tally.charged)} by the API's estimates")
    out.print(table)
    _show_reasons(out, run, tally, (Status.INVALID, *_NOT_SENT))
    out.print(who[0].upper() + who[1:] + ".", soft_wrap=True)


def show_doubtful(out: Console, rows: Sequence[Doubtful]) -> None:
    """The rows that may or may not have been accepted."""
    table = Table(title=f"{many(len(rows), 'row')} in doubt", title_justify="left", box=None, padding=(0, 2))
    for name in ("row", "recipient", "since", "why"):
        table.add_column(name, overflow="fold")
    for row in rows[:_DOUBTFUL]:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.since))
        table.add_row(f"{row.row}", f"{row.recipient}", since, printable(row.error))
    out.print(table)
    if len(rows) > _DOUBTFUL:
        out.print(f"... and {len(rows) - _DOUBTFUL:,} more; all are in the results.")


def price_of(overview: Overview) -> str:
    """The price in words; what has no known rate is said, never counted as free."""
    priced = overview.rows - overview.unpriced
    if not priced:
        return "no rate known"
    unpriced = f", and {many(overview.unpriced, 'message')} without a known rate" if overview.unpriced else ""
    return f"{dollars(overview.price)} estimated{unpriced}"


def _add_statuses(table: Table, tally: Tally) -> None:
    for status, meaning in _MEANINGS.items():
        if tally.statuses[status]:
            table.add_row(status, f"{tally.statuses[status]:,}  ({meaning})")


def _show_reasons(out: Console, run: RunReport, tally: Tally, statuses: tuple[Status, ...]) -> None:
    for status in statuses:
        if not tally.statuses[status]:
            continue
        for says, rows, first in run.errors(status, _REASONS):
            many = f"{rows:,} rows, the first is row {first}" if rows > 1 else f"row {first}"
            out.print(f"{status}: {many}: {printable(says)}", style="yellow", soft_wrap=True)


def _parts(overview: Overview) -> str:
    if not overview.rows:
        return ""
    split = ", ".join(f"{rows:,} of {many(parts, 'part')}" for parts, rows in overview.by_parts.items())
    codes = ", ".join(f"{rows:,} {encoding}" for encoding, rows in sorted(overview.by_encoding.items()))
    return f"  ({many(overview.parts, 'SMS part')}: {split}; {codes})"


def _duration(overview: Overview, options: SendOptions) -> str:
    by_rate, by_caps = min_seconds(overview, options)
    if max(by_rate, by_caps) < 1:
        return "as long as the API takes"
    if by_rate >= by_caps:
        return f"{_time(by_rate)} at least, at {options.pace.rate:g} messages per second"
    crowd = overview.crowds[0]
    return f"{_time(by_caps)} at least; {crowd.recipient} gets the most: {many(crowd.rows, 'message')}"


def many(number: int, noun: str) -> str:
    """A number of things, in words."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table
