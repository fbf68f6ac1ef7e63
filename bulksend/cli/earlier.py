"""What an earlier run left when its file went: results that say who got what is to be sent, or no word of it."""

from __future__ import annotations

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import LookedBack
from bulksend.cli.codes import ExitCode
from bulksend.cli.history_view import lost_words
from bulksend.cli.sending import agreed, has_terminal
from bulksend.errors import UsageError
from bulksend.reports import told_by
from bulksend.runs import OwnRun, Paths
from bulksend.words import many


def check_not_sent(paths: Paths, out: Console, *, repeat: bool) -> bool:
    """See that no run whose file is gone has sent what is about to be sent anew; whether this is meant.

    Raises:
        UsageError: its results say that it has, and nobody can be asked.
    """
    if repeat:
        return True
    sent, in_doubt = told_by(paths.results)
    if not sent and not in_doubt:
        return False
    doubted = f" and perhaps to {in_doubt:,} more" if in_doubt else ""
    told = f"{paths.results}: a run whose file is gone has sent to {many(sent, 'row')}{doubted}"
    if not has_terminal():
        raise UsageError(
            f"nothing was sent: {told}: put its file back to go on with it, or say --repeat to send to all again"
        )
    if not agreed(f"{told}. Send to all again?", out):
        raise click.exceptions.Exit(ExitCode.STOPPED)
    return True


def check_not_lost(run: OwnRun, looked: LookedBack, out: Console, *, repeat: bool) -> None:
    """See that no command was cut off of which nobody knows what it sent, or that this is meant.

    Raises:
        UsageError: there was one, and nobody can be asked.
    """
    if not looked.lost:
        return
    if not repeat:
        told = lost_words(looked)
        if not has_terminal():
            raise UsageError(
                f"nothing was sent: {told}: put its file back, or say --repeat to send what it may have sent again"
            )
        if not agreed(f"{told}. Send all the same?", out):
            raise click.exceptions.Exit(ExitCode.STOPPED)
    campaign.give_up_lost(run.facts.address, looked)
