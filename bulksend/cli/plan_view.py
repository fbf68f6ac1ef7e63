"""A plan as people see it before it is sent: what goes where, for how much, and what will not go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bulksend.cli.advice import advised
from bulksend.cli.console import MEANINGS, country_name, table, time_of
from bulksend.errors import Remark
from bulksend.model import Status
from bulksend.planning import Example, Findings, Group, Overview, Plan, crowd_seconds, min_seconds, shown
from bulksend.sms import dollars
from bulksend.words import many, printable

if TYPE_CHECKING:
    from bulksend.campaign import SendOptions
    from bulksend.engagespark import Balance


_REASONS = 8  # of each kind, the commonest


_COUNTRIES = 8


_CROWDS = 3


_CROWDED = 10  # a phone that takes a tenth of the longest time is not worth a word


_ANSWER_S = 0.25  # what the API is taken to need for an answer, as long as nothing is known


def show_plan(out: Console, plan: Plan, options: SendOptions, place: str, balance: Balance | None) -> None:
    """The plan: what goes where, for how much, and what will not go; with --limit, of the rows within it."""
    tally, overview = plan.tally, plan.overview
    rows = table(f"Plan of {printable(shown(plan.name))}")
    rows.add_row("rows", f"{tally.rows:,}")
    rows.add_row("to send" if options.limit is None else "this time", f"{overview.rows:,}" + _parts(overview))
    for status in (Status.SENT, Status.REJECTED, Status.UNKNOWN, Status.INVALID, Status.SKIPPED):
        if tally.statuses[status]:
            rows.add_row(status, f"{tally.statuses[status]:,}  ({MEANINGS[status]})")
    if overview.rows:
        source = f", by {printable(plan.findings.rates)}" if overview.unpriced < overview.rows else ""
        rows.add_row("price", price_of(overview) + source)
        for line in _by_country(overview):
            rows.add_row("", line)
        if balance is not None:
            rows.add_row("balance", _balance(balance, overview))
        rows.add_row("takes", _duration(overview, options))
        rows.add_row("goes to", place)
    out.print(rows)
    if balance is not None and overview.price > balance.micro and overview.rows:
        more = ", but the account recharges itself" if balance.auto_recharge else ""
        out.print(
            f"The balance of {dollars(balance.micro)} does not cover the estimated {dollars(overview.price)}{more}.",
            style="bold red",
            soft_wrap=True,
        )


def tell_of_rates(out: Console, place: str, rates: Path | None) -> None:
    """Say that a plan keeps its prices, by which it was agreed to: other rates are for another plan."""
    if rates is not None:
        name = printable(str(rates))
        out.print(f"{place} keeps the prices that it was planned with: --rates {name} is not used.", soft_wrap=True)


def show_findings(out: Console, findings: Findings) -> None:
    """What planning found: how the input was understood, which rows are left out and why, what may be a mistake."""
    for note in findings.notes:
        out.print(f"note: {_told(note)}", soft_wrap=True)
    for reason in findings.reasons[:_REASONS]:
        why = _told(Remark(reason.says, reason.advice))
        out.print(f"{reason.status}: {many(reason.rows, 'row')}: {why}", style="yellow", soft_wrap=True)
        for example in reason.examples:
            out.print(f"  {_example(example)}", soft_wrap=True)
    if findings.reasons:
        out.print("(Rows are counted from 1 below the header; empty ones do not count.)", soft_wrap=True)
    if len(findings.reasons) > _REASONS:
        rest = findings.reasons[_REASONS:]
        left = many(sum(reason.rows for reason in rest), "more row")
        out.print(f"{left} for {many(len(rest), 'other reason')}: -o FILE tells them all.", style="yellow")
    for warning in findings.warnings:
        out.print(f"warning: {_told(warning, 1_000)}", style="yellow", soft_wrap=True)


def show_previews(out: Console, plan: Plan) -> None:
    """The first messages as the phones will show them."""
    for preview in plan.previews:
        sender = f" from {printable(preview.sender)}" if preview.sender else ""
        out.print(f"row {preview.row} to {preview.recipient}{sender}", style="bold")
        for line in preview.text.splitlines():
            out.print(f"  {printable(line, 1_000)}", soft_wrap=True)


def price_of(overview: Overview) -> str:
    """The price in words; what has no known rate is said, never counted as free."""
    priced = overview.rows - overview.unpriced
    if not priced:
        return "no rate known"
    unpriced = f", and {many(overview.unpriced, 'message')} without a known rate" if overview.unpriced else ""
    return f"{dollars(overview.price)} estimated{unpriced}"


def _told(remark: Remark, longest: int = 300) -> str:
    return advised(replace(remark, says=printable(remark.says, longest)))


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
    by_rate, by_caps = min_seconds(overview, options.pace.rate, options.caps.of, by_parts=options.by_parts)
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
    timed = [(crowd_seconds(crowd, options.caps.of, by_parts=options.by_parts), crowd) for crowd in overview.crowds]
    slowest = sorted(timed, key=lambda each: -each[0])[:_CROWDS]
    longest = slowest[0][0]
    crowded = [crowd for seconds, crowd in slowest if seconds * _CROWDED >= longest]
    first, *others = [f"{crowd.recipient} gets {many(crowd.rows, 'message')}" for crowd in crowded]
    return first + "".join(f", {other.replace('gets ', '')}" for other in others)
