"""``bulksend results``: the results once more."""

from __future__ import annotations

from pathlib import Path

import click

from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.sending import tell_kept
from bulksend.cli.settings import Command, option
from bulksend.cli.which_run import run_meant
from bulksend.reports import check_output, inputs_of, write_results
from bulksend.runs import open_run


@click.command(cls=Command)
@click.argument("run_file", metavar="RUN", type=click.Path(path_type=Path))
@option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help=".csv or .jsonl")
def command(run_file: Path, output: Path) -> ExitCode:
    """Write a run's results to a file, as its ending says; the run may be at work."""
    out = console()
    place = run_meant(run_file, out)
    with open_run(place) as run:
        check_output(output, place, *inputs_of(run))
        tell_kept(out, write_results(run, output))
    return ExitCode.OK
