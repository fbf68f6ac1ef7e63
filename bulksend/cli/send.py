"""``bulksend send``: plan, show the price, ask, send, write the results."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bulksend import campaign
from bulksend.account import Account
from bulksend.api import Target
from bulksend.campaign import Address, Paths, SendOptions, SendReport
from bulksend.cli import estimate, options, show, summary
from bulksend.cli.progress import watch
from bulksend.cli.settings import Command, option
from bulksend.engine import Engine
from bulksend.errors import OwnedError, UsageError
from bulksend.lock import FileLock, network_kind
from bulksend.model import Endpoint, ExitCode, PhoneNumber, Status
from bulksend.pricing import dollars
from bulksend.report import Overview, RunReport
from bulksend.results import check_output
from bulksend.runfile import is_run_file

_WAIT_S = 0.5


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
    """Send a campaign: plan INPUT (a CSV or JSONL file, or - for standard input), show the price, ask, send.

    The same command again goes on where the run stopped; what was sent is never sent twice.
    """
    if given["dry_run"]:
        return estimate.run(given)
    paths = Paths.beside(given["input_name"], given["run"], given["results"])
    check_output(paths.results, paths.run, Path(given["input_name"]))
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
        report = _send(given, lock, paths, how, show.console())
    if given["as_json"]:
        summary.write(summary.of_send(paths.run, report))
    return report.exit_code


def _open(given: dict[str, Any], paths: Paths) -> FileLock:
    """Plan the input, or go on with the run that has begun."""
    input_name: str = given["input_name"]
    plan_options = options.plan_options(given)
    to = options.destination(given)
    if is_run_file(Path(input_name)):
        return campaign.own_as_planned(paths.run, plan_options, to.org_id, to.base_url, given["campaign"])
    if to.org_id is None:
        raise UsageError("there is no organization id: give it with --org-id; to try things out, use --sandbox")
    address = Address(to.org_id, options.DEFAULT_BASE_URL if to.base_url is None else to.base_url)
    _target(given, address, plan_options.endpoint)  # before a long plan: is there a key, and is the address fit for it?
    return campaign.reopen(paths.run, input_name, plan_options, address, given["campaign"]) or campaign.plan(
        input_name, paths.run, plan_options, address, given["campaign"]
    )


def _target(given: dict[str, Any], address: Address, endpoint: Endpoint) -> Target | None:
    """Where to send, or None for a private sandbox that is still to be started."""
    if not address.base_url:
        return None
    return Target(address.base_url, address.org_id, endpoint, options.key(given))


def _send(given: dict[str, Any], lock: FileLock, paths: Paths, how: SendOptions, out: Console) -> SendReport:
    with RunReport(paths.run) as run:
        overview, tally, facts = run.overview(), run.tally(), run.facts
        place = f"{facts.base_url or 'a private sandbox'}, organization {facts.org_id}"
        show.show_plan(out, run, overview, how, place)
        if overview.rows:
            show.show_previews(out, run)
    total = min(overview.rows, how.limit or overview.rows) + tally.statuses[Status.UNKNOWN]
    if total:
        target = _target(given, Address(facts.org_id, facts.base_url), Endpoint(facts.endpoint))
        with ExitStack() as stack:
            account = stack.enter_context(_account(target, paths.run, out, wait=given["wait"])) if target else None
            if not given["yes"]:
                _ask(total, overview, out)
            watched = _Watched(total, out, given["no_progress"])
            report = _run(_sending(lock, account, target, how, watched))
    else:
        out.print("Nothing is left to send.")
        report = campaign.nothing_to_send(tally)
    campaign.write(paths.run, paths.results)
    with RunReport(paths.run) as run:
        show.show_report(out, run, report, str(paths.results))
    return report


def _account(target: Target, run: Path, out: Console, *, wait: bool) -> Account:
    """What outlives the run; one run of an account at a time."""
    said = False
    while True:
        try:
            return Account(target.base_url, target.org_id, run)
        except OwnedError as error:
            if not wait:
                raise
            if not said:
                out.print(f"Waiting: {error}", soft_wrap=True)
                said = True
            time.sleep(_WAIT_S)


def _ask(total: int, overview: Overview, out: Console) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nothing was sent: without a terminal to ask on, --yes is needed")
    if not click.confirm(f"Send {total:,} messages for {show.price_of(overview)}?", err=True):
        out.print("Nothing was sent.")
        raise click.exceptions.Exit(ExitCode.STOPPED)


def _run(sending: Coroutine[Any, Any, SendReport]) -> SendReport:
    try:
        import uvloop  # noqa: PLC0415 -- not on Windows
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(sending)


@dataclass(frozen=True, slots=True)
class _Watched:
    total: int
    out: Console
    hidden: bool


async def _sending(
    lock: FileLock, account: Account | None, target: Target | None, how: SendOptions, watched: _Watched
) -> SendReport:
    begun: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
    async with _reachable(target, lock, how, watched.out) as reachable, asyncio.TaskGroup() as group:
        watcher = group.create_task(_watch(begun, watched))
        try:
            return await campaign.send(lock, account, reachable, how, begun.set_result)
        finally:
            watcher.cancel()


async def _watch(begun: asyncio.Future[Engine], watched: _Watched) -> None:
    if not watched.hidden:
        await watch(await begun, watched.total, watched.out)


@asynccontextmanager
async def _reachable(target: Target | None, lock: FileLock, how: SendOptions, out: Console) -> AsyncIterator[Target]:
    """The target itself, or a private sandbox that lives as long as the run."""
    if target is not None:
        yield target
        return
    from bulksend.sandbox import Sandbox, SandboxOptions  # noqa: PLC0415 -- only a trial needs the server

    with RunReport(lock.path) as run:
        facts = run.facts
    settings = SandboxOptions(org_id=facts.org_id)
    if cap := how.caps.of(PhoneNumber("639")):
        settings = replace(settings, cap_count=cap.count, cap_window_s=cap.window_s)
    async with Sandbox(settings) as sandbox:
        yield Target(sandbox.base_url, facts.org_id, Endpoint(facts.endpoint), settings.token)
        seen = sandbox.summary()
        out.print(
            f"The sandbox took {seen.accepted:,} messages for {dollars(settings.balance_micro - seen.balance_micro)}"
            f" and lost {seen.lost:,} of them to the telcos' cap.",
            soft_wrap=True,
        )
