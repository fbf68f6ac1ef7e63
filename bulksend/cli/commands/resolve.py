"""``bulksend resolve``: what became of rows that may or may not have been accepted."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bulksend import campaign
from bulksend.cli import options, show
from bulksend.cli.codes import ExitCode
from bulksend.cli.sending import Watched, check_can_ask, hold_account, run_loop, sending, target_of
from bulksend.cli.settings import Command, option
from bulksend.errors import UsageError
from bulksend.model import Doubtful, Endpoint, Status
from bulksend.planning import planning as plans
from bulksend.planning.planner import PlanOptions
from bulksend.planning.planning import Address, Paths
from bulksend.reports.results import check_output, inputs_of
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.reader import RunReport
from bulksend.sending import SendOptions
from bulksend.words import many


@click.command(cls=Command)
@click.argument("run_file", metavar="RUNFILE", type=click.Path(path_type=Path))
@options.with_options(
    options.TARGET_OPTIONS,
    options.PACE_OPTIONS,
    (
        option(
            "--resend", is_flag=True, help="Send those that are not found again: some may arrive twice. Asks first."
        ),
        option("--leave", is_flag=True, help="Leave those that are not found unknown, for good."),
        option("--results", metavar="FILE", type=click.Path(path_type=Path), help="The results, .csv or .jsonl."),
        option("--wait", is_flag=True, help="If another run of the account is sending, wait until it has ended."),
        option("--yes", "-y", is_flag=True, help="Resend without asking."),
        option("--no-progress", is_flag=True, help="Show no progress."),
    ),
)
def command(**given: Any) -> ExitCode:
    """Say what became of the rows that may or may not have been accepted.

    They are looked up in the API's list of messages, where the server has one. What is not found stays unknown, unless
    --resend or --leave decides on it.
    """
    if given["resend"] and given["leave"]:
        raise UsageError("--resend and --leave cannot both be: leave one out")
    paths = Paths.beside(str(given["run_file"]), given["run_file"], given["results"])
    with RunReport(paths.run) as run:
        check_output(paths.results, paths.run, *inputs_of(run))
    to = options.destination(given)
    with plans.own_as_planned(paths.run, PlanOptions(), org_id=to.org_id, base_url=to.base_url) as lock:
        return _resolve(given, lock, paths, show.console())


def _resolve(given: dict[str, Any], lock: FileLock, paths: Paths, out: Console) -> ExitCode:
    campaign.take_over(lock)
    rows = _doubtful(paths.run)
    if not rows:
        out.print("No row is in doubt.")
        return ExitCode.OK
    show.show_doubtful(out, rows)
    with RunReport(paths.run) as run:
        facts = run.facts
    target = target_of(given, Address(facts.org_id, facts.base_url), Endpoint(facts.endpoint))
    with ExitStack() as stack:
        account = stack.enter_context(hold_account(target, paths.run, out, wait=given["wait"])) if target else None
        if target:
            found = run_loop(campaign.resolve(lock, target))
            out.print(
                f"{len(found):,} of {len(rows):,} are in the API's list: they were accepted."
                if found
                else f"None of the {len(rows):,} was found in the API's list."
            )
            rows = [row for row in rows if row.row not in found]
        if given["leave"]:
            campaign.dispose(lock, [row.row for row in rows], resend=False)
            out.print(f"{len(rows):,} rows stay unknown for good.")
        elif given["resend"] and rows:
            _resend(given, lock, paths, rows, out)
            how = SendOptions(options.pace(given), options.caps(given), by_parts=given["cap_counts"] == "parts")
            with RunReport(paths.run) as run:
                watched = Watched(run.tally(), len(rows), out, given["no_progress"])
            run_loop(sending(lock, account, target, how, watched))
        elif rows:
            out.print(
                f"{many(len(rows), 'row')} left in doubt: --resend sends them again, some of which may then "
                "arrive twice; --leave leaves them unknown for good.",
                soft_wrap=True,
            )
    campaign.write(paths.run, paths.results)
    with RunReport(paths.run) as run:
        tally = run.tally()
        show.show_status(out, run, tally, f"the results are in {paths.results}")
    return ExitCode.NOT_ALL_SENT if tally.statuses[Status.UNKNOWN] and not given["leave"] else ExitCode.OK


def _resend(given: dict[str, Any], lock: FileLock, paths: Paths, rows: list[Doubtful], out: Console) -> None:
    with RunReport(paths.run) as run:
        if run.overview().rows:
            raise UsageError(
                f"{paths.run}: this run has rows that were never sent: finish it first: bulksend send {paths.run}"
            )
    check_can_ask(yes=given["yes"])
    question = f"Send {len(rows):,} messages again, some of which may then arrive twice?"
    if not given["yes"] and not click.confirm(question, err=True):
        out.print("Nothing was sent.")
        raise click.exceptions.Exit(ExitCode.NOT_ALL_SENT)
    campaign.dispose(lock, [row.row for row in rows], resend=True)


def _doubtful(run: Path) -> list[Doubtful]:
    with RunReport(run) as opened:
        return opened.doubtful()
