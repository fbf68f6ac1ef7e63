"""What the page's child does for money: it sends a draft's run."""

from __future__ import annotations

from collections.abc import Callable

from bulksend.campaign import CampaignEvent
from bulksend.errors import Question
from bulksend.python import SendOptions
from bulksend.python import send as send_run
from bulksend.web.jobs import Over, Send
from bulksend.web.plan_jobs import account_of

_REPEAT = frozenset({Question.SENT_BEFORE.value, Question.LOST.value})
_FORCE = frozenset({Question.NETWORK.value, Question.HOME.value})


async def send(job: Send, hear: Callable[[CampaignEvent], None]) -> Over:
    """Send a draft's run, or what is left of it."""
    await send_run(job.draft.run, account_of(job), _options(job), hear)
    return Over()


def _options(job: Send) -> SendOptions:
    said = frozenset(job.answers)
    return SendOptions(repeat=job.draft.repeats or bool(said & _REPEAT), force=bool(said & _FORCE), wait=True)
