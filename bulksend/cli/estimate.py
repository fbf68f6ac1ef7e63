"""``bulksend estimate``: the first phase alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from bulksend import plans
from bulksend.campaign import SendOptions
from bulksend.cli import options, show, summary
from bulksend.cli.settings import Command, option
from bulksend.model import ExitCode, Status
from bulksend.plans import Address
from bulksend.report import RunReport
from bulksend.results import check_output, write_estimate
from bulksend.runfile import is_run_file


@click.command(cls=Command)
@click.argument("input_name", metavar="INPUT")
@options.with_options(
    options.PLAN_OPTIONS,
    options.PACE_OPTIONS,
    (
        option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="What each row comes to."),
        option("--json", "as_json", is_flag=True, help="One summary object on stdout."),
    ),
)
def command(**given: Any) -> ExitCode:
    """Plan and price a campaign; send nothing. INPUT is a CSV or JSONL file, or - for standard input."""
    return run(given)


def run(given: dict[str, Any]) -> ExitCode:
    """Plan into a folder of its own that is thrown away, and show the plan."""
    output: Path | None = given.get("output")
    if output:
        check_output(output, Path(given["input_name"]))
    how = SendOptions(options.pace(given), options.caps(given), given["cap_counts"] == "parts", given.get("limit"))
    if is_run_file(Path(given["input_name"])):
        return _show(given, Path(given["input_name"]), how, output)
    with tempfile.TemporaryDirectory(prefix="bulksend-") as folder:
        path = Path(folder) / "estimate.run"
        nowhere = Address(given.get("org_id") or 0, given.get("base_url") or options.DEFAULT_BASE_URL)
        plans.plan(given["input_name"], path, options.plan_options(given), nowhere).release()
        return _show(given, path, how, output)


def _show(given: dict[str, Any], path: Path, how: SendOptions, output: Path | None) -> ExitCode:
    out = show.console()
    with RunReport(path) as run:
        tally, overview = run.tally(), run.overview(how.limit)
        show.show_plan(out, run, overview, how, "nobody: this is an estimate")
        show.show_previews(out, run)
        if output:
            write_estimate(run, output)
            out.print(f"What each row comes to is in {output}.", soft_wrap=True)
    if given["as_json"]:
        summary.write(summary.of_estimate(tally, overview, how))
    return ExitCode.NOT_ALL_SENT if tally.statuses[Status.INVALID] else ExitCode.OK
