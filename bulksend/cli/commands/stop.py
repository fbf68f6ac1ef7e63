"""``bulksend stop``: a send ends in order, wherever it was started."""

from __future__ import annotations

import time

import click

from bulksend.cli import summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.options import QUIET
from bulksend.cli.settings import Command, option
from bulksend.cli.standing_view import end_words
from bulksend.cli.values import PLACE
from bulksend.cli.which_run import run_meant
from bulksend.runs import Asked, End, Place, ask_to_end, open_run
from bulksend.words import printable


@click.command(
    cls=Command,
    examples=("bulksend stop campaign.csv",),
    exits={
        ExitCode.OK: "it is asked, or nobody is sending",
        ExitCode.USAGE: "there is no such run",
        ExitCode.STOPPED: "it could not be asked",
    },
)
@click.argument("place", metavar="RUN", type=PLACE)
@option("--json", "as_json", is_flag=True, help="One summary object on stdout.")
@QUIET
def command(place: Place, *, as_json: bool, quiet: bool) -> ExitCode:
    """End a running send in order, wherever it was started: as one Ctrl-C there does.

    It takes no more messages within a second, waits for the answers that are under way, and ends with exit code 3; the
    same command goes on.
    """
    out = console(quiet=quiet)
    place = run_meant(place, out)
    asked = ask_to_end(place, time.time())
    with open_run(place) as run:
        end = run.spell.end
    out.print(f"{printable(str(place))}: {_words(asked, end)}.", soft_wrap=True)
    if as_json:
        summary.write_end(summary.of_stop(place, asked))
    return ExitCode.OK


def _words(asked: Asked | None, end: End | None) -> str:
    if asked is None:
        return f"nobody is sending it, so there is nothing to stop{f'; {end_words(end)}' if end else ''}"
    if asked.is_anew:
        then = time.strftime("%H:%M:%S", time.localtime(asked.at_s))
        return f"it was asked to stop at {then} already and has not ended yet ({asked.owner})"
    if asked.owner is None:
        return "asked to stop: its workers take no more of it within a second, and what is under way comes to its end"
    return f"asked to stop; it ends when the answers under way are in ({asked.owner})"
