"""What people see: the plan before it is sent, and how it went. On stderr, for stdout is for data."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bulksend.cli.advice import stop_words
from bulksend.cli.streams import silence
from bulksend.engagespark import Balance
from bulksend.model import Doubtful, Status
from bulksend.planning.duration import crowd_seconds, min_seconds
from bulksend.planning.overview import Example, Findings, Group, Overview, Plan, Tally
from bulksend.planning.reading import shown
from bulksend.runs.sqlite.charges import Charge, charges_by_code
from bulksend.runs.sqlite.reader import RunReport
from bulksend.sending import SendOptions
from bulksend.sms import phones
from bulksend.sms.rates.table import dollars
from bulksend.words import many, printable

if TYPE_CHECKING:
    from bulksend.campaign import SendReport

_REASONS = 8  # of each kind, the commonest
_COUNTRIES = 8
_CROWDS = 3
_CROWDED = 10  # a phone that takes a tenth of the longest time is not worth a word
_ANSWER_S = 0.25  # what the API is taken to need for an answer, as long as nothing is known
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


def show_plan(out: Console, plan: Plan, options: SendOptions, place: str, balance: Balance | None) -> None:
    """The plan: what goes where, for how much, and what will not go; with --limit, of the rows within it."""
    tally, overview = plan.tally, plan.overview
    table = _table(f"Plan of {printable(shown(plan.name))}")
    table.add_row("rows", f"{tally.rows:,}")
    table.add_row("to send" if options.limit is None else "this time", f"{overview.rows:,}" + _parts(overview))
    for status in (Status.SENT, Status.REJECTED, Status.UNKNOWN, Status.INVALID, Status.SKIPPED):
        if tally.statuses[status]:
            table.add_row(status, f"{tally.statuses[status]:,}  ({_MEANINGS[status]})")
    if overview.rows:
        source = f", by {printable(plan.findings.rates)}" if overview.unpriced < overview.rows else ""
        table.add_row("price", price_of(overview) + source)
        for line in _by_country(overview):
            table.add_row("", line)
        if balance is not None:
            table.add_row("balance", _balance(balance, overview))
        table.add_row("takes", _duration(overview, options))
        table.add_row("goes to", place)
    out.print(table)
    if balance is not None and overview.price > balance.micro and overview.rows:
        more = ", but the account recharges itself" if balance.auto_recharge else ""
        out.print(
            f"The balance of {dollars(balance.micro)} does not cover the estimated {dollars(overview.price)}{more}.",
            style="bold red",
            soft_wrap=True,
        )


def show_findings(out: Console, findings: Findings) -> None:
    """What planning found: how the input was understood, which rows are left out and why, what may be a mistake."""
    for note in findings.notes:
        out.print(f"note: {printable(note)}", soft_wrap=True)
    for reason in findings.reasons[:_REASONS]:
        out.print(
            f"{reason.status}: {many(reason.rows, 'row')}: {printable(reason.says)}", style="yellow", soft_wrap=True
        )
        for example in reason.examples:
            out.print(f"  {_example(example)}", soft_wrap=True)
    if findings.reasons:
        out.print("(Rows are counted from 1 below the header; empty ones do not count.)", soft_wrap=True)
    if len(findings.reasons) > _REASONS:
        rest = findings.reasons[_REASONS:]
        left = many(sum(reason.rows for reason in rest), "more row")
        out.print(f"{left} for {many(len(rest), 'other reason')}: -o FILE tells them all.", style="yellow")
    for warning in findings.warnings:
        out.print(f"warning: {printable(warning, 1_000)}", style="yellow", soft_wrap=True)


def show_previews(out: Console, plan: Plan) -> None:
    """The first messages as the phones will show them."""
    for preview in plan.previews:
        sender = f" from {printable(preview.sender)}" if preview.sender else ""
        out.print(f"row {preview.row} to {preview.recipient}{sender}", style="bold")
        for line in preview.text.splitlines():
            out.print(f"  {printable(line, 1_000)}", soft_wrap=True)


def show_report(out: Console, run: RunReport, report: SendReport, results: str) -> None:
    """How it went: what was sent, what was not and why, and what to do next."""
    tally = report.tally
    table = _table("Done" if report.stop is None else "Stopped")
    _add_statuses(table, tally)
    _add_charges(table, charges_by_code(run.path))
    pace = f", {report.sent_now / report.seconds:,.0f} SMS/s" if report.sent_now and report.seconds else ""
    table.add_row("took", f"{time_of(report.seconds)} for {many(report.attempts_now, 'request')}{pace}")
    table.add_row("results", results)
    out.print(table)
    _show_reasons(out, run, tally, _NOT_SENT)
    if report.stop:
        out.print(f"Stopped early: {printable(stop_words(report.stop))}", style="bold red", soft_wrap=True)
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
    table.add_row("charged", f"{dollars(tally.charged)} by the API's words")
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


def _add_charges(table: Table, charges: Sequence[Charge]) -> None:
    """What the API charges beside what it was estimated at, country by country if that tells more."""
    table.add_row("charged", _charge(charges) if charges else "nothing")
    if len(charges) > 1:
        for charge in charges[:_COUNTRIES]:
            table.add_row("", f"{country_name(charge.code)}: {many(charge.rows, 'message')}, {_charge([charge])}")
        if len(charges) > _COUNTRIES:
            table.add_row("", f"and {len(charges) - _COUNTRIES:,} other countries")


def _charge(charges: Sequence[Charge]) -> str:
    charged, estimated = sum(each.charged for each in charges), sum(each.estimated for each in charges)
    unpriced, uncharged = sum(each.unpriced for each in charges), sum(each.uncharged for each in charges)
    words = [f"{dollars(charged)} by the API's words"]
    if uncharged:
        words.append(f"which tell nothing of {many(uncharged, 'message')}")
    priced = f"{dollars(estimated)} was estimated here" if estimated else "nothing was estimated here"
    words.append(priced + (f", without {many(unpriced, 'message')} of unknown rate" if unpriced and estimated else ""))
    return "; ".join(words)


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


def _by_country(overview: Overview) -> list[str]:
    """A line for each country, if there is more than one."""
    found: dict[str, list[Group]] = {}
    for group in overview.groups:
        found.setdefault(group.code, []).append(group)
    if len(found) < 2:
        return []
    by_rows = sorted(found.items(), key=lambda item: -sum(group.rows for group in item[1]))
    lines = []
    for code, groups in by_rows[:_COUNTRIES]:
        each = Overview(tuple(groups), ())
        lines.append(
            f"{country_name(code)}: {many(each.rows, 'message')}, {many(each.parts, 'part')}, {price_of(each)}"
        )
    if len(by_rows) > _COUNTRIES:
        lines.append(f"and {len(by_rows) - _COUNTRIES:,} other countries")
    return lines


def country_name(code: str) -> str:
    """A dialing code for people, such as +63 (PH)."""
    if not code:
        return "contacts"
    country = phones.country_of(code)
    return f"+{code} ({country})" if country else f"+{code}"


def _balance(balance: Balance, overview: Overview) -> str:
    most = "at most " if overview.unpriced else ""
    recharges = ", recharges itself" if balance.auto_recharge else ""
    return f"{dollars(balance.micro)}{recharges}; {most}{dollars(balance.micro - overview.price)} after this"


def _example(example: Example) -> str:
    return (
        f"row {example.row}"
        + (f", column {example.column}" if example.column else "")
        + (f": {example.value!r}" if example.value else "")
    )


def _duration(overview: Overview, options: SendOptions) -> str:
    by_rate, by_caps = min_seconds(overview, options)
    by_answers = overview.rows / options.pace.concurrency * _ANSWER_S
    longest = max(by_rate, by_caps, by_answers)
    if longest < 1:
        return "about a second"
    if longest == by_caps:
        return f"{time_of(by_caps)} at least, for the cap: {_crowds(overview, options)}"
    if longest == by_rate:
        return f"{time_of(by_rate)} at least, at {options.pace.rate:g} messages per second"
    under_way = f"{options.pace.concurrency} under way at once"
    return f"about {time_of(by_answers)}, if each answer takes {_ANSWER_S:g} s, with {under_way}"


def _crowds(overview: Overview, options: SendOptions) -> str:
    """The phones that take longest."""
    slowest = sorted(overview.crowds, key=lambda crowd: -crowd_seconds(crowd, options))[:_CROWDS]
    longest = crowd_seconds(slowest[0], options)
    slowest = [crowd for crowd in slowest if crowd_seconds(crowd, options) * _CROWDED >= longest]
    first, *others = [f"{crowd.recipient} gets {many(crowd.rows, 'message')}" for crowd in slowest]
    return first + "".join(f", {other.replace('gets ', '')}" for other in others)


def time_of(seconds: float) -> str:
    """A duration for people."""
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
