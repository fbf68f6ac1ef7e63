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
from bulksend.campaign.part import Part, open_to_workers, work_on
from bulksend.campaign.room import with_room
from bulksend.campaign.spans import as_last
from bulksend.campaign.watching import told
from bulksend.campaign.windows import heeding_hours, is_over
from bulksend.engagespark import Balance, SmsApi, Target
from bulksend.errors import AccountBusyError, OwnedError, RunFileError
from bulksend.model import Endpoint, PhoneNumber, Status
from bulksend.planning import Tally
from bulksend.runs import (
    Account,
    Address,
    Clock,
    DatabaseRun,
    Earlier,
    OwnRun,
    Run,
    Where,
    account_of,
    can_be_shared,
    check_no_file_sent,
    keep_pace,
    place_of,
    reconnect,
)
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
        check_no_file_sent(where, address)
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
    options = replace(options, pace=with_room(as_last(options, run.facts.address, run.place).pace))
    started, began_s = time.monotonic(), time.time()
    onlookers = Onlookers(tell)
    tell = onlookers.hear
    earlier = begin(run, account, options, tell)
    place = place_of(run.place)
    try:
        before = run.tally()
        rows = run.overview(options.limit)
        repeats = repeats_max(run, before, rows.rows, options)
        began = Started(rows.rows + repeats, None if rows.unpriced else rows.price)
        async with (
            _reachable(target, run, options, tell) as reachable,
            client(reachable, options.pace.timeout_s) as api,
        ):
            if target is not None and isinstance(place, DatabaseRun) and can_be_shared(run):
                part = await _send_as_worker(run, place, target, api, options, stopping, onlookers, began, listener)
            else:
                stop = await _send_alone(
                    run, account, api, options, before, earlier, stopping, onlookers, began, repeats, listener
                )
                part = Part(stop, is_noted=False)
            balance = await _balance_left(api, part.stop)
    finally:
        if account:
            end(run, account, options)
    tally, ended_s = run.tally(), time.time()
    known = tally.known - before.known
    ended = Ended(
        stop=None if is_over(part.stop, tally) else part.stop,
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
        others=part.others,
    )
    with suppress(RunFileError, OwnedError):  # then it is the reason why it ended
        if not part.is_noted:
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


def end(run: OwnRun, account: Account, options: SendOptions) -> None:
    """End what was begun of a run's account, and let that take over what the run has sent."""
    wall_s = time.time()
    account.end(run, since_s=wall_s - options.caps.longest_window_s, wall_s=wall_s, clock=Clock.now(wall_s))
    with suppress(RunFileError):
        account.history.prune(wall_s - options.history_days * _DAY_S)


def end_unsent(run: OwnRun, stop: Stop) -> Ended:
    """End a send before its first message leaves; the run keeps that like any other end.

    Raises:
        RunFileError: the run cannot be written.
    """
    wall_s, ended = time.time(), Ended(stop, run.tally())
    run.note_start(wall_s)
    run.note_end(ended.noted(wall_s))
    return ended


async def _send_alone(
    run: OwnRun, account: Account | None, api: SmsApi, options: SendOptions, before: Tally, earlier: Earlier,
    stopping: Stopping, onlookers: Onlookers, began: Started, repeats: int, listener: Listener | None,
) -> Stop | None:  # fmt: skip
    """Send a run that this process has for itself; why it ended early."""
    schedule, tell, pace = run.times.schedule, onlookers.hear, options.pace
    budget, errors = budget_of(run, options), errors_of(run, before, options)
    past, optouts = past_of(run, options, earlier, repeats), account.optouts if account else None
    run.note_start(time.time())
    journal = run.journal(by_parts=options.by_parts, limit=options.limit, keyed=options.dedup)
    try:
        engine = engine_of(run, journal, api, options, pace, stopping, past, budget, errors, optouts, listener)
        tell(began)
        async with (
            heeded(journal, stopping),
            heeding_hours(schedule, stopping),
            onlookers.shown(journal),
            told(engine, stopping, tell, rows=began.rows, grace_s=options.pace.grace_s),
        ):
            with rare_collector():
                await engine.run()
        if pace.concurrency is None and account is not None:
            keep_pace(run.place, run.facts.address, engine.throttle.last_pace, time.time())
        if stopping.why is None or stopping.why.reason.leaves_time:
            await look_up(journal, api, stopping)
    finally:
        journal.close()
    return stopping.why


async def _send_as_worker(
    run: OwnRun, place: DatabaseRun, target: Target, api: SmsApi, options: SendOptions, stopping: Stopping,
    onlookers: Onlookers, began: Started, listener: Listener | None,
) -> Part:  # fmt: skip
    """Send a run as one of its workers; whoever ends it looks up what is in doubt, where nothing is left to send."""
    open_to_workers(run, options, is_left=False)
    onlookers.hear(began)
    part = await work_on(place, target, options, stopping, onlookers, began.rows, listener, is_own=True)
    reconnect(run)
    if part.stop is not None and part.stop.reason.leaves_time and not part.others and run.tally().in_doubt:
        with suppress(AccountBusyError):  # or one of them has not left yet
            journal = run.journal()
            try:
                await look_up(journal, api, stopping)
            finally:
                journal.close()
    return part


async def _balance_left(api: SmsApi, stop: Stop | None) -> Balance | None:
    """What the account holds, where it did not hold enough."""
    if stop is None or stop.reason is not StopReason.OUT_OF_FUNDS:
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
