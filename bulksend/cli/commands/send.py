"""``bulksend send``: plan, show the price, ask, send, write the results."""

from __future__ import annotations

import time
from dataclasses import replace

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import Ended, Opened, Opener, PlanRequest, SendOptions
from bulksend.cli import options, plan_view, run_view, summary, when_view
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import REHEARSAL, console
from bulksend.cli.detached import check_can_detach, detached
from bulksend.cli.given import FileSettings, PaceSettings, PlanSettings, RepeatSettings, TargetSettings
from bulksend.cli.groups import with_options
from bulksend.cli.joining import joined
from bulksend.cli.monitors import MONITORS, Monitors, MonitorSettings
from bulksend.cli.opening import Asking, check_organization, opener_of
from bulksend.cli.page import Page
from bulksend.cli.question import question_of, tells_a_no
from bulksend.cli.send_options import SEND, SendSettings
from bulksend.cli.sending import (
    WITHHELD,
    EndTold,
    Manners,
    agreed,
    check_at_home,
    check_can_ask,
    check_is_local,
    run_loop,
    target_of,
    target_of_run,
    tell_end,
)
from bulksend.cli.settings import Command
from bulksend.cli.showing import show_before
from bulksend.cli.strictness import check_strict, refused_by
from bulksend.cli.timed import Timed, Timing
from bulksend.cli.values import NAME
from bulksend.cli.when_options import PATIENCE, WHEN, PatienceSettings, WhenSettings
from bulksend.engagespark import Looked
from bulksend.errors import OwnedError, UsageError
from bulksend.reports import check_output, inputs_at
from bulksend.runs import Address, DatabaseRun, Paths, files_of, holds_run, names_run, place_of
from bulksend.when import Schedule, Wanted
from bulksend.words import many


@click.command(
    cls=Command,
    examples=(
        "bulksend send campaign.csv --sandbox",
        "bulksend send campaign.csv --org-id 123 --from ACME --message-file text.txt",
        "bulksend send campaign.csv --test-to 09171234567 --country PH",
        "bulksend send june.run --yes --max-cost 50",
    ),
    exits={
        ExitCode.OK: "every row was sent, or left out on purpose",
        ExitCode.NOT_ALL_SENT: "finished, and some rows were not sent",
        ExitCode.USAGE: "usage or configuration: nothing was sent",
        ExitCode.STOPPED: "stopped early, or no row that was tried was accepted; the same command goes on",
        ExitCode.OWNED: "another process owns the run, or sends for the account",
        ExitCode.INTERRUPTED: "interrupted; the same command goes on",
        ExitCode.TERMINATED: "terminated; the same command goes on",
    },
)
@click.argument("input_name", metavar="INPUT|RUN", type=NAME)
@with_options(
    options.TARGET, options.PLAN, options.PACE, options.REPEATS, options.FILES, WHEN, PATIENCE, SEND, MONITORS
)
def command(
    input_name: str,
    to: TargetSettings,
    planned: PlanSettings,
    paced: PaceSettings,
    again: RepeatSettings,
    files: FileSettings,
    timed: WhenSettings,
    patient: PatienceSettings,
    said: SendSettings,
    watched: MonitorSettings,
) -> ExitCode:
    """Send a campaign: plan INPUT, show the price, ask, send.

    INPUT is a spreadsheet (.csv, .xlsx, .ods, ...), a JSONL file, or - for standard input; a RUN is sent as it is.

    The same command again goes on where the run stopped; what was sent is never sent twice.
    """
    if said.row and not (said.test_to or said.dry_run):
        raise UsageError("--row says whose text --test-to sends, or --dry-run shows: give one of them")
    if said.dry_run and said.test_to:
        raise UsageError("--dry-run sends nothing and --test-to one text: leave one out")
    if said.dry_run:
        from bulksend.cli.commands.estimate import EstimateSettings, estimate  # noqa: PLC0415 -- most sends need neither

        estimating = EstimateSettings(
            limit=said.limit,
            row=said.row,
            output=None,
            save=None,
            quiet=said.quiet,
            verbose=said.verbose,
            as_json=said.as_json,
        )
        return estimate(input_name, to, planned, paced, again, timed, estimating)
    out = console(quiet=said.quiet, verbose=said.verbose)
    if said.test_to is not None:
        from bulksend.cli.trying import send_trial  # noqa: PLC0415 -- see above

        how = replace(paced.options(), dedup=not said.no_dedup, max_cost=said.max_cost)
        return send_trial(
            input_name,
            said.test_to,
            said.row,
            to,
            planned,
            how,
            out,
            yes=said.yes,
            wait=said.wait,
            hides_progress=said.no_progress or said.quiet,
            as_json=said.as_json,
        )
    wanted = timed.wanted()
    paths = Paths.beside(input_name, files.run, files.results, rehearses=to.sandbox)
    if said.detach:
        check_can_detach(to, paths.run, watched)
    if not holds_run(paths.run):  # no run keeps a moment: whether it can be is known before a long plan
        wanted.settled(Schedule(), time.time())
    read = (*files_of(place_of(input_name)), *planned.files, *to.files, *inputs_at(paths.run))
    check_output(paths.results, *files_of(paths.run), *read)
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
    monitors = watched.opened(out, *files_of(paths.run), paths.results, *read)
    opener = opener_of(out, input_name, paths.run, files.results, read, planned, repeat=again.repeat, new=said.new)
    with tells_a_no(as_json=said.as_json):
        return _opened_and_sent(
            input_name, to, planned, opener, out, how, again, wanted, patient.limit_s, said, monitors
        )


def _opened_and_sent(
    input_name: str,
    to: TargetSettings,
    planned: PlanSettings,
    opener: Opener,
    out: Console,
    how: SendOptions,
    again: RepeatSettings,
    wanted: Wanted,
    limit_s: float,
    said: SendSettings,
    monitors: Monitors,
) -> ExitCode:
    hides_progress = said.no_progress or said.quiet
    try:
        opened = _opened(input_name, to, planned, opener, yes=said.yes)
    except OwnedError:
        place = None if said.detach else _sent_by_others(input_name, to, planned, opener)
        if place is None:
            raise
        manners = Manners(
            out, opener.paths(place).results, wait=said.wait, hides_progress=hides_progress, monitors=monitors
        )
        return joined(place, to, replace(how, turn_s=limit_s), manners, yes=said.yes, as_json=said.as_json)
    if opened.is_kept:
        plan_view.tell_of_rates(out, opened.run.place, planned.rates)
    if opened.repeat:
        how = replace(how, repeating=replace(how.repeating, repeat=True))
    manners = Manners(
        out,
        opened.results,
        wait=said.wait,
        hides_progress=hides_progress,
        leaves_out=again.is_said,
        force=said.force,
        monitors=monitors,
    )
    with monitors.telling(opened.run.place), opened.run as run:
        how = campaign.as_last(how, run.facts.address, run.place)
        try:
            check_at_home(run, force=said.force)
            schedule = wanted.settled(run.times.schedule, time.time(), has_begun=run.has_begun)
            told = _send(opened, to, planned, Timing(schedule, limit_s), how, manners, said)
        except BaseException:
            if opened.is_another and not run.has_begun:  # or the next command would take it for agreed
                run.remove()
            raise
        as_object = summary.of_send(run, told, manners.results)
        monitors.ended(as_object, is_rehearsal=run.facts.address.is_rehearsal)
        if said.as_json:
            summary.write_end(as_object)
    return told.code


def _opened(input_name: str, to: TargetSettings, planned: PlanSettings, opener: Opener, *, yes: bool) -> Opened:
    """Plan the input, or go on with the run that has begun."""
    plan_options = planned.options()
    if names_run(place_of(input_name)):
        check_can_ask(yes=yes)
        check_organization(place_of(input_name), to)
        return opener.as_planned(planned.terms(to, plan_options), plan_options.exclusions)
    request = _request(input_name, to, planned)
    check_can_ask(yes=yes)
    to.check(request.address)
    target_of(to, request.address, plan_options.endpoint)  # before a long plan: is the address fit for use?
    return opener.of_input(request)


def _request(input_name: str, to: TargetSettings, planned: PlanSettings) -> PlanRequest:
    org_id, base_url = to.address
    address = Address(org_id or 0, options.DEFAULT_BASE_URL if base_url is None else base_url)
    return planned.request(input_name, planned.options(), address)


def _sent_by_others(
    input_name: str, to: TargetSettings, planned: PlanSettings, opener: Opener
) -> DatabaseRun | None:  # fmt: skip
    """The run that is meant, if it is somebody else's and workers send it."""
    if names_run(place_of(input_name)):
        return campaign.as_planned_by_others(opener.run, planned.terms(to, planned.options()))
    return campaign.sent_by_others(_request(input_name, to, planned), opener.run)


def _send(
    opened: Opened,
    to: TargetSettings,
    planned: PlanSettings,
    timing: Timing,
    how: SendOptions,
    manners: Manners,
    said: SendSettings,
) -> EndTold:
    run, out = opened.run, manners.out
    looked = campaign.look_at_history(run, how.repeating)
    campaign.check_not_lost(run, looked, Asking(out, new=said.new), repeat=opened.repeat)
    plan, facts = run.plan(how.limit, planned.preview), run.facts
    in_doubt = plan.tally.in_doubt
    is_something_left = bool(plan.overview.rows or in_doubt)
    target = None
    if is_something_left:
        target = target_of_run(to, run)
    place = REHEARSAL if facts.address.is_rehearsal else f"{facts.base_url}, organization {facts.org_id}"
    is_refused = planned.strict and bool(refused_by(plan.findings, planned.lint.allow))
    is_new = opened.is_new or not plan.tally.attempts or is_refused
    told = run_loop(campaign.balance(target)) if target and plan.overview.rows else None
    show_before(
        plan, facts.address, place, told, timing.schedule, how, Page(out, verbose=said.verbose), looked, is_new=is_new
    )
    if is_something_left:
        check_strict(plan.findings, planned.lint.allow, is_strict=planned.strict)
    run_view.tell_if_closed(out, run)
    if not plan.overview.rows:
        out.print("Nothing is left to send." if not in_doubt else f"Only {many(in_doubt, 'row')} in doubt are left.")
    if not is_something_left:
        return tell_end(run, Ended(None, plan.tally), manners)
    if told is Looked.REFUSED:
        return tell_end(run, campaign.end_unsent(run, campaign.KEY_REFUSED), manners)
    if told is Looked.WITHHELD:
        out.print(WITHHELD, style="bold red", soft_wrap=True)
    when_view.tell_changed(out, run.times.schedule, timing.schedule, time.time())

    def agree() -> None:
        question = question_of(run, plan, how, when_view.from_words(timing.schedule, time.time()))
        if question and not said.yes and not agreed(question, out):
            raise click.exceptions.Exit(ExitCode.STOPPED)

    if said.detach:
        return detached(run, how, manners, timing.schedule, agree)
    return Timed(run, target, how, manners, timing, plan).send(agree)
