"""A planned run is sent, what is in doubt is resolved, the results are written: wires the parts of one run together."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bulksend.engagespark import Balance, SmsApi, Target, look_up
from bulksend.errors import UsageError
from bulksend.model import Answer, MicroUSD, Status
from bulksend.planning.overview import Tally
from bulksend.reports.results import write_results
from bulksend.runs.history import Account, Earlier
from bulksend.runs.lock import FileLock
from bulksend.runs.sqlite.journal import SqliteJournal
from bulksend.runs.sqlite.reader import RunReport
from bulksend.runs.sqlite.store import RunStore
from bulksend.sending import Budget, Engine, Past, SendOptions, Stop, Stopping, StopReason, assemble

_LOOKED_UP_MAX = 10_000  # rows
_LOOK_UP_S = 20.0


@dataclass(frozen=True, slots=True)
class SendReport:
    """How a send ended.

    Attributes:
        stop: why it ended early; None if it did not.
        limited: whether it was a test send, which leaves the rest pending on purpose.
        tally: the run's rows as they are now.
        seconds: how long the sending took.
        sent_now: rows that this send brought to ``sent``.
        attempts_now: POSTs that this send began.
    """

    stop: Stop | None
    limited: bool
    tally: Tally
    seconds: float
    sent_now: int
    attempts_now: int


async def send(
    lock: FileLock,
    account: Account | None,
    target: Target,
    options: SendOptions,
    before: Tally,
    stopping: Stopping,
    on_start: Callable[[Engine], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> SendReport:
    """Send what is pending of a run.

    Args:
        lock: the run file, from `plan`, `reopen` or `own`; stays with the caller.
        account: what outlives the run, held for it; None for a server that lives no longer than the run.
        target: where to.
        options: how.
        before: where the run stands.
        stopping: who wants the run to end asks it.
        on_start: gets the engine, whose progress can be watched.
        tell: gets a sentence for people, where there is one to say before the first message.

    Raises:
        UsageError: a budget cannot be kept, because no price is known.
        RunFileError: the run file cannot be written.
    """
    with RunReport(lock.path) as opened:
        plan_id = opened.facts.plan_id
        budget = _budget(opened, before, options.max_cost)
    started = time.monotonic()
    keep_s = options.caps.longest_window_s
    earlier = Earlier([], blind=False)
    if account:
        now = time.time()
        earlier = account.begin(plan_id, since=now - keep_s, now=now)
        account.lend_numbers()
    if earlier.blind:
        tell(
            f"The account's last run was cut off and its run file is gone: waiting {keep_s:g} s, so that no phone gets "
            "too many."
        )
    store = RunStore(lock.path, by_parts=options.by_parts, limit=options.limit, now=time.time())
    journal = SqliteJournal(store)
    try:
        async with SmsApi(target, timeout_s=options.pace.timeout_s) as api:
            engine = assemble(
                journal,
                api,
                stopping,
                options.caps,
                options.pace,
                campaign=store.facts.campaign if options.dedup else None,
                dedup_proven=store.dedup_proven,
                past=Past(
                    [(who, parts if options.by_parts else messages, at) for who, parts, messages, at in earlier.sends],
                    quiet_s=keep_s if earlier.blind else 0.0,
                ),
                budget=budget,
                error_limit=options.max_errors,
                rng=random.SystemRandom(),
            )
            on_start(engine)
            stop = await engine.run()
            if stop is None or not (stop.reason.is_interruption or stop.reason is StopReason.TAKEN_OVER):
                await _settle_doubtful(lock.path, journal, api)
    finally:
        journal.close()
        if account:
            now = time.time()
            account.end(plan_id, since=now - keep_s, now=now)
    seconds = time.monotonic() - started
    with RunReport(lock.path) as opened:
        tally = opened.tally()
    return SendReport(
        stop=stop,
        limited=options.limit is not None,
        tally=tally,
        seconds=seconds,
        sent_now=tally.statuses[Status.SENT] - before.statuses[Status.SENT],
        attempts_now=tally.attempts - before.attempts,
    )


async def _settle_doubtful(run: Path, journal: SqliteJournal, api: SmsApi) -> Mapping[int, Answer]:
    """Look in the API's list for the rows that may have been accepted, and note those found."""
    with RunReport(run) as opened:
        rows = opened.doubtful(_LOOKED_UP_MAX)
        taken = opened.message_ids(min((row.since for row in rows), default=math.inf))
    seen = await look_up(api, rows, taken, _LOOK_UP_S)
    await journal.found(seen.found, time.time())
    return seen.found


async def resolve(lock: FileLock, target: Target) -> Mapping[int, Answer]:
    """Look up what became of the rows that may have been accepted; those found are noted as sent.

    Args:
        lock: the run file; stays with the caller.
        target: where it was sent to.

    Returns:
        What the API's list said of the rows found.
    """
    journal = SqliteJournal(RunStore(lock.path, by_parts=True, limit=None, now=time.time()))
    try:
        async with SmsApi(target, timeout_s=_LOOK_UP_S) as api:
            return await _settle_doubtful(lock.path, journal, api)
    finally:
        journal.close()


async def balance(target: Target) -> Balance | None:
    """What the account holds; None if the server does not tell."""
    async with SmsApi(target, timeout_s=_LOOK_UP_S) as api:
        told = await api.balance()
        return told if isinstance(told, Balance) else None


def take_over(lock: FileLock) -> None:
    """Settle what a killed process left in flight: it may have been accepted."""
    RunStore(lock.path, by_parts=True, limit=None, now=time.time()).close()


def dispose(lock: FileLock, rows: Sequence[int], *, resend: bool) -> None:
    """Decide on rows that may have been accepted: send them again, or leave them unknown for good."""
    store = RunStore(lock.path, by_parts=True, limit=None, now=time.time())
    try:
        (store.resend if resend else store.leave)(rows)
    finally:
        store.close()


def _budget(run: RunReport, tally: Tally, max_cost: MicroUSD | None) -> Budget | None:
    if max_cost is None:
        return None
    dearest = run.dearest_message()
    if dearest is None:
        raise UsageError("--max-cost cannot be kept: no rate is known for any message; send a few with --limit first")
    return Budget(max_cost, spent=tally.charged, dearest=dearest, doubtful=run.doubtful_prices())


def nothing_to_send(tally: Tally) -> SendReport:
    """How a send ends that has nothing to do."""
    return SendReport(None, limited=False, tally=tally, seconds=0.0, sent_now=0, attempts_now=0)


def write(run: Path, results: Path) -> None:
    """Write a run's results.

    Raises:
        UsageError: they cannot be written there.
    """
    with RunReport(run) as opened:
        write_results(opened, results)
