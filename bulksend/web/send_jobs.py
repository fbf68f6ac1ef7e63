"""What the page's child does for money: it sends a draft's run, or one text of it to one's own phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bulksend import campaign
from bulksend.campaign import CampaignEvent
from bulksend.errors import Question, UsageError
from bulksend.model import PhoneNumber
from bulksend.python import SendOptions, Work
from bulksend.python import send as send_run
from bulksend.runs import open_run
from bulksend.sms import phones
from bulksend.web.jobs import Over, Send, Tried, Try
from bulksend.web.plan_jobs import account_of, campaign_of
from bulksend.web.wording import advised
from bulksend.words import printable

_REPEAT = frozenset({Question.SENT_BEFORE.value, Question.LOST.value})
_FORCE = frozenset({Question.NETWORK.value, Question.HOME.value})


async def send(job: Send, hear: Callable[[CampaignEvent], None]) -> Over:
    """Send a draft's run, or what is left of it."""
    await send_run(job.draft.run, account_of(job), _options(job), hear)
    return Over()


def try_out(job: Try, work: Work[CampaignEvent]) -> Tried:
    """Send the text of one row to one's own phone.

    Raises:
        UsageError: that is no number, or the row has no text.
    """
    account = account_of(job)
    wanted = campaign_of(job.draft).request(account.address, work.check).options
    with open_run(Path(job.draft.run)) as run:
        phone = _phone(job.phone, job.draft.country or run.facts.country)
        trial = campaign.trial_of(run, job.row, phone, wanted)
        target = account.target(run.facts.endpoint)
    how = replace(SendOptions().settled(), is_trial=True)
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


def _options(job: Send) -> SendOptions:
    said = frozenset(job.answers)
    return SendOptions(
        repeat=job.draft.repeats or bool(said & _REPEAT),
        force=bool(said & _FORCE),
        max_cost_micro=job.draft.max_cost or None,
        wait=True,
    )
