"""``bulksend receipts``: which of a run's messages reached their phones."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import Patience
from bulksend.cli import codes, options, receipts_view, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console, tell_error
from bulksend.cli.given import TargetSettings
from bulksend.cli.groups import Group, with_options
from bulksend.cli.looked_view import WHY_NOT
from bulksend.cli.options import QUIET, TELLS_ALL
from bulksend.cli.sending import check_is_local, run_loop, target_of_run
from bulksend.cli.settings import Command, option
from bulksend.cli.values import DURATION, PLACE
from bulksend.cli.which_run import run_meant
from bulksend.engagespark import Looked
from bulksend.runs import Deliveries, OwnRun, Place, Run, Terms, open_run

_REASONS = 8  # the commonest


class ReceiptsSettings(NamedTuple):
    """What is said of receipts."""

    until_done: float
    force: bool
    quiet: bool
    verbose: bool
    as_json: bool


RECEIPTS = Group(
    "said",
    ReceiptsSettings,
    (
        option(
            "--until-done",
            metavar="TIME",
            type=DURATION,
            default="0s",
            help="Ask again until all receipts are in, for so long at most, such as 10m.",
        ),
        option("--force", is_flag=True, help="The run file lies on a network file system, where locks may not hold."),
        QUIET,
        TELLS_ALL,
        option("--json", "as_json", is_flag=True, help="One summary object on stdout."),
    ),
)


@click.command(
    cls=Command,
    examples=("bulksend receipts campaign.csv", "bulksend receipts campaign.csv --until-done 10m"),
    exits={
        ExitCode.OK: "all reached their phones",
        ExitCode.NOT_ALL_SENT: "some did not, or it is not known yet",
        ExitCode.USAGE: "usage",
        ExitCode.STOPPED: "receipts could not be asked for",
        ExitCode.OWNED: "the run is being sent",
    },
)
@click.argument("place", metavar="RUN", type=PLACE)
@with_options(options.TARGET, RECEIPTS)
def command(place: Place, to: TargetSettings, said: ReceiptsSettings) -> ExitCode:
    """Fetch into a run which of its messages reached their phones.

    What is learned is kept as it comes; only what is not final is asked for again. Not while the run is being sent.
    """
    out = console(quiet=said.quiet, verbose=said.verbose)
    place = run_meant(place, out)
    check_is_local(place, force=said.force)
    with open_run(place) as run:
        campaign.check_has_receipts(run)
        known = run.receipts.deliveries(_REASONS)
        if not known.open:  # nothing is asked, and no key is needed
            return _tell(run, known, Looked.THROUGH, out, said)
    org_id, base_url = to.address
    with campaign.own_as_planned(place, Terms(org_id=org_id, base_url=base_url)) as own:
        looked = _fetch(own, to, out, said)
        return _tell(own, own.receipts.deliveries(_REASONS), looked, out, said)


def _fetch(run: OwnRun, to: TargetSettings, out: Console, said: ReceiptsSettings) -> Looked:
    target = target_of_run(to, run)
    if target is None:
        return Looked.NO_SUCH
    tell = partial(receipts_view.tell_awaited, out)
    return run_loop(campaign.fetch_receipts(run, target, Patience(said.until_done), tell))


def _tell(run: Run, known: Deliveries, looked: Looked, out: Console, said: ReceiptsSettings) -> ExitCode:
    code = codes.of_receipts(known, could_look=looked is Looked.THROUGH)
    if known.sent:
        receipts_view.show_deliveries(out, run, known, looked)
    else:
        out.print(f"{run.place}: nothing of this run was sent, so that there are no receipts.", soft_wrap=True)
    if said.quiet and code is ExitCode.STOPPED:
        tell_error(out, f"{run.place}: {WHY_NOT[looked]}.")
    if said.as_json:
        summary.write_end(summary.of_receipts(run, known, looked, code))
    return code
