"""``bulksend optouts``: who is to get nothing more of an account."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

import click

from bulksend import campaign
from bulksend.cli import people
from bulksend.cli.advice import advised
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import confirmed, console
from bulksend.cli.given import AccountSettings, TargetSettings
from bulksend.cli.groups import Group, with_options
from bulksend.cli.looked_view import WHY_NOT
from bulksend.cli.options import ACCOUNT, COUNTRY, DATABASE, DEFAULT_BASE_URL, TARGET, TELLS_ALL
from bulksend.cli.optouts_view import optout_line, show_asked
from bulksend.cli.sending import has_terminal, run_loop
from bulksend.cli.settings import Command, option
from bulksend.cli.values import DURATION
from bulksend.engagespark import Looked, Target
from bulksend.errors import UsageError
from bulksend.files import check_replaceable, replacing
from bulksend.model import Endpoint, Recipient
from bulksend.planning import harmless, read_exclusions
from bulksend.runs import Address, OptOut, OptOuts, optouts_of
from bulksend.words import many, printable

_STDOUT = Path("-")
_COLUMNS = ("to", "contactId", "optedOutAt", "reason")
_NOTED = {
    ExitCode.OK: "noted",
    ExitCode.USAGE: "usage, or a number or the file cannot be read",
    ExitCode.STOPPED: "the list could not be written",
}
_READ_OUT = {
    ExitCode.OK: "done",
    ExitCode.USAGE: "usage, or the file cannot be written",
    ExitCode.STOPPED: "the list cannot be read",
}
_REASON = option("--reason", metavar="TEXT", default="", help="Why; kept beside the number.")


class ReadSettings(NamedTuple):
    """How numbers are read."""

    country: str | None
    allow_new_prefixes: bool


READ = Group(
    "how",
    ReadSettings,
    (
        COUNTRY,
        option(
            "--allow-new-prefixes", is_flag=True, help="Take mobiles whose prefix the numbering plans do not know yet."
        ),
    ),
)
_CONTACT = option(
    "--contact", "contacts", metavar="ID", type=click.IntRange(min=1), multiple=True, help="A contact, by its id."
)


@click.group
def command() -> None:
    """Keep the list of who is to get nothing more of an account.

    It is heeded by every plan, and within a second by a run that is being sent. Numbers stand in it as they are: it
    lies in the state folder, readable by you alone, or in the database that the account lives in.
    """


@command.command(
    name="add",
    cls=Command,
    examples=("bulksend optouts add 09171234567 --country PH --org-id 123",),
    exits=_NOTED,
)
@click.argument("numbers", metavar="NUMBER...", nargs=-1)
@with_options((_CONTACT, _REASON), READ, ACCOUNT)
def add_command(
    numbers: Sequence[str], contacts: Sequence[int], reason: str, how: ReadSettings, account: AccountSettings
) -> ExitCode:
    """Note that somebody opted out."""
    who = _named(numbers, contacts, how)
    with _optouts(account.address, account.database) as optouts:
        _tell_added(optouts.add(who, printable(reason), time.time()), who)
    return ExitCode.OK


@command.command(
    name="remove",
    cls=Command,
    examples=("bulksend optouts remove +639171234567 --org-id 123",),
    exits=_NOTED,
)
@click.argument("numbers", metavar="NUMBER...", nargs=-1)
@with_options((_CONTACT,), READ, ACCOUNT)
def remove_command(
    numbers: Sequence[str], contacts: Sequence[int], how: ReadSettings, account: AccountSettings
) -> ExitCode:
    """Take somebody off the list. Runs that have left them out already do so for good."""
    who = _named(numbers, contacts, how)
    with _optouts(account.address, account.database) as optouts:
        removed = optouts.remove(who)
    click.echo(f"{removed:,} removed{_others(len(who) - removed, 'not on the list')}.", err=True)
    return ExitCode.OK


@command.command(
    name="list",
    cls=Command,
    examples=("bulksend optouts list --org-id 123",),
    exits=_READ_OUT,
)
@with_options(ACCOUNT)
def list_command(account: AccountSettings) -> ExitCode:
    """Show who opted out, when and why."""
    with _optouts(account.address, account.database) as optouts:
        listed = list(optouts.all())
        for each in listed:
            click.echo(optout_line(each))
    if not listed:
        click.echo("Nobody opted out.", err=True)
    return ExitCode.OK


@command.command(
    name="import",
    cls=Command,
    examples=("bulksend optouts import stop.csv --org-id 123 --reason fair",),
    exits=_NOTED,
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@with_options((_REASON,), READ, ACCOUNT)
def import_command(file: Path, reason: str, how: ReadSettings, account: AccountSettings) -> ExitCode:
    """Add all numbers of a list: any that --exclude reads, and refused for the same reasons."""
    address, database = account.address, account.database
    found = read_exclusions([file], _country(how), new_prefixes=how.allow_new_prefixes)
    for note in found.notes:
        click.echo(advised(note), err=True)
    _warn(found.warnings)
    with _optouts(address, database) as optouts:
        who = campaign.each_once(found)
        _tell_added(optouts.add(who, printable(reason) or f"from {printable(file.name)}", time.time()), who)
    return ExitCode.OK


@command.command(
    name="export",
    cls=Command,
    examples=("bulksend optouts export optouts.csv --org-id 123",),
    exits=_READ_OUT,
)
@click.argument("file", metavar="FILE|-", type=click.Path(path_type=Path))
@with_options(ACCOUNT)
def export_command(file: Path, account: AccountSettings) -> ExitCode:
    """Write the list as CSV, to a file that only you can read, or to standard output."""
    address, database = account.address, account.database
    if file != _STDOUT:
        check_replaceable(file)
    with _optouts(address, database) as optouts:
        if file == _STDOUT:
            _write(optouts.all(), sys.stdout)
            return ExitCode.OK
        with replacing(file) as to:
            to.write("\ufeff")  # by which Excel knows UTF-8
            _write(optouts.all(), to)
    click.echo(f"Written to {click.format_filename(file)}.", err=True)
    return ExitCode.OK


@command.command(
    name="fetch",
    cls=Command,
    examples=("bulksend optouts fetch --org-id 123 --since 7d",),
    exits={
        ExitCode.OK: "the API's list was read to its end",
        ExitCode.USAGE: "usage, or nobody could be asked",
        ExitCode.STOPPED: "it was not: others may have asked for no more",
    },
)
@with_options(
    (
        option("--word", "words", metavar="TEXT", multiple=True, help="Means a stop, too, if it is all. Repeatable."),
        option(
            "--since", metavar="TIME", type=DURATION, default="30d", show_default=True, help="How far back to look."
        ),
        option("--add", is_flag=True, help="Add them without asking."),
        DATABASE,
        TELLS_ALL,
    ),
    TARGET,
)
def fetch_command(
    words: Sequence[str], since: float, database: str | None, to: TargetSettings, *, add: bool, verbose: bool
) -> ExitCode:
    """Read in the API's list of messages who asked for no more, and add them on your word.

    It takes who said stop in the usual words of English, Filipino or Spanish and nothing else, and shows who began so
    and went on.
    """
    if to.sandbox:
        raise UsageError("a private sandbox begins with this command, so that nobody has written to it")
    account = Address(to.org_id or 0, (to.base_url or DEFAULT_BASE_URL).rstrip("/"))
    to.check(account)
    target = Target(account.base_url, account.org_id, Endpoint.CONTACT, to.key())
    asked = run_loop(campaign.fetch_stops(target, time.time() - since, words, database))
    if asked.looked is not Looked.THROUGH:
        click.echo(f"{WHY_NOT[asked.looked]}: there may be others who asked for no more.", err=True)
    show_asked(asked, console(verbose=verbose))
    if asked.stops and (add or _agreed(len(asked.stops))):
        with _optouts(account, database) as optouts:
            added = sum(optouts.add([each.recipient], each.reason, each.since_s) for each in asked.stops)
        click.echo(f"{added:,} added.", err=True)
    return ExitCode.OK if asked.looked is Looked.THROUGH else ExitCode.STOPPED


def _agreed(number: int) -> bool:
    """Ask whether to add them.

    Raises:
        UsageError: nobody can be asked.
    """
    if not has_terminal():
        raise UsageError("nothing was added: without a terminal to ask on, --add is needed")
    if confirmed(f"Add {many(number, 'number')} to the opt-outs?", console()):
        return True
    click.echo("Nothing was added.", err=True)
    return False


def _optouts(address: Address, database: str | None) -> OptOuts:
    return optouts_of(database, address)


def _named(numbers: Sequence[str], contacts: Sequence[int], how: ReadSettings) -> Collection[Recipient]:
    """Those who are named.

    Raises:
        UsageError: nobody is, or a number cannot be read.
    """
    if not numbers and not contacts:
        raise UsageError("nobody is named: give phone numbers, or contacts with --contact")
    found = campaign.named(numbers, contacts, how.country, new_prefixes=how.allow_new_prefixes)
    _warn(found.warnings)
    return found.who


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        click.echo(f"Note: {people.foreign(f'{warning}', console(), 1_000)}", err=True)


def _country(how: ReadSettings) -> str | None:
    return how.country.upper() if how.country else None


def _tell_added(added: int, who: Collection[Recipient]) -> None:
    click.echo(f"{added:,} added{_others(len(who) - added, 'on the list already')}.", err=True)


def _others(number: int, where: str) -> str:
    return f", {number:,} {'was' if number == 1 else 'were'} {where}" if number else ""


def _write(optouts: Iterable[OptOut], to: IO[str]) -> None:
    lines = csv.writer(to, lineterminator="\r\n")
    lines.writerow(_COLUMNS)
    for recipient, reason, since_s in optouts:
        is_contact = isinstance(recipient, int)
        at = datetime.fromtimestamp(since_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines.writerow(["" if is_contact else recipient, recipient if is_contact else "", at, harmless(reason)])
