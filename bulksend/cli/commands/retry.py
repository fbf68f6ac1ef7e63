"""``bulksend retry``: the rows that were not sent, as a sheet to be mended and sent."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from bulksend import campaign
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import confirmed, console
from bulksend.cli.options import QUIET
from bulksend.cli.sending import check_is_local, has_terminal
from bulksend.cli.settings import Command, option
from bulksend.cli.values import PLACE
from bulksend.cli.which_run import run_meant
from bulksend.errors import UsageError
from bulksend.model import Status
from bulksend.planning import Tally
from bulksend.reports import check_output, check_own, inputs_of, write_mending
from bulksend.runs import Place, files_of, is_run_file, open_run
from bulksend.words import many


@click.command(
    cls=Command,
    examples=("bulksend retry campaign.csv -o mend.csv", "bulksend retry campaign.csv -o rest.csv --close"),
    exits={
        ExitCode.OK: "done",
        ExitCode.USAGE: "usage",
        ExitCode.STOPPED: "the run cannot be read or written",
        ExitCode.OWNED: "another process is at work on it",
    },
)
@click.argument("place", metavar="RUN", type=PLACE)
@option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help=".csv, .jsonl or .xlsx")
@option(
    "--close",
    is_flag=True,
    help="Close the run: what is pending or failed goes into FILE, and is not sent by the run itself any more.",
)
@option("--force", is_flag=True, help="Close also a run on a network file system, where locks may not hold.")
@QUIET
def command(place: Place, output: Path, *, close: bool, force: bool, quiet: bool) -> ExitCode:
    """Write the rows that were not sent into FILE, to be mended there and sent like any other input.

    These are the rejected, failed and invalid rows, in the input's own columns, with the error and the line in the
    sheet. Rows in doubt are never among them, pending ones only if the run is closed, which is asked on a terminal.
    """
    out = console(quiet=quiet)
    place = run_meant(place, out)
    _check_output(output, place)
    if _is_to_be_closed(place, output, out, close=close):
        check_is_local(place, force=force)
        campaign.close_run(place)
    with open_run(place) as run:
        tally = run.tally()
        if tally.to_mend:
            write_mending(run, output)
    _tell(out, place, output, tally)
    return ExitCode.OK


def _check_output(output: Path, place: Place) -> None:
    with open_run(place) as run:
        campaign.check_not_purged(run)
        check_output(output, *files_of(place), *inputs_of(run))
    check_own(output, None)
    if is_run_file(its_run := output.with_suffix(".run")):
        raise UsageError(f"{output}: this is the input of another run, {its_run}: name another file for the output")


def _is_to_be_closed(place: Place, output: Path, out: Console, *, close: bool) -> bool:
    """Whether what the run could still send is to go into the sheet instead."""
    with open_run(place) as run:
        statuses = run.tally().statuses
    pending, failed = statuses[Status.PENDING], statuses[Status.FAILED]
    if close or not (pending or failed):
        return close
    if not has_terminal():
        return False
    left = " and ".join(f"{count:,} {name}" for count, name in ((pending, "pending"), (failed, "failed")) if count)
    rows, they = ("row", "it is") if pending + failed == 1 else ("rows", "they are")
    question = f"{place} can still send {left} {rows}. Close it, so that {they} sent from {output} alone?"
    return confirmed(question, out)


def _tell(out: Console, place: Place, output: Path, tally: Tally) -> None:
    """What is in the sheet, and where the other rows are."""
    statuses = tally.statuses
    if tally.to_mend:
        kinds = [(statuses[status], status.value) for status in (Status.REJECTED, Status.FAILED, Status.INVALID)]
        kinds.append((tally.closed, "not sent before the run was closed"))
        held = ", ".join(f"{count:,} {kind}" for count, kind in kinds if count)
        out.print(f"{output} holds {many(tally.to_mend, 'row')} to mend: {held}.", soft_wrap=True)
        out.print(
            f"Mend them there, then: bulksend send {output}, with text, sender and --map as before.", soft_wrap=True
        )
    else:
        out.print(f"No row of {place} is to be mended: {output} is not written.", soft_wrap=True)
    others = [
        (statuses[Status.SENT], "sent"),
        (tally.in_flight, "under way"),
        (statuses[Status.UNKNOWN], f"in doubt (bulksend resolve {place} settles them)"),
        (
            statuses[Status.PENDING],
            f"pending (bulksend send {place} sends them; --close has them in the sheet instead)",
        ),
        (statuses[Status.SKIPPED] - tally.closed, "skipped"),
    ]
    if left := ", ".join(f"{count:,} {kind}" for count, kind in others if count):
        out.print(f"Not among them: {left}.", soft_wrap=True)
    if failed := statuses[Status.FAILED]:
        out.print(
            f"{place} tries the {many(failed, 'failed row')} again if it is sent again: --close leaves them to the "
            "sheet alone.",
            soft_wrap=True,
        )
