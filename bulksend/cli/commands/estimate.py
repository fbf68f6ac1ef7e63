"""``bulksend estimate``: the first phase alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bulksend.cli import options, show, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.settings import Command, option
from bulksend.engagespark import Balance
from bulksend.errors import UsageError
from bulksend.model import Duplicates, Endpoint, Status
from bulksend.planning import planning as plans
from bulksend.planning.overview import Plan
from bulksend.planning.planner import PlanOptions
from bulksend.planning.planning import Address
from bulksend.reports.results import check_output, write_estimate
from bulksend.runs.sqlite.file import is_run_file
from bulksend.runs.sqlite.reader import RunReport
from bulksend.sending import SendOptions


@click.command(cls=Command)
@click.argument("input_name", metavar="INPUT")
@options.with_options(
    options.TARGET_OPTIONS,
    options.PLAN_OPTIONS,
    options.PACE_OPTIONS,
    (
        option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N rows that can be sent."),
        option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="What each row comes to."),
        option(
            "--save", metavar="RUNFILE", type=click.Path(path_type=Path), help="Keep the plan; `send RUNFILE` sends it."
        ),
        option("--json", "as_json", is_flag=True, help="One summary object on stdout."),
    ),
)
def command(**given: Any) -> ExitCode:
    """Plan and price a campaign; send nothing.

    INPUT is a spreadsheet (.csv, .xlsx, .ods, ...), a JSONL file, or - for standard input.
    """
    return run(given)


def run(given: dict[str, Any]) -> ExitCode:
    """Plan, show the plan, and throw it away unless it is to be saved."""
    output, saved = given.get("output"), given.get("save")
    path = Path(given["input_name"])
    if output:
        check_output(output, path, *options.files_read(given))
    how = SendOptions(options.pace(given), options.caps(given), given["cap_counts"] == "parts", given["limit"])
    plan_options = options.plan_options(given)
    to = options.destination(given)
    address = Address(to.org_id or 0, options.DEFAULT_BASE_URL if to.base_url is None else to.base_url)
    out = show.console()
    if is_run_file(path):
        if saved:
            raise UsageError(f"{path}: this is a plan already: leave --save out")
        return _of_run(given, path, how, out)
    if saved:
        if saved.resolve() == path.resolve():
            raise UsageError(f"{saved}: this is the input itself: name another file for the plan (--save)")
        plans.check_replaceable(saved)
        plans.plan(given["input_name"], saved, plan_options, address, given["campaign"]).release()
        code = _of_run(given, saved, how, out)
        out.print(f"The plan is kept in {saved}: `bulksend send {saved}` sends exactly this.", soft_wrap=True)
        return code
    if _needs_rows(given, plan_options):
        with tempfile.TemporaryDirectory(prefix="bulksend-") as folder:
            temporary = Path(folder) / "estimate.run"
            plans.plan(given["input_name"], temporary, plan_options, address).release()
            return _of_run(given, temporary, how, out)
    return _show(given, plans.survey(given["input_name"], plan_options), address, how, out)


def _needs_rows(given: dict[str, Any], plan_options: PlanOptions) -> bool:
    """Whether counting does not do: rows are to be told one by one, or are left out for what came before them."""
    return bool(given.get("output") or given["limit"] or plan_options.duplicates is Duplicates.SKIP)


def _of_run(given: dict[str, Any], path: Path, how: SendOptions, out: Console) -> ExitCode:
    with RunReport(path) as run:
        facts = run.facts
        code = _show(given, run.plan(how.limit), Address(facts.org_id, facts.base_url), how, out)
        if output := given.get("output"):
            write_estimate(run, output)
            out.print(f"What each row comes to is in {output}.", soft_wrap=True)
    return code


def _show(given: dict[str, Any], plan: Plan, address: Address, how: SendOptions, out: Console) -> ExitCode:
    balance = _balance(given, address)
    show.show_plan(out, plan, how, "nobody: this is an estimate", balance)
    show.show_findings(out, plan.findings)
    show.show_previews(out, plan)
    if given["as_json"]:
        summary.write(summary.of_estimate(plan, how, balance))
    return ExitCode.NOT_ALL_SENT if plan.tally.statuses[Status.INVALID] else ExitCode.OK


def _balance(given: dict[str, Any], address: Address) -> Balance | None:
    """What the account holds, if it is known whose it is; an estimate needs no key."""
    key = options.key_if_any(given)
    if not (address.org_id and address.base_url and key):
        return None
    from bulksend import campaign  # noqa: PLC0415 -- most estimates need no HTTP client, which takes long to import
    from bulksend.cli.sending import run_loop  # noqa: PLC0415
    from bulksend.engagespark import Target  # noqa: PLC0415

    return run_loop(campaign.balance(Target(address.base_url, address.org_id, Endpoint.CONTACT, key)))
