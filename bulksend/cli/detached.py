"""``send --detach``: a run is planned and agreed to here, and sent by workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bulksend import campaign
from bulksend.campaign import Ended, SendOptions
from bulksend.cli.codes import ExitCode
from bulksend.cli.given import TargetSettings
from bulksend.cli.monitors import MonitorSettings
from bulksend.cli.sending import EndTold, Manners
from bulksend.cli.watch import Watch
from bulksend.errors import UsageError
from bulksend.runs import DatabaseRun, OwnRun
from bulksend.when import Schedule
from bulksend.words import printable


def check_can_detach(to: TargetSettings, place: Path | DatabaseRun, watched: MonitorSettings) -> None:
    """See that nothing is said that workers do not do.

    Raises:
        UsageError: something is.
    """
    if to.sandbox or not isinstance(place, DatabaseRun):
        raise UsageError("--detach leaves a run to workers: name its place in a database with --run, without --sandbox")
    if any((watched.webhook, watched.on_finish, watched.log_file, watched.metrics_port, watched.metrics_file)):
        raise UsageError("--detach: no worker calls --on-finish or --webhook, and logs and metrics are its own")


def detached(
    run: OwnRun, how: SendOptions, manners: Manners, schedule: Schedule,
    agree: Callable[[], None],
) -> EndTold:  # fmt: skip
    """Open a run for workers, and say how these are started."""
    agree()
    if run.times.schedule != schedule:
        run.times.keep(schedule)
    watch = Watch(manners.out, hides_progress=True)
    campaign.leave_to_workers(run, how, watch.hear)
    place, org = run.place, run.facts.org_id
    database = place.partition("#")[0]
    manners.out.print(
        f"{printable(place)} is left to workers, of which as many as you like are started with: bulksend worker "
        f"{printable(database)} --org-id {org}. bulksend status shows where it stands, "
        "bulksend results writes its results.",
        soft_wrap=True,
    )
    ended = Ended(None, run.tally())
    return EndTold(campaign.ending_of(run, ended), ExitCode.OK, None, "")
