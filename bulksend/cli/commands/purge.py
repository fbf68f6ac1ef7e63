"""``bulksend purge``: what is personal in a run goes, what it came to stays."""

from __future__ import annotations

import time
from pathlib import Path

import click

from bulksend import campaign
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.options import QUIET
from bulksend.cli.sending import check_is_local
from bulksend.cli.settings import Command, option
from bulksend.cli.values import DURATION, PLACE
from bulksend.cli.which_run import run_meant
from bulksend.reports import results_of, write_without
from bulksend.runs import Place, own_run
from bulksend.words import many, printable


@click.command(
    cls=Command,
    examples=("bulksend purge campaign.csv --older-than 90d",),
    exits={
        ExitCode.OK: "it is purged",
        ExitCode.USAGE: "it cannot be",
        ExitCode.STOPPED: "some may be left; the same command goes on",
        ExitCode.OWNED: "the run is in use",
    },
)
@click.argument("place", metavar="RUN", type=PLACE)
@option("--older-than", metavar="TIME", type=DURATION, required=True, help="How old all of it must be, such as 90d.")
@option(
    "--repeat-after",
    metavar="TIME",
    type=DURATION,
    default="20h",
    show_default=True,
    help="Nothing younger is purged, whatever --older-than says.",
)
@option(
    "--also",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="One more file of its results, to be rewritten as well. Repeatable.",
)
@option("--force", is_flag=True, help="The run file lies on a network file system, where locks may not hold.")
@QUIET
def command(
    place: Place, older_than: float, repeat_after: float, also: tuple[Path, ...], *, force: bool, quiet: bool
) -> ExitCode:
    """Take numbers, texts and cells out of a run and its results, for good.

    Counts, costs, times and messageIds stay, and the account's history still knows as hashes who got what. Refused
    while rows are to be sent, in doubt, or younger. The input itself is yours to remove.
    """
    out, wall_s = console(quiet=quiet), time.time()
    place = run_meant(place, out)
    check_is_local(place, force=force)
    with own_run(place, wall_s) as run:
        campaign.check_can_purge(run, max(older_than, repeat_after), wall_s)
        files = results_of(run, *also)
        purged = campaign.purge(run, wall_s)
        write_without(run, files)
    out.print(
        f"{printable(str(place))}: the numbers, texts and cells of {many(purged.rows, 'row')} are gone.", soft_wrap=True
    )
    for path in files:
        out.print(f"{printable(str(path))}: rewritten without them.", soft_wrap=True)
    out.print(
        "History still knows, as hashes, who got what."
        if purged.is_known
        else "History holds nothing of this run: who got what of it is not known any more."
    )
    out.print("The input, reports, and copies of the results elsewhere are yours to remove.", soft_wrap=True)
    return ExitCode.OK
