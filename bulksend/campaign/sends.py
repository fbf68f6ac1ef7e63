"""A planned run is sent, and what is in doubt of it is looked up; one way to send, to go on, and to send again."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace

from bulksend.campaign.choices import SendOptions
from bulksend.campaign.clients import client
from bulksend.campaign.collector import rare_collector
from bulksend.campaign.elsewhere import check_not_asked, heeded
from bulksend.campaign.engines import engine_of, look_up, past_of
from bulksend.campaign.events import AccountBusy, Ended, HistoryGone, LeftOut, SandboxClosed, Started, Tell
from bulksend.campaign.known import explain_known
from bulksend.campaign.limits import budget_of, errors_of, repeats_max
from bulksend.campaign.lookback import LookedBack, look_again
from bulksend.campaign.onlooking import Onlookers
from bulksend.campaign.room import with_room
from bulksend.campaign.spans import as_last
from bulksend.campaign.watching import told
from bulksend.campaign.windows import heeding_hours, is_over
from bulksend.engagespark import Balance, SmsApi, Target
from bulksend.errors import OwnedError, RunFileError
from bulksend.model import Endpoint, PhoneNumber, Status
from bulksend.runs import Account, Address, Clock, Earlier, OwnRun, Run, Where, account_of, hold
from bulksend.sending import Listener, Stop, Stopping, StopReason

_WAIT_S = 0.5
_DAY_S = 86_400.0


@contextmanager
def held_account(
    target: Target | None, run: OwnRun, tell: Tell, *, wait: bool, limit_s: float = math.inf, where: Where = None
) -> Iterator[Account | None]:  # fmt: skip
    """What outlives the run, for as long as it is sent: one run of an account at a time.

    Args:
        target: where to; a private sandbox (None) lives no longer than the run, and has nothing to be held.
        run: the run.
        tell: hears that another run is sending.
        wait: whether to wait for its end.
        limit_s: for so many seconds at most.
        where: the account lives, if not where the run does.

    Raises:
        OwnedError: another run is sending, and is not waited for, or not any longer.
        StoppedError: somebody elsewhere asked that this one end, while it waited.
    """
    if target is None:
        yield None
        return
    account: Account | None = None
    until_s = time.monotonic() + limit_s
    while account is None:
        try:
            account = _claimed(run, where or run.place, Address(target.org_id, target.base_url))
        except OwnedError as error:
            if not wait:
                raise
            if time.monotonic() >= until_s:
                raise OwnedError(f"{error}; it was waited for as long as it may be: nothing was sent") from error
            check_not_asked(run)
            tell(AccountBusy(str(error)))
            time.sleep(_WAIT_S)
    with account:
        yield account


def _claimed(run: OwnRun, where: Where, address: Address) -> Account:
    account = account_of(where, address)
    try:
        run.claim_account()
    except BaseException:
        account.close()
        raise
    return account


async def send(
    run: OwnRun,
    account: Account | None,
    target: Target | None,
    options: SendOptions,
    stopping: Stopping,
    tell: Tell,
    listener: Listener | None = None,
) -> Ended:
    """Send what is pending of a run.

    Args:
        run: the run; stays with the caller.
        account: what outlives it, from `held_account`.
        target: where to; None for a private sandbox that lives as long as this.
        options: how.
        stopping: who wants it to end asks this.
        tell: hears how it goes.
        listener: hears of every attempt, if anybody wants to.

    Raises:
        UsageError: a budget cannot be kept, because no price is known; or there is no room for so many connections.
        RunFileError: the run cannot be written.
    """
    pace = with_room(as_last(options, run.facts.address, run.place).pace)
    schedule = run.times.schedule
    started, began_s = time.monotonic(), time.time()
    onlookers = Onlookers(tell)
    tell = onlookers.hear
    earlier = begin(run, account, options, tell)
    try:
        before = run.tally()
        rows = run.overview(options.limit)
        repeats = repeats_max(run, before, rows.rows, options)
        budget, errors = budget_of(run, options), errors_of(run, before, options)
        async with (
            _reachable(target, run, options, tell) as reachable,
            client(reachable, options.pace.timeout_s) as api,
        ):
            run.note_start(time.time())
            journal = run.journal(by_parts=options.by_parts, limit=options.limit, keyed=options.dedup)
            try:
                past = past_of(run, options, earlier, repeats)
                optouts = account.optouts if account else None
                engine = engine_of(run, journal, api, options, pace, stopping, past, budget, errors, optouts, listener)
                tell(Started(rows.rows + repeats, None if rows.unpriced else rows.price))
                async with (
                    heeded(journal, stopping),
                    heeding_hours(schedule, stopping),
                    onlookers.shown(journal),
                    told(engine, stopping, tell, rows=rows.rows + repeats, grace_s=options.pace.grace_s),
                ):
                    with rare_collector():
                        await engine.run()
                if target and pace.concurrency is None:
                    hold(run.place, Address(target.org_id, target.base_url), engine.throttle.held, time.time())
                if stopping.why is None or stopping.why.reason.leaves_time:
                    await look_up(journal, api, stopping)
                balance = await _balance_left(api, stopping)
            finally:
                journal.close()
    finally:
        if account:
            wall_s = time.time()
            since_s = wall_s - options.caps.longest_window_s
            account.end(run, since_s=since_s, wall_s=wall_s, clock=Clock.now(wall_s))
            with suppress(RunFileError):
                account.history.prune(wall_s - options.history_days * _DAY_S)
    tally, ended_s = run.tally(), time.time()
    known = tally.known - before.known
    ended = Ended(
        stop=None if is_over(stopping, tally) else stopping.why,
        tally=tally,
        seconds=time.monotonic() - started,
        sent_now=tally.statuses[Status.SENT] - before.statuses[Status.SENT],
        known_now=known,
        unexplained_now=explain_known(run, account.history, options.repeating, began_s) if account and known else 0,
        attempts_now=tally.attempts - before.attempts,
        is_limited=options.limit is not None,
        since_s=began_s,
        until_s=ended_s,
        balance=balance,
    )
    with suppress(RunFileError, OwnedError):  # then it is the reason why it ended
        run.note_end(ended.noted(ended_s))
    tell(ended)
    return ended


def begin(run: OwnRun, account: Account | None, options: SendOptions, tell: Tell) -> Earlier:
    """Begin a run of an account, and leave out what that sent meanwhile; what it knows of its last minute."""
    if account is None:
        return Earlier([], blind=False)
    keep_s, wall_s = options.caps.longest_window_s, time.time()
    earlier = account.begin(
        run,
        since_s=wall_s - keep_s,
        wall_s=wall_s,
        clock=Clock.now(wall_s),
        began_at=options.repeating.began_at,
        is_remembered=not options.is_trial,
        repeat_after_s=None if options.repeating.repeat else options.repeating.repeat_after_s,
    )
    account.lend_numbers(run)
    # Again, though it was looked at for the screen: whoever had the account meanwhile has sent since.
    looked = LookedBack() if options.is_trial else look_again(run, account.history, options.repeating)
    if looked.leaves_out:
        tell(LeftOut(looked, options.repeating))
    if earlier.blind:
        tell(HistoryGone(keep_s))
    return earlier


def end_unsent(run: OwnRun, stop: Stop) -> Ended:
    """End a send before its first message leaves; the run keeps that like any other end.

    Raises:
        RunFileError: the run cannot be written.
    """
    wall_s, ended = time.time(), Ended(stop, run.tally())
    run.note_start(wall_s)
    run.note_end(ended.noted(wall_s))
    return ended


async def _balance_left(api: SmsApi, stopping: Stopping) -> Balance | None:
    """What the account holds, where it did not hold enough."""
    if stopping.why is None or stopping.why.reason is not StopReason.OUT_OF_FUNDS:
        return None
    told = await api.balance()
    return told if isinstance(told, Balance) else None


@asynccontextmanager
async def _reachable(target: Target | None, run: Run, options: SendOptions, tell: Tell) -> AsyncIterator[Target]:
    """The target itself, or a private sandbox that lives as long as the send."""
    if target is not None:
        yield target
        return
    from bulksend.engagespark import Sandbox, SandboxOptions  # noqa: PLC0415 -- only a trial needs the server

    facts = run.facts
    settings = SandboxOptions(org_id=facts.org_id)
    if cap := options.caps.of(PhoneNumber("639")):
        settings = replace(settings, cap_count=cap.count, cap_window_s=cap.window_s)
    async with Sandbox(settings) as sandbox:
        yield Target(sandbox.base_url, facts.org_id, Endpoint(facts.endpoint), settings.token)
        seen = sandbox.summary()
        tell(SandboxClosed(seen.accepted, seen.lost, settings.balance_micro - seen.balance_micro))
