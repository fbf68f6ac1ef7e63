"""``bulksend results``: the results once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bulksend import campaign
from bulksend.cli.codes import ExitCode
from bulksend.cli.settings import Command, option
from bulksend.reports.results import check_output, inputs_of
from bulksend.runs.sqlite.reader import RunReport


@click.command(cls=Command)
@click.argument("run_file", metavar="RUNFILE", type=click.Path(path_type=Path))
@option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help=".csv or .jsonl")
def command(**given: Any) -> ExitCode:
    """Write a run's results to a file, as its ending says; the run may be at work."""
    with RunReport(given["run_file"]) as run:
        check_output(given["output"], given["run_file"], *inputs_of(run))
    campaign.write(given["run_file"], given["output"])
    return ExitCode.OK
