"""``bulksend status``: where a run stands."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import click

from bulksend.cli import show, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.settings import Command, option
from bulksend.runs.lock import is_alive
from bulksend.runs.sqlite.file import Owner
from bulksend.runs.sqlite.reader import RunReport


@click.command(cls=Command)
@click.argument("run_file", metavar="RUNFILE", type=click.Path(path_type=Path))
@option("--json", "as_json", is_flag=True, help="One summary object on stdout.")
def command(**given: Any) -> ExitCode:
    """Say where a run stands; it may be at work."""
    path: Path = given["run_file"]
    with RunReport(path) as run:
        tally = run.tally()
        show.show_status(show.console(), run, tally, _who(run.owner))
    if given["as_json"]:
        summary.write(summary.of_run(path, tally))
    return ExitCode.OK


def _who(owner: Owner | None) -> str:
    if owner is None:
        return "nobody is at work on it"
    if owner.host == socket.gethostname() and not is_alive(owner.pid):
        return f"nobody is at work on it; the last ({owner}) was cut off, and the same command goes on"
    return f"{owner}, is at work on it"
