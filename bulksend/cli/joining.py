"""``bulksend send`` of a run that others send: this process joins them as one more worker."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial

import click

from bulksend import campaign
from bulksend.campaign import SendOptions
from bulksend.cli import plan_view, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.given import TargetSettings
from bulksend.cli.sending import Manners, agreed, run_loop, target_of_run, tell_end_of, watched
from bulksend.cli.watch import Watch
from bulksend.reports import write_results
from bulksend.runs import DatabaseRun, open_run
from bulksend.words import many, printable


def joined(
    place: DatabaseRun, to: TargetSettings, how: SendOptions, manners: Manners, *, yes: bool, as_json: bool
) -> ExitCode:  # fmt: skip
    """Send what is left of a run beside those who are at work on it, and write its results.

    Args:
        place: the run's.
        to: where to, as it was said.
        how: how fast; all else is as the run was opened.
        manners: how the command behaves.
        yes: whether nothing is asked.
        as_json: whether a summary is written.
    """
    out = manners.out
    with open_run(place) as run:
        target, left = target_of_run(to, run), run.overview()
    if target is None:
        raise AssertionError
    out.print(
        f"{printable(str(place))} is being sent by others. This process joins them, and what limits the run is as they "
        "began it: of this command the pace alone counts.",
        soft_wrap=True,
    )
    question = f"Join in sending {many(left.rows, 'message')} ({plan_view.price_of(left)})?"
    if not yes and not agreed(question, out):
        raise click.exceptions.Exit(ExitCode.STOPPED)
    watch = Watch(out, hides_progress=manners.hides_progress)
    with manners.monitors.telling(str(place)) if manners.monitors else nullcontext():
        ended = run_loop(watched(partial(campaign.join, place, target, how), watch, manners.monitors))
        with open_run(place) as run:
            told = tell_end_of(run, ended, manners, lambda: write_results(run, manners.results))
            as_object = summary.of_send(run, told, manners.results)
        if manners.monitors:
            manners.monitors.ended(as_object, is_rehearsal=False)
    if as_json:
        summary.write_end(as_object)
    return told.code
