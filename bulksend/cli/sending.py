"""A run is sent from the command line: watched, stopped by signals, told of, and its results written."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from rich.console import Console

from bulksend import campaign
from bulksend.campaign import CampaignEvent, Ended, Ending, SendOptions, Tell, ending_of
from bulksend.cli import codes
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import confirmed, tell_error
from bulksend.cli.ending_view import reason_of, show_ending
from bulksend.cli.given import TargetSettings
from bulksend.cli.next_command import next_command, rewrite_command
from bulksend.cli.run_view import stopped
from bulksend.cli.signals import as_loops_know_it, ends_in_peace, stop_on_signals
from bulksend.cli.watch import Watch
from bulksend.engagespark import DEFAULT_BASE_URL, Target
from bulksend.errors import Question, UndecidedError, UsageError
from bulksend.model import Endpoint
from bulksend.reports import renew_results
from bulksend.runs import Account, Address, DatabaseRun, OwnRun, Place, Run, place_of
from bulksend.sending import Listener, Stopping

if TYPE_CHECKING:
    from bulksend.cli.monitors import Monitors

T = TypeVar("T")
Sending: TypeAlias = Callable[[Stopping, Tell, Listener | None], Coroutine[Any, Any, Ended]]
"""Sends until the end that is asked for, and tells how it goes."""

WITHHELD = (
    "The server does not show the balance to this key (403): check the API key and --org-id, or the first message may "
    "be refused."
)

_MANY_ROWS = 100_000  # so that their results are not written in a moment


class Manners(NamedTuple):
    """How a send from the command line behaves.

    Attributes:
        out: where it talks.
        results: where its results go.
        wait: whether it waits for the account's other run.
        hides_progress: whether it shows none.
        leaves_out: whether what history holds is left out on purpose.
        force: whether it is sent wherever the account lives.
        monitors: the programs that are told; None if none is.
    """

    out: Console
    results: Path
    wait: bool
    hides_progress: bool
    leaves_out: bool = False
    force: bool = False
    monitors: Monitors | None = None


class EndTold(NamedTuple):
    """How a send ended, as it was told.

    Attributes:
        ending: how.
        code: the program's exit code.
        reason: why not all was done, in a sentence; None if it was.
        command: what comes next; empty for nothing.
    """

    ending: Ending
    code: ExitCode
    reason: str | None
    command: str


def target_of(to: TargetSettings, address: Address, endpoint: Endpoint) -> Target | None:
    """Where to send, or None for a private sandbox that is still to be started."""
    if not address.base_url:
        return None
    return Target(address.base_url, address.org_id, endpoint, to.key())


def target_of_run(to: TargetSettings, run: Run) -> Target | None:
    """Where a run goes, or None for a private sandbox that is still to be started.

    Raises:
        UsageError: see `check_own_address`; or there is no key.
    """
    check_own_address(to, run)
    return target_of(to, run.facts.address, Endpoint(run.facts.endpoint))


def check_own_address(to: TargetSettings, run: Run) -> None:
    """See that a key goes where one's own settings say, and not where only a database does.

    Raises:
        UsageError: the run lies in a database, and goes elsewhere.
    """
    facts, own = run.facts, (to.base_url or DEFAULT_BASE_URL).rstrip("/")
    if isinstance(place_of(run.place), DatabaseRun) and facts.address.base_url not in {"", own}:
        raise UsageError(
            f"{run.place}: this run goes to {facts.base_url}, and your settings say {own}: no database decides where a "
            f"key goes. If that is where yours belongs, say --base-url {facts.base_url}"
        )


def check_is_local(place: Place, *, force: bool) -> None:
    """See that a run's file, if it has one, lies where its lock holds against everybody.

    Raises:
        UsageError: it lies on a network file system, and --force is not given.
    """
    if force:
        return
    try:
        campaign.check_is_local(place)
    except UndecidedError as error:
        raise UsageError(
            f"{error}: keep it on a disk of this machine (`send` names it with --run), or say --force if only this "
            "machine uses it"
        ) from error


def check_at_home(run: Run, *, force: bool) -> None:
    """See that a run lies where its account lives.

    Raises:
        UsageError: it does not, and --force is not given.
    """
    if force:
        return
    try:
        campaign.check_at_home(run)
    except UndecidedError as error:
        says = "send a run there (`send` names it with --run), or say --force if the account lives there no more"
        if error.question is Question.FILES:
            to = run.facts.address
            words = ["bulksend", "database", "init", run.place.partition("#")[0], "--org-id", str(to.org_id)]
            if to.base_url != DEFAULT_BASE_URL:
                words += ["--base-url", to.base_url]
            says = f"bring it there ({shlex.join(words)}), or say --force if it counts no more"
        raise UsageError(f"{error}: {says}") from error


def check_can_ask(*, yes: bool) -> None:
    """See that a question can be asked, or need not be.

    Raises:
        UsageError: there is no terminal, and --yes is not given.
    """
    if not yes and not has_terminal():
        raise UsageError("nothing was sent: without a terminal to ask on, --yes is needed")


def has_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str, out: Console) -> bool:
    """Ask whether to go on."""
    if confirmed(question, out):
        return True
    out.print("Nothing was sent.")
    return False


def send_and_tell(
    run: OwnRun, account: Account | None, target: Target | None, how: SendOptions, manners: Manners
) -> EndTold:
    """Send a run, write its results, and show how it went."""
    return tell_end(run, send_monitored(run, account, target, how, manners), manners)


def send_monitored(
    run: OwnRun, account: Account | None, target: Target | None, how: SendOptions, manners: Manners
) -> Ended:  # fmt: skip
    """Send a run while its progress is shown, monitors are told, and signals are heard."""
    watch = Watch(manners.out, hides_progress=manners.hides_progress)
    return run_loop(watched(partial(campaign.send, run, account, target, how), watch, manners.monitors))


def send_watched(
    run: OwnRun, account: Account | None, target: Target | None, how: SendOptions, out: Console, *, hides_progress: bool
) -> Ended:  # fmt: skip
    """Send a run while its progress is shown and signals are heard."""
    watch = Watch(out, hides_progress=hides_progress)
    return run_loop(watched(partial(campaign.send, run, account, target, how), watch))


def tell_end(run: OwnRun, ended: Ended, manners: Manners) -> EndTold:
    """Write the results of a send, and show how it went."""
    return tell_end_of(run, ended, manners, lambda: renew_results(run, manners.results))


def tell_end_of(run: Run, ended: Ended, manners: Manners, write: Callable[[], Path | None]) -> EndTold:
    """Write the results of a run, which may be somebody else's, and show how a send of it went."""
    says = "It has ended, and its results are being written: Ctrl-C again leaves them as they were."
    with ends_in_peace(lambda: manners.out.print(says, soft_wrap=True)):
        return _told(run, ended, manners, write)


def _told(run: Run, ended: Ended, manners: Manners, write: Callable[[], Path | None]) -> EndTold:
    if ended.tally.rows >= _MANY_ROWS:
        manners.out.print(f"Writing the results of {ended.tally.rows:,} rows ...")
    fault = _write(manners, write)
    ending = ending_of(run, ended)
    command = next_command(ending, run.place) if fault is None else rewrite_command(run.place)
    leaves_out = manners.leaves_out
    show_ending(manners.out, run, ending, fault or manners.results, command, leaves_out=leaves_out)
    code = codes.of_end(ended, leaves_out=leaves_out) if fault is None else ExitCode.STOPPED
    reason = reason_of(ending, leaves_out=leaves_out) if fault is None else f"{fault}"
    if manners.out.quiet and code is not ExitCode.OK and code is not ExitCode.NOT_ALL_SENT:
        why = f"stopped early: {stopped(ended.stop, manners.out)}" if fault is None and ended.stop else reason
        tell_error(manners.out, f"{run.place}: {why}")
    return EndTold(ending, code, reason, command)


def is_written(run: OwnRun, manners: Manners) -> bool:
    """Write the results; False, and what to do, if they cannot be written where they were to go."""
    fault = _write(manners, lambda: renew_results(run, manners.results))
    if fault is not None:
        tell_error(manners.out, f"{fault}. Write them elsewhere: {rewrite_command(run.place)}")
    return fault is None


def _write(manners: Manners, write: Callable[[], Path | None]) -> UsageError | None:
    """Write the results; why they cannot be written where they were to go."""
    try:
        tell_kept(manners.out, write())
    except UsageError as error:
        return error
    return None


def tell_kept(out: Console, aside: Path | None) -> None:
    """Say where results are now that were in the way of others."""
    if aside is not None:
        out.print(f"The results of a run whose file is gone are kept in {aside}.", soft_wrap=True)


async def watched(send: Sending, watch: Watch, monitors: Monitors | None = None) -> Ended:
    """Have something sent while its progress is shown, monitors are told, and signals are heard."""

    def hear(event: CampaignEvent) -> None:
        watch.hear(event)
        if monitors is not None:
            monitors.hear(event)

    stopping = Stopping()
    try:
        with stop_on_signals(stopping, watch.close):
            return await send(stopping, hear, None if monitors is None else monitors.listener)
    finally:
        watch.close()


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the fastest event loop there is."""
    with as_loops_know_it(), asyncio.Runner(loop_factory=campaign.loop_factory()) as runner:
        return runner.run(work)
