"""``bulksend find``: what a phone got, over all runs."""

from __future__ import annotations

from pathlib import Path

import click

from bulksend import campaign
from bulksend.cli import summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.found_view import show_found
from bulksend.cli.groups import with_options
from bulksend.cli.options import DATABASE
from bulksend.cli.settings import Command, option
from bulksend.cli.values import SHELF
from bulksend.errors import UsageError
from bulksend.model import Recipient
from bulksend.runs import Shelf, shelf_of
from bulksend.sms import phones


@click.command(
    cls=Command,
    examples=("bulksend find 09171234567 --country PH", "bulksend find --contact 4711 campaigns"),
    exits={
        ExitCode.OK: "everything was looked at",
        ExitCode.USAGE: "that is no number",
        ExitCode.STOPPED: "something could not be looked at",
    },
)
@click.argument("number", metavar="[NUMBER]", required=False)
@click.argument("shelf", metavar="[FOLDER|DATABASE]", default=Path(), type=SHELF)
@option("--contact", metavar="ID", help="A contact's id, instead of a number.")
@option("--country", metavar="PH", help="Whose number it is, if it is written without + or 00.")
@option("--json", "as_json", is_flag=True, help="One object on stdout.")
@with_options((DATABASE,))
def command(
    number: str | None,
    shelf: Shelf,
    contact: str | None,
    country: str | None,
    database: str | None,
    *,
    as_json: bool,
) -> ExitCode:
    """Say what a phone got, or is to get: text, when, outcome, run and row.

    It is looked for in the runs of FOLDER (by default the current one) or of DATABASE, and in all that history knows,
    wherever they lie. NUMBER may be spelled in any way. Where a run is gone, history still knows that something was
    sent.
    """
    if contact is not None and number is not None:  # the only argument is the folder
        shelf, number = shelf_of(number), None
    found = campaign.search(database or shelf, _recipient(number, contact, country))
    if as_json:
        summary.write(summary.of_search(found))
    else:
        show_found(console(is_data=True), found)
    return ExitCode.OK if found.is_whole else ExitCode.STOPPED


def _recipient(number: str | None, contact: str | None, country: str | None) -> Recipient:
    if number is None and contact is None:
        raise UsageError("nobody is named to look for: give a number, or a contact's id with --contact")
    if contact is None:
        return campaign.recipient_of(number or "", country)
    try:
        return phones.normalise_contact_id(contact)
    except phones.BadNumber as error:
        raise UsageError(f"{contact}: {error}", error.why.advice) from error
