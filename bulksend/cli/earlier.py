"""What an earlier run left when its file went: results that say who got what is about to be sent."""

from __future__ import annotations

import click
from rich.console import Console

from bulksend.cli.codes import ExitCode
from bulksend.cli.sending import agreed, has_terminal
from bulksend.errors import UsageError
from bulksend.reports import told_by
from bulksend.runs import Paths, is_run_file
from bulksend.words import many


def check_not_sent(paths: Paths, out: Console, *, repeat: bool) -> None:
    """See that no run whose file is gone has sent what is about to be sent anew, or that this is meant.

    Raises:
        UsageError: its results say that it has, and nobody can be asked.
    """
    its_run = paths.results.with_name(f"{paths.results.name.removesuffix('.results.csv')}.run")
    if repeat or (its_run.resolve() != paths.run.resolve() and is_run_file(its_run)):
        return
    sent, in_doubt = told_by(paths.results)
    if not sent and not in_doubt:
        return
    doubted = f" and perhaps to {in_doubt:,} more" if in_doubt else ""
    told = f"{paths.results}: a run whose file is gone has sent to {many(sent, 'row')}{doubted}"
    if not has_terminal():
        raise UsageError(
            f"nothing was sent: {told}: put its file back to go on with it, or say --repeat to send to all again"
        )
    if not agreed(f"{told}. Send to all again?", out):
        raise click.exceptions.Exit(ExitCode.STOPPED)
