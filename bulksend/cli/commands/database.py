"""``bulksend database``: the tables of a database in which runs are kept."""

from __future__ import annotations

import time

import click

from bulksend import runs
from bulksend.cli.codes import ExitCode
from bulksend.cli.groups import with_options
from bulksend.cli.options import BASE_URL, ORG_ID
from bulksend.cli.settings import Command
from bulksend.cli.values import DATABASE
from bulksend.words import many


@click.group
def command() -> None:
    """Make the tables of a PostgreSQL database in which runs are kept, or see that they can be used.

    DATABASE is its address, postgresql://user@host/db; the password stands in PGPASSWORD, a pass file or a service
    file.
    """


@command.command(
    name="init",
    cls=Command,
    examples=(
        "bulksend database init postgresql://me@db.example/sms",
        "bulksend database init postgresql://me@db.example/sms --org-id 123",
    ),
    exits={
        ExitCode.OK: "the tables are there, and of this version",
        ExitCode.USAGE: "this database cannot be used, or the address",
        ExitCode.STOPPED: "it, or a file of this machine, cannot be reached, read or written",
        ExitCode.OWNED: "a run of the account is being sent from files",
    },
)
@click.argument("database", metavar="DATABASE", type=DATABASE)
@with_options((ORG_ID, BASE_URL))
def init_command(database: str, org_id: int | None, base_url: str) -> ExitCode:
    """Make the tables, or bring them to this version; runs that are there stay. Once is enough.

    With --org-id, what this machine's files hold of the account is brought there: who opted out, numbers of contacts,
    and history. It lives in the database from then on.

    Everything stands in a schema `bulksend` of its own, which whoever does this must be allowed to make;
    docs/database.md has the rights that senders and readers need.
    """
    before = runs.install(database)
    server = runs.trusted(database)
    if before == server.tables:
        did = f"the tables were there already (version {before})"
    elif before:
        did = f"the tables were brought from version {before} to version {server.tables}"
    else:
        did = f"the tables were made (version {server.tables})"
    _tell(database, did, server)
    if org_id is not None:
        brought = runs.import_account(database, base_url.rstrip("/"), org_id)
        click.echo(
            f"Brought from this machine: {many(brought.optouts, 'opt-out')}, "
            f"{many(brought.numbers, 'number of a contact', 'numbers of contacts')}, "
            f"{many(brought.messages, 'message')} of history.",
            err=True,
        )
    return ExitCode.OK


@command.command(
    name="check",
    cls=Command,
    examples=("bulksend database check postgresql://me@db.example/sms",),
    exits={
        ExitCode.OK: "it can be used",
        ExitCode.USAGE: "it cannot, and the sentence says what to do",
        ExitCode.STOPPED: "it cannot be reached",
    },
)
@click.argument("database", metavar="DATABASE", type=DATABASE)
def check_command(database: str) -> ExitCode:
    """See that the tables are there and of this version, and that the server and the way to it can be trusted."""
    _tell_usable(database)
    return ExitCode.OK


@command.command(
    name="accept",
    cls=Command,
    examples=("bulksend database accept postgresql://me@db.example/sms",),
    exits={
        ExitCode.OK: "it can be used again, or could be all the time",
        ExitCode.USAGE: "it cannot, and the sentence says what to do",
        ExitCode.STOPPED: "it cannot be reached",
    },
)
@click.argument("database", metavar="DATABASE", type=DATABASE)
def accept_command(database: str) -> ExitCode:
    """Take a database for the right one that was restored or has failed over; look first that it is.

    Until then it is refused, for its last notes may be missing. What was under way in it is in doubt from then on, and
    no cap counts on what nobody knows.
    """
    if found := runs.accept(database):
        _tell_accepted(database, found)
    _tell_usable(database)
    return ExitCode.OK


def _tell_usable(database: str) -> None:
    server = runs.trusted(database)
    _tell(database, f"it can be used; the tables are of this version ({server.tables})", server)


def _tell_accepted(database: str, found: runs.Accepted) -> None:
    last = "" if found.last_at is None else f" at {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(found.last_at))}"
    said = f"Its last note of a message is{last}" if last else "It knows of no message that was sent"
    click.echo(
        f"{database}: accepted as it is now. {said}: what was sent after that is not known here, and would be sent "
        f"again. {many(found.in_doubt, 'row was', 'rows were')} under way and in doubt now: bulksend resolve looks "
        "them up.",
        err=True,
    )


def _tell(database: str, did: str, server: runs.Server) -> None:
    click.echo(f"{database}: {did}, with {many(server.runs, 'run')}; PostgreSQL {server.version}.", err=True)
    if not server.keeps:
        click.echo(
            "Note: fsync is off on this server: what it says it has noted can be lost when its machine fails, and be "
            "sent twice then.",
            err=True,
        )
