"""``bulksend status``: where a run stands."""

from __future__ import annotations

import time

import click

from bulksend.cli import options, run_view, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.receipt_words import deliveries_of, of_deliveries
from bulksend.cli.settings import Command, option
from bulksend.cli.standing_view import purge_words, who_words, worker_lines
from bulksend.cli.values import PLACE
from bulksend.cli.when_view import kept_words
from bulksend.cli.which_run import run_meant
from bulksend.errors import UsageError
from bulksend.runs import Place, open_run, stand_of


@click.command(
    cls=Command,
    examples=(
        "bulksend status campaign.csv",
        "bulksend status campaign.csv --watch",
        "bulksend status june.run --json",
    ),
    exits={ExitCode.OK: "shown", ExitCode.USAGE: "there is no such run", ExitCode.STOPPED: "the run cannot be read"},
)
@click.argument("place", metavar="RUN", type=PLACE)
@option("--watch", is_flag=True, help="Go on showing it, until whoever sends it has ended. It only reads.")
@options.TELLS_ALL
@option("--json", "as_json", is_flag=True, help="One summary object on stdout.")
def command(place: Place, *, watch: bool, verbose: bool, as_json: bool) -> ExitCode:
    """Say where a run stands, and why it last ended; it may be at work.

    With --watch it is the screen of whoever sends the run, in another terminal. If nobody does, that is waited for;
    Ctrl-C leaves, and stops nothing but this.
    """
    if watch and as_json:
        raise UsageError("--watch is a screen for people: a script asks with --json alone, as often as it likes")
    out = console(verbose=verbose)
    place = run_meant(place, out)
    if watch:
        from bulksend.cli.onlooking import look_on  # noqa: PLC0415 -- a screen, which most do not ask for

        if not look_on(place, out):
            return ExitCode.OK
    with open_run(place) as run:
        stand = stand_of(run)
        run_view.show_status(out, run, stand.tally, who_words(run.owner, stand.shared, stand.spell))
        for line in () if stand.shared is None or stand.owner else worker_lines(stand.shared):
            out.print(line, soft_wrap=True)
        for line in kept_words(stand.schedule, stand.waits_until, time.time()):
            out.print(line, soft_wrap=True)
        if stand.purge:
            says = purge_words(run.place, stand.purge)
            out.print(f"{says[0].upper()}{says[1:]}.", soft_wrap=True)
        if as_json:
            summary.write(summary.of_stand(stand) | of_deliveries(deliveries_of(run)))
    return ExitCode.OK
