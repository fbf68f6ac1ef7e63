"""``bulksend report``: a run on one page, for whoever answers for it."""

from __future__ import annotations

import time
from pathlib import Path

import click

from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.options import QUIET
from bulksend.cli.settings import Command, option
from bulksend.cli.values import PLACE
from bulksend.cli.which_run import run_meant
from bulksend.reports import check_page, inputs_of, write_page
from bulksend.runs import Place, files_of, open_run


@click.command(
    cls=Command,
    examples=("bulksend report campaign.csv -o report.html",),
    exits={ExitCode.OK: "written", ExitCode.USAGE: "usage", ExitCode.STOPPED: "the run cannot be read"},
)
@click.argument("place", metavar="RUN", type=PLACE)
@option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help=".html")
@option("--show-numbers", is_flag=True, help="Write the numbers of phones in full.  [default: most digits left out]")
@QUIET
def command(place: Place, output: Path, *, show_numbers: bool, quiet: bool) -> ExitCode:
    """Write a page about a run: what was sent when and for how much, what was not and why; the run may be at work.

    It is one file that needs nothing else, and can be printed.
    """
    place = run_meant(place, console(quiet=quiet))
    with open_run(place) as run:
        check_page(output, *files_of(place), *inputs_of(run))
        write_page(run, output, time.time(), shows_numbers=show_numbers)
    return ExitCode.OK
