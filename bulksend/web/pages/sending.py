"""The fourth step: it is sent, stopped, goes on, and has ended."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from aiohttp_sse import sse_response

from bulksend.errors import UsageError
from bulksend.planning import Overview
from bulksend.reports import why_ended
from bulksend.runs import End, NotSent, Stand, ask_to_end, open_run, stand_of
from bulksend.sending import StopReason
from bulksend.web.confirming import is_written, to_write
from bulksend.web.desk import desk_of, draft_of
from bulksend.web.drafts import Draft
from bulksend.web.jobs import Moved, Refused
from bulksend.web.pages.price import agreed
from bulksend.web.rendering import fragment, render
from bulksend.web.wording import say

_REASONS, _EXAMPLES = 20, 3


class Outcome(NamedTuple):
    """A run as it stands.

    Attributes:
        stand: where.
        left: what is still to be sent.
        reasons: why rows were not sent.
        why: why it ended; empty if it did not, or was never sent.
    """

    stand: Stand
    left: Overview
    reasons: tuple[NotSent, ...]
    why: str


async def show(request: web.Request) -> web.StreamResponse:
    """Show where it stands."""
    desk, draft = desk_of(request), draft_of(request)
    if not draft.has_run:
        raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")
    if sending := desk.sends.under_way(draft.key):
        return render(request, "sending.html", draft=draft, now=sending.now, is_stopping=sending.is_stopping)
    outcome = await asyncio.to_thread(_outcome, draft.run)
    last = desk.sends.of(draft.key)
    refused = last.end if last and isinstance(last.end, Refused) else None
    return render(
        request,
        "after.html",
        draft=draft,
        outcome=outcome,
        refused=refused,
        agreed=agreed(outcome.left),
        to_write=to_write(draft, outcome.left, desk.settings.confirm_above),
        can_send=desk.can_send(draft),
    )


async def begin(request: web.Request) -> web.StreamResponse:
    """Send what was agreed to, or what is left of it."""
    desk, draft, form = desk_of(request), draft_of(request), await request.post()
    if desk.sends.under_way(draft.key) is None:
        if not draft.run or not desk.can_send(draft):
            raise UsageError(say("price.no_organization"))
        left = await asyncio.to_thread(_left, draft.run)
        if form.get("agreed") != agreed(left):
            raise web.HTTPConflict(text=say("price.changed"))
        if not is_written(to_write(draft, left, desk.settings.confirm_above), str(form.get("written", ""))):
            raise web.HTTPConflict(text=say("price.not_written"))
        answer = str(form.get("answer", ""))
        desk.send(draft, [answer] if answer else [])
    raise web.HTTPSeeOther(f"/c/{draft.key}/sending")


async def stop(request: web.Request) -> web.StreamResponse:
    """Have it end in order, whoever sends it."""
    desk, draft = desk_of(request), draft_of(request)
    if sending := desk.sends.under_way(draft.key):
        sending.stop()
    elif draft.run:
        await asyncio.to_thread(ask_to_end, Path(draft.run), time.time())
    raise web.HTTPSeeOther(f"/c/{draft.key}/sending")


async def events(request: web.Request) -> web.StreamResponse:
    """Where it stands, whenever that changes."""
    draft = draft_of(request)
    sending = desk_of(request).sends.under_way(draft.key)
    async with sse_response(request) as answer:
        with suppress(ConnectionError):  # the tab was closed, and the send goes on
            if sending:
                async for now in sending.steps():
                    await answer.send(_progress(draft, now, is_stopping=sending.is_stopping), event="progress")
            await answer.send("over", event="over")
    return answer


def _progress(draft: Draft, now: Moved, *, is_stopping: bool) -> str:
    return fragment("_progress.html", draft=draft, now=now, is_stopping=is_stopping)


def _why(end: End | None) -> str:
    if end is None:
        return ""
    return say("after.interrupted") if end.reason == StopReason.INTERRUPTED else why_ended(end)


def _left(place: str) -> Overview:
    with open_run(Path(place)) as run:
        return run.overview()


def _outcome(place: str) -> Outcome:
    with open_run(Path(place)) as run:
        stand = stand_of(run)
        reasons = tuple(run.figures.not_sent(_REASONS, _EXAMPLES))
        return Outcome(stand, run.overview(), reasons, _why(stand.end))
