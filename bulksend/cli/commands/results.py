"""``bulksend results``: the results once more."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import click

from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.options import QUIET
from bulksend.cli.sending import tell_kept
from bulksend.cli.settings import Command, option
from bulksend.cli.standing_view import purge_words
from bulksend.cli.values import CHOICE, PLACE
from bulksend.cli.which_run import run_meant
from bulksend.reports import check_output, inputs_of, write_results
from bulksend.runs import Place, files_of, open_run
from bulksend.words import printable


@click.command(
    cls=Command,
    examples=(
        "bulksend results campaign.csv -o results.xlsx",
        "bulksend results june.run -o bad.csv --where status=failed,rejected",
    ),
    exits={
        ExitCode.OK: "written",
        ExitCode.USAGE: "usage, or there is no such run",
        ExitCode.STOPPED: "the run cannot be read",
    },
)
@click.argument("place", metavar="RUN", type=PLACE)
@option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help=".csv, .jsonl or .xlsx")
@option(
    "--where",
    metavar="COLUMN=VALUE[,VALUE]",
    type=CHOICE,
    multiple=True,
    help="Write only rows that have one of these values in this column, such as status=failed,rejected. Repeatable.",
)
@QUIET
def command(place: Place, output: Path, where: tuple[tuple[tuple[str, str], ...], ...], *, quiet: bool) -> ExitCode:
    """Write a run's results to a file, as its ending says; the run may be at work."""
    out = console(quiet=quiet)
    place = run_meant(place, out)
    with open_run(place) as run:
        check_output(output, *files_of(place), *inputs_of(run))
        tell_kept(out, write_results(run, output, tuple(chain.from_iterable(where))))
        if run.purge:
            out.print(f"{printable(run.place)}: {purge_words(run.place, run.purge)}.", soft_wrap=True)
    return ExitCode.OK
