"""A plan as people see it before it is sent: what goes where, for how much, and what will not go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bulksend import campaign
from bulksend.campaign import Slowest, taking
from bulksend.cli import people
from bulksend.cli.console import meaning_of, table
from bulksend.cli.findings_view import show_findings
from bulksend.cli.message_view import height, message_blocks, show_blocks
from bulksend.cli.page import Page
from bulksend.model import Status
from bulksend.planning import Crowd, Findings, Group, Overview, Plan, shown
from bulksend.sms import dollars, phones
from bulksend.words import many, printable, time_of

if TYPE_CHECKING:
    from bulksend.campaign import SendOptions
    from bulksend.engagespark import Balance


_COUNTRIES = 8
_GAPS = 2  # lines that set the previews apart


def show_plan(
    page: Page,
    plan: Plan,
    options: SendOptions,
    place: str,
    balance: Balance | None,
    findings: Findings | None,
    held: Sequence[str] = (),
    timed: Iterable[tuple[str, str]] = (),
) -> None:
    """The plan on one page: what goes where, for how much, what will not go, what may be a mistake, and how it reads.

    Args:
        page: where to.
        plan: the plan; with --limit, of the rows within it.
        options: how it is sent.
        place: where it goes, in words.
        balance: what the account holds, if that is known.
        findings: what planning found; None where that was told before.
        held: what history holds of it, and files elsewhere settle, in words.
        timed: when it is sent, each a heading and its words.
    """
    _show_sums(page, plan, options, place, balance, timed)
    for line in held:
        page.print(line, "yellow")
    page.gap()
    blocks = message_blocks(page, plan)
    if findings:
        show_findings(page, findings, height(page, blocks[0]) + _GAPS if blocks else _GAPS)
        page.gap()
    show_blocks(page, blocks)
    if people.are_hidden(page.out) and (blocks or findings):
        page.print(people.LEFT_OUT)
    if blocks:
        page.gap()


def tell_of_rates(out: Console, place: str, rates: Path | None) -> None:
    """Say that a plan keeps its prices, by which it was agreed to: other rates are for another plan."""
    if rates is not None:
        name = printable(str(rates))
        out.print(f"{place} keeps the prices that it was planned with: --rates {name} is not used.", soft_wrap=True)


def price_of(overview: Overview) -> str:
    """The price in words; what has no known rate is said, never counted as free."""
    priced = overview.rows - overview.unpriced
    if not priced:
        return "no rate known"
    unpriced = f", and {many(overview.unpriced, 'message')} without a known rate" if overview.unpriced else ""
    return f"{dollars(overview.price)} estimated{unpriced}"


def uncovered(balance: Balance, overview: Overview) -> str:
    """That an account does not hold what is to be sent; empty if it does."""
    if overview.price <= balance.micro or not overview.rows:
        return ""
    more = ", but the account recharges itself" if balance.auto_recharge else ""
    return f"The balance of {dollars(balance.micro)} does not cover the estimated {dollars(overview.price)}{more}."


def _show_sums(
    page: Page,
    plan: Plan,
    options: SendOptions,
    place: str,
    balance: Balance | None,
    timed: Iterable[tuple[str, str]],
) -> None:
    tally, overview = plan.tally, plan.overview
    rows = table(f"Plan of {printable(shown(plan.name))}")
    rows.add_row("rows", f"{tally.rows:,}")
    rows.add_row("to send" if options.limit is None else "this time", f"{overview.rows:,}" + _parts(overview))
    for status in (Status.SENT, Status.REJECTED, Status.UNKNOWN, Status.INVALID, Status.SKIPPED):
        if tally.statuses[status]:
            rows.add_row(status, f"{tally.statuses[status]:,}  ({meaning_of(status, tally)})")
    if overview.rows:
        source = f", by {printable(plan.findings.rates)}" if overview.unpriced < overview.rows else ""
        rows.add_row("price", price_of(overview) + source)
        for line in _by_country(overview):
            rows.add_row("", line)
        if balance is not None:
            rows.add_row("balance", _balance(balance, overview))
        rows.add_row("takes", _duration(page, overview, options))
        for heading, words in timed:
            rows.add_row(heading, words)
        rows.add_row("goes to", place)
    page.table(rows)
    if balance is not None and (says := uncovered(balance, overview)):
        page.print(says, "bold red")


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
            f"{phones.country_name(code)}: {many(each.rows, 'message')}, {many(each.parts, 'part')}, {price_of(each)}"
        )
    if len(by_rows) > _COUNTRIES:
        lines.append(f"and {len(by_rows) - _COUNTRIES:,} other countries")
    return lines


def _balance(balance: Balance, overview: Overview) -> str:
    most = "at most " if overview.unpriced else ""
    recharges = ", recharges itself" if balance.auto_recharge else ""
    return f"{dollars(balance.micro)}{recharges}; {most}{dollars(balance.micro - overview.price)} after this"


def _duration(page: Page, overview: Overview, options: SendOptions) -> str:
    found = taking(overview, options)
    if found.seconds < 1:
        return "about a second"
    match found.by:
        case Slowest.CAPS:
            return f"{time_of(found.seconds)} at least, for the cap: {_crowds(page, found.crowds)}"
        case Slowest.RATE:
            return f"{time_of(found.seconds)} at least, at {options.pace.rate:g} messages per second"
        case Slowest.ANSWERS:
            under_way = f"{options.pace.usual} under way at once"
            return f"about {time_of(found.seconds)}, if each answer takes {campaign.ANSWER_S:g} s, with {under_way}"


def _crowds(page: Page, crowds: Sequence[Crowd]) -> str:
    """The phones that take longest."""
    first, *others = [
        f"{people.recipient(crowd.recipient, page.out)} gets {many(crowd.rows, 'message')}" for crowd in crowds
    ]
    return first + "".join(f", {other.replace('gets ', '')}" for other in others)
