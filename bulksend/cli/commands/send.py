"""``bulksend send``: plan, show the price, ask, send, write the results."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import SendReport
from bulksend.cli import codes, options, show, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.commands import estimate
from bulksend.cli.sending import Watched, check_can_ask, hold_account, run_loop, sending, target_of
from bulksend.cli.settings import Command, option
from bulksend.engagespark import Target
from bulksend.errors import UsageError
from bulksend.model import Endpoint, Status
from bulksend.planning import planning as plans
from bulksend.planning.overview import Overview, Plan
from bulksend.planning.planning import Address, Paths
from bulksend.reports.results import check_output
from bulksend.runs.lock import FileLock, network_kind
from bulksend.runs.sqlite.file import PlanFacts, is_run_file
from bulksend.runs.sqlite.reader import RunReport
from bulksend.sending import SendOptions
from bulksend.sms.rates.table import dollars
from bulksend.words import many


@click.command(cls=Command)
@click.argument("input_name", metavar="INPUT|RUNFILE")
@options.with_options(
    options.TARGET_OPTIONS,
    options.PLAN_OPTIONS,
    options.PACE_OPTIONS,
    options.FILE_OPTIONS,
    (
        option("--max-cost", metavar="USD", type=options.USD, help="Stop before the run costs more."),
        option(
            "--max-errors",
            metavar="N|N%",
            type=options.ERROR_LIMIT,
            help="Stop when more rows than this could not be sent; a share is judged from the 100th row on.",
        ),
        option("--no-dedup", is_flag=True, help="Send no clientDedup: what may have been accepted is never repeated."),
        option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N pending rows: a test send."),
        option("--wait", is_flag=True, help="If another run of the account is sending, wait until it has ended."),
        option("--force", is_flag=True, help="Keep the run file on a network file system, where locks may not hold."),
        option("--dry-run", is_flag=True, help="Plan and price only, as `bulksend estimate` does."),
        option("--yes", "-y", is_flag=True, help="Send without asking."),
        option("--no-progress", is_flag=True, help="Show no progress."),
        option("--json", "as_json", is_flag=True, help="One summary object on stdout."),
    ),
)
def command(**given: Any) -> ExitCode:
    """Send a campaign: plan INPUT, show the price, ask, send.

    INPUT is a spreadsheet (.csv, .xlsx, .ods, ...), a JSONL file, or - for standard input; a RUNFILE is sent as it is.

    The same command again goes on where the run stopped; what was sent is never sent twice.
    """
    if given["dry_run"]:
        return estimate.run(given)
    paths = Paths.beside(given["input_name"], given["run"], given["results"])
    check_output(paths.results, paths.run, Path(given["input_name"]), *options.files_read(given))
    if (kind := network_kind(paths.run)) and not given["force"]:
        raise UsageError(
            f"{paths.run}: this lies on a network file system ({kind}), where locks may not hold: name a local file "
            "with --run, or say --force if only this machine uses it"
        )
    how = SendOptions(
        options.pace(given),
        options.caps(given),
        by_parts=given["cap_counts"] == "parts",
        limit=given["limit"],
        dedup=not given["no_dedup"],
        max_cost=given["max_cost"],
        max_errors=given["max_errors"],
    )
    with _open(given, paths) as lock:
        report, code = _send(given, lock, paths, how, show.console())
    if given["as_json"]:
        summary.write(summary.of_send(paths.run, report, code))
    return code


def _open(given: dict[str, Any], paths: Paths) -> FileLock:
    """Plan the input, or go on with the run that has begun."""
    input_name: str = given["input_name"]
    plan_options = options.plan_options(given)
    to = options.destination(given)
    check_can_ask(yes=given["yes"])
    if is_run_file(Path(input_name)):
        return plans.own_as_planned(
            paths.run,
            plan_options,
            endpoint=options.given_endpoint(given),
            org_id=to.org_id,
            base_url=to.base_url,
            campaign=given["campaign"],
        )
    if to.org_id is None:
        raise UsageError("there is no organization id: give it with --org-id; to try things out, use --sandbox")
    address = Address(to.org_id, options.DEFAULT_BASE_URL if to.base_url is None else to.base_url)
    target_of(given, address, plan_options.endpoint)  # before a long plan: are key and address fit for use?
    return plans.reopen(paths.run, input_name, plan_options, address, given["campaign"]) or plans.plan(
        input_name, paths.run, plan_options, address, given["campaign"]
    )


def _send(
    given: dict[str, Any], lock: FileLock, paths: Paths, how: SendOptions, out: Console
) -> tuple[SendReport, ExitCode]:
    with RunReport(paths.run) as run:
        plan, facts = run.plan(how.limit), run.facts
        repeats = plan.tally.statuses[Status.UNKNOWN] if run.is_dedup_proven and how.dedup else 0
    overview, tally = plan.overview, plan.tally
    total, doubtful = overview.rows + repeats, tally.statuses[Status.UNKNOWN]
    target = None
    if overview.rows or doubtful:
        target = target_of(given, Address(facts.org_id, facts.base_url), Endpoint(facts.endpoint))
    _show_plan(plan, facts, target, how, out)
    if not overview.rows:
        out.print("Nothing is left to send." if not doubtful else f"Only {many(doubtful, 'row')} in doubt are left.")
    if overview.rows or doubtful:
        with ExitStack() as stack:
            account = stack.enter_context(hold_account(target, paths.run, out, wait=given["wait"])) if target else None
            if overview.rows and not given["yes"]:
                _ask(overview, out)
            watched = Watched(tally, total, out, given["no_progress"] or not total)
            report = run_loop(sending(lock, account, target, how, watched))
    else:
        report = campaign.nothing_to_send(tally)
    with RunReport(paths.run) as run:
        show.show_report(out, run, report, str(paths.results))
    try:
        campaign.write(paths.run, paths.results)
    except UsageError as error:
        out.print(
            f"{error}. Write them elsewhere: bulksend results {paths.run} -o FILE", style="bold red", soft_wrap=True
        )
        return report, ExitCode.STOPPED
    return report, codes.of_send(report)


def _show_plan(plan: Plan, facts: PlanFacts, target: Target | None, how: SendOptions, out: Console) -> None:
    place = f"{facts.base_url or 'a private sandbox'}, organization {facts.org_id}"
    balance = run_loop(campaign.balance(target)) if target and plan.overview.rows else None
    show.show_plan(out, plan, how, place, balance)
    if not plan.tally.attempts:
        show.show_findings(out, plan.findings)
    if plan.overview.rows:
        show.show_previews(out, plan)
    if how.max_cost is not None and plan.overview.price + plan.tally.charged > how.max_cost:
        out.print(
            f"--max-cost {dollars(how.max_cost)} will stop the run before its end: it is estimated at "
            f"{dollars(plan.overview.price + plan.tally.charged)} in all.",
            style="bold red",
            soft_wrap=True,
        )


def _ask(overview: Overview, out: Console) -> None:
    if not click.confirm(f"Send {many(overview.rows, 'message')} ({show.price_of(overview)})?", err=True):
        out.print("Nothing was sent.")
        raise click.exceptions.Exit(ExitCode.STOPPED)
