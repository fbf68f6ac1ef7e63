"""``bulksend runs``: the campaigns of a folder or a database, or all that history knows."""

from __future__ import annotations

from pathlib import Path

import click

from bulksend import campaign
from bulksend.campaign import Unread
from bulksend.cli import summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.runs_view import show_runs
from bulksend.cli.settings import Command, option
from bulksend.cli.values import SHELF
from bulksend.errors import UsageError
from bulksend.runs import Shelf, Stand, resolved, stand_of


@click.command(
    cls=Command,
    examples=("bulksend runs", "bulksend runs --all --json", "bulksend runs postgresql://me@db.example/sms"),
    exits={
        ExitCode.OK: "all could be read, or are gone",
        ExitCode.USAGE: "there is no such folder or database",
        ExitCode.STOPPED: "some could not be read",
    },
)
@click.argument("shelf", metavar="[FOLDER|DATABASE]", required=False, type=SHELF)
@option("--all", "everywhere", is_flag=True, help="Whatever history knows, wherever it lies, instead of a folder's.")
@option("--json", "as_json", is_flag=True, help="A list on stdout, an object a run.")
def command(shelf: Shelf | None, *, everywhere: bool, as_json: bool) -> ExitCode:
    """Show the campaigns of a folder (by default this one) or a database.

    When they were sent, what, their state, what was sent of them, what it cost, and why they ended.
    """
    if everywhere and shelf is not None:
        raise UsageError("--all is of all folders: leave it out, or the folder")
    shelf = shelf or Path()
    looked = campaign.gathered(campaign.places_known(), stand_of) if everywhere else campaign.stands(shelf)
    found = sorted(looked, key=_began_at, reverse=True)
    if as_json:
        summary.write(summary.of_runs(found))
    elif found:
        show_runs(console(is_data=True), found)
    else:
        console().print(f"No runs {'in history' if everywhere else f'in {resolved(shelf)}'}.", soft_wrap=True)
    is_all = not any(isinstance(each, Unread) and not each.is_gone for each in found)
    return ExitCode.OK if is_all else ExitCode.STOPPED


def _began_at(found: Stand | Unread) -> float:
    """The newest first; what was never sent is still to come, and what cannot be read is told before all."""
    at = found.began_at if isinstance(found, Unread) else found.spell.started_at
    return float("inf") if at is None else at
