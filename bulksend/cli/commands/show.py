"""``bulksend show``: what one row, or one person, got."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import click

from bulksend import campaign
from bulksend.cli import summary
from bulksend.cli.advice import advised
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.row_view import of_row, show_row
from bulksend.cli.settings import Command, option
from bulksend.cli.values import PLACE
from bulksend.cli.which_run import run_meant
from bulksend.errors import UsageError, Why
from bulksend.model import Recipient
from bulksend.runs import Place, open_run
from bulksend.sms import phones
from bulksend.words import printable

_SHOWN = 50  # rows of one person; a script is told all


@click.command(
    cls=Command,
    examples=("bulksend show campaign.csv --row 7", "bulksend show campaign.csv --to 09171234567 --country PH"),
    exits={
        ExitCode.OK: "shown",
        ExitCode.NOT_ALL_SENT: "nothing goes to this number",
        ExitCode.USAGE: "usage",
        ExitCode.STOPPED: "the run cannot be read",
    },
)
@click.argument("place", metavar="RUN", type=PLACE)
@option("--row", metavar="N", type=click.IntRange(min=1), help="The row, counted as in the results.")
@option("--to", metavar="NUMBER", help="A number in any usual spelling, or a contactId: all rows that go there.")
@option("--country", metavar="PH", help="Country of a number without + or 00.  [default: as the run was planned]")
@option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(place: Place, row: int | None, to: str | None, country: str | None, *, as_json: bool) -> ExitCode:
    """Show what a row got: text, price, attempts, outcome and receipt.

    Name it by its number, or by whom it goes to. The run may be at work.
    """
    if (row is None) == (to is None):
        raise UsageError("say which row is meant: either with --row or with --to")
    out = console()
    with open_run(run_meant(place, out)) as run:
        if to is not None:
            campaign.check_not_purged(run)
        meant = None if to is None else _meant(to, country or run.facts.country)
        told, lines = run.told([row or 0] if meant is None else run.rows_to(meant.recipients)), run.lines()
        if meant is None and not told:
            raise UsageError(f"{run.place}: there is no row {row}: it has {run.tally().rows:,}")
        receipts = run.receipts.of([each.row for each in told])
        for each in told[:_SHOWN]:
            show_row(out, run, each, lines, receipts.get(each.row))
        if len(told) > _SHOWN:
            out.print(f"... and {len(told) - _SHOWN:,} more rows; all are in the results.")
        if meant and not told:
            why = f"; it is not read as a number: {advised(meant.why)}" if meant.why else ""
            out.print(f"{run.place}: no row goes to {printable(to or '')}{why}.", soft_wrap=True)
        if as_json:
            summary.write({"run": run.place, "rows": [of_row(each, lines, receipts.get(each.row)) for each in told]})
    return ExitCode.OK if told else ExitCode.NOT_ALL_SENT


class _Meant(NamedTuple):
    """Whom somebody means.

    Attributes:
        recipients: the numbers of the phone, and the contact: it may be read as both.
        why: why it is no number; None if it is one.
    """

    recipients: set[Recipient]
    why: Why | None = None


def _meant(text: str, country: str | None) -> _Meant:
    found: set[Recipient] = set()
    with suppress(phones.BadNumber):
        found.add(phones.normalise_contact_id(text))
    try:
        return _Meant(found | phones.all_numbers(phones.normalise(text, country, new_prefixes=True)))
    except phones.BadNumber as error:
        return _Meant(found, error.why)
