"""``bulksend history``: who got which text when, over all runs of an account."""

from __future__ import annotations

import time

import click

from bulksend.cli.codes import ExitCode
from bulksend.cli.groups import with_options
from bulksend.cli.options import DATABASE
from bulksend.cli.settings import Command, option
from bulksend.cli.values import DURATION
from bulksend.runs import histories
from bulksend.words import many


@click.group
def command() -> None:
    """Look after what is kept of who got which text when, as hashes, so that nobody gets it twice."""


@command.command(
    name="purge",
    cls=Command,
    examples=("bulksend history purge --older-than 90d",),
    exits={ExitCode.OK: "forgotten", ExitCode.USAGE: "usage", ExitCode.STOPPED: "a history could not be written"},
)
@option("--older-than", metavar="TIME", type=DURATION, required=True, help="How old, such as 90d.")
@with_options((DATABASE,))
def purge_command(older_than: float, database: str | None) -> ExitCode:
    """Forget who got what from commands that began so long ago, in the histories of all accounts."""
    gone = 0
    for kept in histories(database):
        with kept.open() as history:
            gone += history.purge(time.time() - older_than)
            history.give_room_back()
    click.echo(f"{many(gone, 'message')} forgotten.", err=True)
    return ExitCode.OK
