"""``bulksend estimate``: the first phase alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import LookedBack, PlanRequest, SendOptions
from bulksend.cli import options, plan_view, summary, when_view
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.excluded_view import excluded_teller
from bulksend.cli.far_view import far_lines
from bulksend.cli.given import PaceSettings, PlanSettings, RepeatSettings, TargetSettings
from bulksend.cli.groups import Group, with_options
from bulksend.cli.history_view import held_lines
from bulksend.cli.message_view import row_block
from bulksend.cli.next_command import kept_command
from bulksend.cli.options import QUIET, VERBOSE
from bulksend.cli.page import Page
from bulksend.cli.settings import Command, option
from bulksend.cli.strictness import check_strict
from bulksend.cli.values import NAME, PLACE
from bulksend.cli.when_options import WHEN, WhenSettings
from bulksend.engagespark import Balance
from bulksend.errors import OwnedError, RunFileError, UsageError
from bulksend.model import Duplicates, Endpoint, Status
from bulksend.planning import Plan
from bulksend.reports import check_output, check_own, inputs_at, write_estimate
from bulksend.runs import (
    Address,
    Place,
    Run,
    Terms,
    check_replaceable,
    files_of,
    names_run,
    open_run,
    place_of,
    resolved,
)
from bulksend.when import Schedule

_NOBODY = "nobody: this is an estimate"
_NOT_LOOKED = LookedBack()


class EstimateSettings(NamedTuple):
    """What is said of an estimate alone."""

    limit: int | None
    row: int | None
    output: Path | None
    save: Place | None
    quiet: bool
    verbose: bool
    as_json: bool


ESTIMATE = Group(
    "said",
    EstimateSettings,
    (
        option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N rows that can be sent."),
        option("--row", metavar="N", type=click.IntRange(min=1), help="Show the message of this row, too."),
        option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="What each row comes to."),
        option(
            "--save", metavar="RUN", type=PLACE, help="Keep the plan, in a file or a database; `send RUN` sends it."
        ),
        QUIET,
        VERBOSE,
        option("--json", "as_json", is_flag=True, help="One summary object on stdout."),
    ),
)


@click.command(
    cls=Command,
    examples=(
        "bulksend estimate campaign.csv --from ACME --message-file text.txt",
        "bulksend estimate campaign.csv --save june.run",
    ),
    exits={
        ExitCode.OK: "all rows can be sent",
        ExitCode.NOT_ALL_SENT: "some cannot",
        ExitCode.USAGE: "the input cannot be read as a whole, or usage",
    },
)
@click.argument("input_name", metavar="INPUT", type=NAME)
@with_options(options.TARGET, options.PLAN, options.PACE, options.REPEATS, WHEN, ESTIMATE)
def command(
    input_name: str,
    to: TargetSettings,
    planned: PlanSettings,
    paced: PaceSettings,
    again: RepeatSettings,
    timed: WhenSettings,
    said: EstimateSettings,
) -> ExitCode:
    """Plan and price a campaign; send nothing.

    INPUT is a spreadsheet (.csv, .xlsx, .ods, ...), a JSONL file, or - for standard input.
    """
    return estimate(input_name, to, planned, paced, again, timed, said)


def estimate(
    input_name: str,
    to: TargetSettings,
    planned: PlanSettings,
    paced: PaceSettings,
    again: RepeatSettings,
    timed: WhenSettings,
    said: EstimateSettings,
) -> ExitCode:
    """Plan, show the plan, and throw it away unless it is to be saved."""
    place = place_of(input_name)
    out = console(quiet=said.quiet, verbose=said.verbose)
    if said.output:
        check_output(said.output, *files_of(place), *planned.files, *to.files, *inputs_at(place))
        check_own(said.output, None)
    how = replace(paced.options(), limit=said.limit, repeating=again.options())
    org_id, base_url = to.address
    address = Address(org_id or 0, options.DEFAULT_BASE_URL if base_url is None else base_url)
    request = planned.request(input_name, planned.options(), address)
    how = campaign.as_last(how, address)
    kept = campaign.schedule_at(place if names_run(place) else said.save or place)
    schedule = timed.wanted().settled(kept, time.time(), has_begun=True)  # nothing is sent
    estimator = _Estimator(to, planned, how, schedule, said, out, leaves_out=again.is_said)
    if names_run(place):
        if said.save:
            raise UsageError(f"{place}: this is a plan already: leave --save out")
        plan_view.tell_of_rates(estimator.out, input_name, planned.rates)
        return estimator.of_kept(place)
    if said.save:
        return estimator.saved(request, said.save)
    wanted, is_repeated = request.options, how.repeating.exclude_dead or campaign.has_history(address)
    if (
        said.output
        or said.limit
        or said.row
        or wanted.duplicates is Duplicates.SKIP
        or wanted.one_per_number
        or is_repeated
    ):
        # Counting does not do: rows are told one by one, or are left out for what came before them.
        with tempfile.TemporaryDirectory(prefix="bulksend-") as folder:
            temporary = Path(folder) / "estimate.run"
            return estimator.of_plan(request, temporary)
    return estimator.show(campaign.survey(request), address)


@dataclass(frozen=True, slots=True)
class _Estimator:
    """Shows what plans come to."""

    to: TargetSettings
    planned: PlanSettings
    how: SendOptions
    schedule: Schedule
    said: EstimateSettings
    out: Console
    leaves_out: bool

    def of_plan(self, request: PlanRequest, place: Place) -> ExitCode:
        with campaign.plan(request, place) as run:
            looked = campaign.look_at_history(run, self.how.repeating)
            if self.schedule != run.times.schedule:
                run.times.keep(self.schedule)
        return self.of_run(place, looked)

    def saved(self, request: PlanRequest, place: Place) -> ExitCode:
        if resolved(place) == resolved(place_of(request.input_name)):
            raise UsageError(f"{place}: this is the input itself: name another file for the plan (--save)")
        check_replaceable(place)
        code = self.of_plan(request, place)
        self.out.print(f"The plan is kept in {place}: `{kept_command(f'{place}')}` sends exactly this.", soft_wrap=True)
        return code

    def of_kept(self, place: Place) -> ExitCode:
        """A plan that was kept, compared with what was sent since; a run that has begun stands as it is."""
        looked = _NOT_LOOKED
        with open_run(place) as run:
            is_plan = not run.has_begun and bool(run.facts.base_url and run.facts.org_id)
        if is_plan:
            try:
                tell = excluded_teller(self.out, is_list_said=False)
                with campaign.own_as_planned(place, Terms(), tell=tell) as own:
                    looked = campaign.look_at_history(own, self.how.repeating)
            except (OwnedError, RunFileError) as error:
                self.out.print(f"Not compared with what was sent, or who opted out, since: {error}.", soft_wrap=True)
        return self.of_run(place, looked)

    def of_run(self, place: Place, looked: LookedBack = _NOT_LOOKED) -> ExitCode:
        with open_run(place) as run:
            campaign.check_not_purged(run)
            facts = run.facts
            row = self._row(run)
            code = self.show(run.plan(self.how.limit, self.planned.preview), facts.address, looked, row)
            self._write_rows(run)
        return code

    def show(
        self, plan: Plan, address: Address, looked: LookedBack = _NOT_LOOKED, row: Sequence[str] = ()
    ) -> ExitCode:  # fmt: skip
        """Show what a plan comes to, and the message of the row that is asked for."""
        balance = self._balance(address)
        page = Page(self.out, verbose=self.said.verbose)
        now_s = time.time()
        findings = campaign.with_hours(plan.findings, plan, self.how, address, self.schedule, now_s)
        held = [*far_lines(), *held_lines(looked, self.how.repeating)]
        when = when_view.plan_rows(self.schedule, plan.overview, self.how, now_s)
        plan_view.show_plan(page, plan, self.how, _NOBODY, balance, findings, held, when)
        for line in row:
            page.print(line)
        check_strict(plan.findings, self.planned.lint.allow, is_strict=self.planned.strict)
        if self.said.as_json:
            summary.write(summary.of_estimate(plan, self.how, self.schedule, now_s, balance))
        is_all = not plan.tally.statuses[Status.INVALID] and (self.leaves_out or not plan.tally.left_out)
        return ExitCode.OK if is_all else ExitCode.NOT_ALL_SENT

    def _row(self, run: Run) -> list[str]:
        if self.said.row is None:
            return []
        for found in run.told([self.said.row]):
            return row_block(Page(self.out, verbose=self.said.verbose), found, run.lines())
        raise UsageError(f"there is no row {self.said.row}: the input has {run.tally().rows:,}")

    def _write_rows(self, run: Run) -> None:
        if self.said.output:
            write_estimate(run, self.said.output)
            self.out.print(f"What each row comes to is in {self.said.output}.", soft_wrap=True)

    def _balance(self, address: Address) -> Balance | None:
        """What the account holds, if it is known whose it is; an estimate needs no key."""
        key = self.to.key_if_any() if address.org_id and address.base_url else None
        if key is None:
            return None
        from bulksend.cli.sending import run_loop  # noqa: PLC0415 -- most estimates need no HTTP client
        from bulksend.engagespark import Looked, Target  # noqa: PLC0415

        target = Target(address.base_url, address.org_id, Endpoint.CONTACT, key)
        told = run_loop(campaign.balance(target))
        if told is Looked.REFUSED:
            self.out.print("The API refused the key (401): what the account holds is not known.", style="bold red")
        return told if isinstance(told, Balance) else None
