"""One send from the command line: the server, the account, the event loop, and whoever watches."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from bulksend import campaign
from bulksend.campaign import SendReport
from bulksend.cli import options
from bulksend.cli.progress import watch
from bulksend.cli.show import show_cursor
from bulksend.cli.signals import stop_on_signals
from bulksend.engagespark import Target
from bulksend.errors import OwnedError, UsageError
from bulksend.model import Endpoint, PhoneNumber
from bulksend.planning.overview import Tally
from bulksend.planning.planning import Address
from bulksend.runs.history import Account
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.reader import RunReport
from bulksend.sending import Engine, SendOptions, Stopping
from bulksend.sms.rates.table import dollars
from bulksend.words import many

_WAIT_S = 0.5
_OTHER_FILES = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Watched:
    """How a send is watched.

    Attributes:
        before: where the run stands.
        total: messages it is to send.
        out: where progress is shown.
        hidden: whether it is not.
    """

    before: Tally
    total: int
    out: Console
    hidden: bool


def target_of(given: dict[str, Any], address: Address, endpoint: Endpoint) -> Target | None:
    """Where to send, or None for a private sandbox that is still to be started."""
    if not address.base_url:
        return None
    return Target(address.base_url, address.org_id, endpoint, options.key(given))


def check_can_ask(*, yes: bool) -> None:
    """See that a question can be asked, or need not be.

    Raises:
        UsageError: there is no terminal, and --yes is not given.
    """
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nothing was sent: without a terminal to ask on, --yes is needed")


def hold_account(target: Target, run: Path, out: Console, *, wait: bool) -> Account:
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


async def sending(
    lock: FileLock, account: Account | None, target: Target | None, how: SendOptions, watched: Watched
) -> SendReport:
    """Send a run to a target, or to a private sandbox, and show the progress."""
    _raise_file_limit(how.pace.concurrency)
    stopping = Stopping()
    begun: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
    async with _reachable(target, lock, how, watched.out) as reachable:
        watcher = asyncio.create_task(_watch(begun, watched))
        try:
            with stop_on_signals(stopping, lambda: show_cursor(watched.out)):
                return await campaign.send(
                    lock,
                    account,
                    reachable,
                    how,
                    watched.before,
                    stopping,
                    begun.set_result,
                    _teller(watched.out),
                )
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher


def _raise_file_limit(concurrency: int) -> None:
    """Have room for a socket for each worker."""
    wanted = concurrency + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise UsageError(f"--concurrency {concurrency} needs {wanted} open files, but the system allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


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


def _teller(out: Console) -> Callable[[str], None]:
    return lambda says: out.print(says, soft_wrap=True)


async def _watch(begun: asyncio.Future[Engine], watched: Watched) -> None:
    if not watched.hidden:
        await watch(await begun, watched.total, watched.out)


@asynccontextmanager
async def _reachable(target: Target | None, lock: FileLock, how: SendOptions, out: Console) -> AsyncIterator[Target]:
    """The target itself, or a private sandbox that lives as long as the run."""
    if target is not None:
        yield target
        return
    from bulksend.engagespark.sandbox import Sandbox, SandboxOptions  # noqa: PLC0415 -- only a trial needs the server

    with RunReport(lock.path) as run:
        facts = run.facts
    settings = SandboxOptions(org_id=facts.org_id)
    if cap := how.caps.of(PhoneNumber("639")):
        settings = replace(settings, cap_count=cap.count, cap_window_s=cap.window_s)
    async with Sandbox(settings) as sandbox:
        yield Target(sandbox.base_url, facts.org_id, Endpoint(facts.endpoint), settings.token)
        seen = sandbox.summary()
        charged = settings.balance_micro - seen.balance_micro
        out.print(
            f"The sandbox took {many(seen.accepted, 'message')} for {dollars(charged)} and lost {seen.lost:,} of them "
            "to the telcos' cap.",
            soft_wrap=True,
        )
