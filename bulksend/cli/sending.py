"""A run is sent from the command line: watched, stopped by signals, told of, and its results written."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from bulksend import campaign
from bulksend.campaign import Ended, SendOptions
from bulksend.cli import codes, run_view
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import tell_error
from bulksend.cli.given import TargetSettings
from bulksend.cli.signals import stop_on_signals
from bulksend.cli.watch import Watch
from bulksend.engagespark import Target
from bulksend.errors import OwnedError, RunFileError, UsageError
from bulksend.model import Endpoint
from bulksend.reports import write_results
from bulksend.runs import Account, Address, OwnRun, network_kind
from bulksend.sending import Stopping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manners:
    """How a send from the command line behaves.

    Attributes:
        out: where it talks.
        results: where its results go.
        wait: whether it waits for the account's other run.
        hides_progress: whether it shows none.
        leaves_out: whether what history holds is left out on purpose.
    """

    out: Console
    results: Path
    wait: bool
    hides_progress: bool
    leaves_out: bool = False


def target_of(to: TargetSettings, address: Address, endpoint: Endpoint) -> Target | None:
    """Where to send, or None for a private sandbox that is still to be started."""
    if not address.base_url:
        return None
    return Target(address.base_url, address.org_id, endpoint, to.key())


def check_is_local(place: Path, *, force: bool) -> None:
    """See that a run's file lies where its lock holds against everybody.

    Raises:
        UsageError: it lies on a network file system, and --force is not given.
    """
    if (kind := network_kind(place)) and not force:
        raise UsageError(
            f"{place}: this lies on a network file system ({kind}), where locks may not hold: keep it on a disk of "
            "this machine (`send` names it with --run), or say --force if only this machine uses it"
        )


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
    if click.confirm(question, err=True):
        return True
    out.print("Nothing was sent.")
    return False


def send_and_tell(
    run: OwnRun, account: Account | None, target: Target | None, how: SendOptions, manners: Manners
) -> tuple[Ended, ExitCode]:
    """Send a run, show how it went, and write its results; how it ended, and the exit code of that."""
    ended = send_watched(run, account, target, how, manners.out, hides_progress=manners.hides_progress)
    return ended, tell_end(run, ended, manners)


def send_watched(
    run: OwnRun, account: Account | None, target: Target | None, how: SendOptions, out: Console, *, hides_progress: bool
) -> Ended:  # fmt: skip
    """Send a run while its progress is shown and signals are heard."""
    return run_loop(_watched(run, account, target, how, Watch(out, hides_progress=hides_progress)))


def tell_end(run: OwnRun, ended: Ended, manners: Manners) -> ExitCode:
    """Show how a send went, and write the results; its exit code."""
    run_view.show_end(manners.out, run, ended, f"{manners.results}")
    code = codes.of_end(ended, leaves_out=manners.leaves_out)
    if manners.out.quiet and code is not ExitCode.OK and code is not ExitCode.NOT_ALL_SENT:
        why = f"stopped early: {run_view.stopped(ended.stop, manners.out)}" if ended.stop else "no row was accepted"
        tell_error(manners.out, f"{run.place}: {why}")
    return code if is_written(run, manners) else ExitCode.STOPPED


def is_written(run: OwnRun, manners: Manners) -> bool:
    """Write the results; False, and what to do, if they cannot be written where they were to go."""
    with suppress(RunFileError, OwnedError):  # it is somebody else's by now, or cannot be written
        run.note_results(str(manners.results.resolve()))
    try:
        tell_kept(manners.out, write_results(run, manners.results))
    except UsageError as error:
        tell_error(manners.out, f"{error}. Write them elsewhere: bulksend results {run.place} -o FILE")
        return False
    return True


def tell_kept(out: Console, aside: Path | None) -> None:
    """Say where results are now that were in the way of others."""
    if aside is not None:
        out.print(f"The results of a run whose file is gone are kept in {aside}.", soft_wrap=True)


async def _watched(
    run: OwnRun, account: Account | None, target: Target | None, how: SendOptions, watch: Watch
) -> Ended:  # fmt: skip
    stopping = Stopping()
    try:
        with stop_on_signals(stopping, watch.close):
            return await campaign.send(run, account, target, how, stopping, watch.hear)
    finally:
        watch.close()


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the fastest event loop there is."""
    try:
        import uvloop  # noqa: PLC0415 -- not on Windows
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
