"""What the page's child asks of the API: that it sends a draft's run, or one text of it, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

from bulksend import campaign
from bulksend.campaign import CampaignEvent, Started
from bulksend.errors import StoppedError, UsageError
from bulksend.model import PhoneNumber
from bulksend.python import Said, Work, receipts, resolve, work_on
from bulksend.python import send as send_run
from bulksend.runs import OwnRun, Terms, open_run, own_run
from bulksend.sending import Stop, Stopping
from bulksend.sms import phones
from bulksend.web.choices import campaign_of, options_of
from bulksend.web.jobs import Fetch, Send, Settle, Try
from bulksend.web.moving import moved_by
from bulksend.web.plan_jobs import account_of
from bulksend.web.told import Fetched, Over, Settled, Told, Tried
from bulksend.web.wording import advised, say
from bulksend.when import Schedule
from bulksend.words import printable


async def do(job: Send | Try | Fetch | Settle, tell: Callable[[Told], None]) -> Told:
    """Do one of these jobs; what comes of it.

    Args:
        job: it.
        tell: hears how it goes.
    """
    hear = _Follower(tell).hear
    match job:
        case Send():
            return await _send(job, hear)
        case Try():
            return await work_on(partial(_try_out, job), hear)
        case Fetch():
            return await _fetch(job)
        case Settle():
            return await _settle(job)


class _Follower:
    """Tells of events what the page shows."""

    def __init__(self, tell: Callable[[Told], None]) -> None:
        self._tell = tell
        self._rows = 0

    def hear(self, event: CampaignEvent) -> None:
        if isinstance(event, Started):
            self._rows = event.rows
        if (moved := moved_by(event, self._rows)) is not None:
            self._tell(moved)


async def _send(job: Send, hear: Callable[[CampaignEvent], None]) -> Over:
    """Send a draft's run, or what is left of it, in its time: it is waited for, also between its hours."""
    if job.draft.by_workers:
        return await work_on(partial(_leave, job), hear)
    account, options = account_of(job), options_of(job.draft, job.answers)
    while True:
        schedule = await work_on(partial(_wait, job), hear)
        sent = await send_run(job.draft.run, account, options, hear)
        if not campaign.pauses(sent.ended, schedule):
            return Over()


def _leave(job: Send, work: Work[CampaignEvent]) -> Over:
    """Leave a draft's run to workers, who send it in its time.

    Raises:
        UndecidedError: nobody knows what a command sent that was cut off, and it was not said to go on all the same.
    """
    to, options = account_of(job).address, options_of(job.draft, job.answers)
    terms = Terms(org_id=to.org_id, base_url=to.base_url)
    with campaign.own_as_planned(job.draft.place, terms, tell=work.tell) as run:
        _check_agreed(job, run)
        how = options.settled()
        looked = campaign.look_at_history(run, how.repeating)
        campaign.check_not_lost(run, looked, Said(new=False), repeat=options.repeat)
        campaign.leave_to_workers(run, how, work.tell)
    return Over()


def _wait(job: Send, work: Work[CampaignEvent]) -> Schedule:
    """Sleep until messages of a run may leave; when they may.

    Raises:
        StoppedError: somebody elsewhere asked for the end.
        UsageError: it is not the plan that was agreed to.
    """
    with own_run(job.draft.place, time.time()) as run:
        _check_agreed(job, run)
        schedule = run.times.schedule

        async def sleep(stopping: Stopping) -> Stop | None:
            await campaign.wait_until_open(run, schedule, stopping, work.tell)
            return stopping.why

        stop = work.send(sleep) if schedule.opens_at(time.time()) > time.time() else None
    if stop is not None:
        raise StoppedError(stop.says)
    return schedule


def _check_agreed(job: Send, run: OwnRun) -> None:
    """See that nobody has put another plan in the place of the one agreed to.

    Raises:
        UsageError: somebody has.
    """
    if run.facts.plan_id != job.plan_id:
        raise UsageError(say("price.changed"))


async def _fetch(job: Fetch) -> Fetched:
    """Ask for the receipts of a draft's run, once."""
    delivered = await receipts(job.draft.run, account_of(job))
    return Fetched(delivered.could_look)


async def _settle(job: Settle) -> Settled:
    """Look up what is in doubt of a draft's run, and decide on it if that is said."""
    decision: Literal["resend", "leave"] | None = None
    if job.decision:
        decision = "resend" if job.decision == "resend" else "leave"
    done = await resolve(job.draft.run, account_of(job), decision, unseen=job.is_unseen, wait=True)
    return Settled(done.looked_up.found if done.looked_up else 0, done.decided, done.in_doubt)


def _try_out(job: Try, work: Work[CampaignEvent]) -> Tried:
    """Send the text of one row to one's own phone.

    Raises:
        UsageError: that is no number, or the row has no text.
    """
    account = account_of(job)
    wanted = campaign_of(job.draft).request(account.address, work.check).options
    with open_run(job.draft.place) as run:
        phone = _phone(job.phone, job.draft.country or run.facts.country)
        trial = campaign.trial_of(run, job.row, phone, wanted)
        target = account.target(run.facts.endpoint)
    how = replace(options_of(job.draft).settled(), is_trial=True)
    with (
        campaign.trial_run(trial, account.address) as own,
        campaign.held_account(target, own, work.tell_unless_stopped, wait=True, where=trial.where) as held,
    ):
        work.send(lambda stopping: campaign.send(own, held, target, how, stopping, work.tell))
        (told,) = own.told([1])
    return Tried(trial.row, str(phone), told.state, told.error, told.charged)


def _phone(text: str, country: str | None) -> PhoneNumber:
    try:
        return phones.normalise(text, country, new_prefixes=True)
    except phones.BadNumber as error:
        raise UsageError(f"{printable(text)}: {advised(error.why)}") from error
