"""``bulksend send``: plan, show the price, ask, send, write the results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import Ended, LookedBack, SendOptions
from bulksend.cli import options, plan_view, run_view, summary
from bulksend.cli.codes import ExitCode
from bulksend.cli.commands.estimate import EstimateSettings, estimate
from bulksend.cli.console import REHEARSAL, console
from bulksend.cli.earlier import check_not_lost, check_not_sent
from bulksend.cli.given import FileSettings, PaceSettings, PlanSettings, RepeatSettings, TargetSettings
from bulksend.cli.groups import Group, with_options
from bulksend.cli.history_view import held_lines
from bulksend.cli.options import VERBOSE
from bulksend.cli.page import Page
from bulksend.cli.sending import (
    Manners,
    agreed,
    check_can_ask,
    check_is_local,
    run_loop,
    send_and_tell,
    target_of,
    tell_end,
)
from bulksend.cli.settings import Command, option
from bulksend.cli.trying import send_trial
from bulksend.cli.values import ERROR_LIMIT, USD
from bulksend.cli.watch import Watch
from bulksend.engagespark import Balance, Target
from bulksend.errors import Advice, UsageError
from bulksend.model import Endpoint, MicroUSD
from bulksend.planning import Plan
from bulksend.reports import check_output, check_own, inputs_at
from bulksend.runs import Address, OwnRun, Paths, is_run_file
from bulksend.sending import ErrorLimit
from bulksend.sms import dollars
from bulksend.words import many


@dataclass(frozen=True, slots=True)
class SendSettings:
    """What is said of this send alone."""

    max_cost: MicroUSD | None
    max_errors: ErrorLimit | None
    no_dedup: bool
    history_days: int
    limit: int | None
    test_to: str | None
    row: int | None
    wait: bool
    force: bool
    dry_run: bool
    yes: bool
    no_progress: bool
    verbose: bool
    as_json: bool


SEND = Group(
    "said",
    SendSettings,
    (
        option("--max-cost", metavar="USD", type=USD, help="Stop before the run costs more."),
        option(
            "--max-errors",
            metavar="N|N%",
            type=ERROR_LIMIT,
            help="Stop when more rows than this could not be sent; a share is judged from the 100th row on.",
        ),
        option("--no-dedup", is_flag=True, help="Send no clientDedup: what may have been accepted is never repeated."),
        option(
            "--history-days",
            metavar="N",
            type=click.IntRange(min=1),
            default=400,
            show_default=True,
            help="For how long it is kept who got what.",
        ),
        option("--limit", metavar="N", type=click.IntRange(min=1), help="Only the first N pending rows: a test send."),
        option("--test-to", metavar="NUMBER", help="Send one row's real text to your own phone, no part of the run."),
        option(
            "--row", metavar="N", type=click.IntRange(min=1), help="Whose text; the first that can be sent if unsaid."
        ),
        option("--wait", is_flag=True, help="If another run of the account is sending, wait until it has ended."),
        option("--force", is_flag=True, help="The run file lies on a network file system, where locks may not hold."),
        option("--dry-run", is_flag=True, help="Plan and price only, as `bulksend estimate` does."),
        option("--yes", "-y", is_flag=True, help="Send without asking."),
        option("--no-progress", is_flag=True, help="Show no progress."),
        VERBOSE,
        option("--json", "as_json", is_flag=True, help="One summary object on stdout."),
    ),
)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Which questions are answered already."""

    yes: bool
    repeat: bool


@click.command(cls=Command)
@click.argument("input_name", metavar="INPUT|RUNFILE")
@with_options(options.TARGET, options.PLAN, options.PACE, options.REPEATS, options.FILES, SEND)
def command(
    input_name: str,
    to: TargetSettings,
    planned: PlanSettings,
    paced: PaceSettings,
    again: RepeatSettings,
    files: FileSettings,
    said: SendSettings,
) -> ExitCode:
    """Send a campaign: plan INPUT, show the price, ask, send.

    INPUT is a spreadsheet (.csv, .xlsx, .ods, ...), a JSONL file, or - for standard input; a RUNFILE is sent as it is.

    The same command again goes on where the run stopped; what was sent is never sent twice.
    """
    if said.row and not said.test_to:
        raise UsageError("--row says whose text --test-to sends: give both")
    if said.dry_run and said.test_to:
        raise UsageError("--dry-run sends nothing and --test-to one text: leave one out")
    if said.dry_run:
        estimating = EstimateSettings(
            limit=said.limit, output=None, save=None, verbose=said.verbose, as_json=said.as_json
        )
        return estimate(input_name, to, planned, paced, again, estimating)
    if said.test_to is not None:
        how = replace(paced.options(), dedup=not said.no_dedup, max_cost=said.max_cost)
        return send_trial(
            input_name,
            said.test_to,
            said.row,
            to,
            planned,
            how,
            yes=said.yes,
            wait=said.wait,
            hides_progress=said.no_progress,
            as_json=said.as_json,
        )
    paths = Paths.beside(input_name, files.run, files.results, rehearses=to.sandbox)
    read = (Path(input_name), *planned.files, *to.files, *inputs_at(paths.run))
    check_output(paths.results, paths.run, *read)
    check_own(paths.results, paths.run)
    check_is_local(paths.run, force=said.force)
    how = replace(
        paced.options(),
        limit=said.limit,
        dedup=not said.no_dedup,
        max_cost=said.max_cost,
        max_errors=said.max_errors,
        repeating=again.options(),
        history_days=said.history_days,
    )
    manners = Manners(
        console(), paths.results, wait=said.wait, hides_progress=said.no_progress, leaves_out=again.is_said
    )
    asking = _Asking(yes=said.yes, repeat=again.repeat)
    run, asking = _opened(input_name, to, planned, paths, asking, manners.out)
    if asking.repeat:
        how = replace(how, repeating=replace(how.repeating, repeat=True))
    with run:
        ended, code = _send(run, to, how, manners, asking, verbose=said.verbose)
        if said.as_json:
            summary.write(summary.of_send(run, ended, code, paths.results))
    return code


def _opened(
    input_name: str, to: TargetSettings, planned: PlanSettings, paths: Paths, asking: _Asking, out: Console
) -> tuple[OwnRun, _Asking]:  # fmt: skip
    """Plan the input, or go on with the run that has begun; and what was answered on the way."""
    if not is_run_file(Path(input_name)):
        return _planned(input_name, to, planned, paths, asking, out)
    terms = planned.terms(to)
    check_can_ask(yes=asking.yes)
    run = campaign.own_as_planned(paths.run, terms)
    try:
        if not run.has_begun and run.facts.base_url:
            asking = replace(asking, repeat=check_not_sent(paths, out, repeat=asking.repeat))
    except BaseException:
        run.close()
        raise
    plan_view.tell_of_rates(out, run.place, planned.rates)
    return run, asking


def _planned(
    input_name: str, to: TargetSettings, planned: PlanSettings, paths: Paths, asking: _Asking, out: Console
) -> tuple[OwnRun, _Asking]:  # fmt: skip
    plan_options = planned.options()
    org_id, base_url = to.address
    check_can_ask(yes=asking.yes)
    if org_id is None:
        raise UsageError("there is no organization id", Advice.GIVE_ORGANIZATION)
    address = Address(org_id, options.DEFAULT_BASE_URL if base_url is None else base_url)
    target_of(to, address, plan_options.endpoint)  # before a long plan: are key and address fit for use?
    request = planned.request(input_name, plan_options, address)
    if begun := campaign.reopen(request, paths.run):
        plan_view.tell_of_rates(out, begun.place, planned.rates)
        return begun, asking
    if address.base_url:
        asking = replace(asking, repeat=check_not_sent(paths, out, repeat=asking.repeat))
    return campaign.plan(request, paths.run), asking


def _send(
    run: OwnRun, to: TargetSettings, how: SendOptions, manners: Manners, asking: _Asking, *, verbose: bool
) -> tuple[Ended, ExitCode]:  # fmt: skip
    looked, out = campaign.look_at_history(run, how.repeating), manners.out
    check_not_lost(run, looked, out, repeat=asking.repeat)
    plan, facts = run.plan(how.limit), run.facts
    in_doubt = plan.tally.in_doubt
    is_something_left = bool(plan.overview.rows or in_doubt)
    target = None
    if is_something_left:
        target = target_of(to, facts.address, Endpoint(facts.endpoint))
    place = REHEARSAL if facts.address.is_rehearsal else f"{facts.base_url}, organization {facts.org_id}"
    _show_plan(plan, place, target, how, Page(out, verbose=verbose), looked)
    run_view.tell_if_closed(out, run)
    if not plan.overview.rows:
        out.print("Nothing is left to send." if not in_doubt else f"Only {many(in_doubt, 'row')} in doubt are left.")
    if not is_something_left:
        ended = Ended(None, plan.tally)
        return ended, tell_end(run, ended, manners)
    watch = Watch(out, hides_progress=True)
    with campaign.held_account(target, run, watch.hear, wait=manners.wait) as account:
        question = _question(run, plan, how)
        if question and not asking.yes and not agreed(question, out):
            raise click.exceptions.Exit(ExitCode.STOPPED)
        return send_and_tell(run, account, target, how, manners)


def _question(run: OwnRun, plan: Plan, how: SendOptions) -> str:
    """What is about to happen, as a question; empty if nothing is to go out."""
    rows = plan.overview.rows
    if not rows:
        return ""
    repeats = campaign.repeats_max(run, plan.tally, rows, how)
    settle = f", and repeat {many(repeats, 'row')} in doubt where that is safe" if repeats else ""
    where = " to a private sandbox, as a rehearsal" if run.facts.address.is_rehearsal else ""
    return f"Send {many(rows, 'message')}{where} ({plan_view.price_of(plan.overview)}){settle}?"


def _show_plan(
    plan: Plan, place: str, target: Target | None, how: SendOptions, page: Page, looked: LookedBack
) -> None:  # fmt: skip
    told = run_loop(campaign.balance(target)) if target and plan.overview.rows else None
    findings = None if plan.tally.attempts else plan.findings
    held = held_lines(looked, how.repeating)
    plan_view.show_plan(page, plan, how, place, told if isinstance(told, Balance) else None, findings, held)
    if how.max_cost is not None and plan.overview.price + plan.tally.charged > how.max_cost:
        page.print(
            f"--max-cost {dollars(how.max_cost)} will stop the run before its end: it is estimated at "
            f"{dollars(plan.overview.price + plan.tally.charged)} in all.",
            "bold red",
        )
