"""The fifth step: it is sent, pauses, goes on, is stopped; also where another process sends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bulksend import campaign
from bulksend.campaign import Look
from bulksend.errors import BulksendError, UsageError
from bulksend.model import Status
from bulksend.planning import Overview, Tally
from bulksend.runs import Place, Stand, ask_to_end, open_run
from bulksend.web.confirming import is_written, to_write
from bulksend.web.desk import desk_of, draft_of, has_begun
from bulksend.web.drafts import Draft
from bulksend.web.moving import moved_elsewhere
from bulksend.web.pages import after
from bulksend.web.pages.price import agreed
from bulksend.web.rendering import fragment, render
from bulksend.web.told import Moved, Refused
from bulksend.web.wording import many, say
from bulksend.web.working import Sending

_LOOK_S = 1.0
HEADINGS = frozenset({"away", "begins", "busy", "no_worker", "paused", "stopping", "waiting"})
"""What is going on that is no sending, as `Moved.says` has it: the heading says so."""


async def show(request: web.Request) -> web.StreamResponse:
    """Show where it stands."""
    desk, draft = desk_of(request), draft_of(request)
    if not draft.has_run:
        raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")
    if sending := desk.sends.under_way(draft.key):
        return _page(request, draft, sending.now, is_stopping=sending.is_stopping)
    stand = await desk.stand(draft)
    if stand and (stand.owner or stand.shared):
        return _page(request, draft, await _elsewhere(draft, stand), is_elsewhere=True)
    last = desk.sends.of(draft.key)
    if last is None and not has_begun(stand):
        raise web.HTTPSeeOther(f"/c/{draft.key}/price")
    refused = last.end if last and isinstance(last.end, Refused) else None
    if stand and draft.key in desk.paused and not refused:
        left, tally, wanted = await asyncio.to_thread(_left, draft.place)
        if left.rows:
            return _page(request, draft, _paused(left, tally), left=left, wanted=wanted)
    return await after.page(request, draft, refused)


async def begin(request: web.Request) -> web.StreamResponse:
    """Send what was agreed to, or what is left of it."""
    desk, draft, form = desk_of(request), draft_of(request), await request.post()
    if desk.sends.under_way(draft.key) is None:
        if not desk.can_send(draft):
            raise UsageError(say("price.no_organization"))
        if desk.is_planned_anew(draft):
            raise web.HTTPConflict(text=say("price.changed"))
        left, tally, wanted = await asyncio.to_thread(_left, draft.place)
        draft = draft_of(request)  # as another tab may have it by now
        if form.get("agreed") != wanted or desk.is_planned_anew(draft):
            raise web.HTTPConflict(text=say("price.changed"))
        if not is_written(to_write(draft, left, desk.settings.confirm_above), str(form.get("written", ""))):
            raise web.HTTPConflict(text=say("price.not_written"))
        answer = str(form.get("answer", ""))
        plan_id = wanted.partition(" ")[0]
        desk.send(draft, plan_id, [answer] if answer else [], Sending(left.rows, _done(tally)))
    raise web.HTTPSeeOther(f"/c/{draft.key}/sending")


async def pause(request: web.Request) -> web.StreamResponse:
    """Have it end in order, to go on soon."""
    draft = draft_of(request)
    desk_of(request).stop(draft, pauses=True)
    raise web.HTTPSeeOther(f"/c/{draft.key}/sending")


async def stop(request: web.Request) -> web.StreamResponse:
    """Have it end in order, whoever sends it."""
    desk, draft = desk_of(request), draft_of(request)
    was_paused = draft.key in desk.paused
    if not desk.stop(draft, pauses=False) and draft.run and not was_paused:
        await asyncio.to_thread(ask_to_end, draft.place, time.time())
    raise web.HTTPSeeOther(f"/c/{draft.key}/sending")


async def events(request: web.Request) -> web.StreamResponse:
    """Where it stands, whenever that changes; and what is going on, whenever that is something else."""
    desk, draft = desk_of(request), draft_of(request)
    sending = desk.sends.under_way(draft.key)
    async with sse_response(request) as answer:
        with suppress(ConnectionError):  # the tab was closed, and the send goes on
            told = ("", "")
            async for now in sending.steps() if sending else _looks(draft):
                is_stopping = sending is not None and sending.is_stopping
                tells = _heading(now, is_stopping=is_stopping), _says(now, is_stopping=is_stopping)
                await _tell(answer, now, *(tells if tells != told else ()))
                told = tells
            await answer.send("over", event="over")
    return answer


def _page(
    request: web.Request,
    draft: Draft,
    now: Moved,
    *,
    is_stopping: bool = False,
    is_elsewhere: bool = False,
    left: Overview | None = None,
    wanted: str = "",
) -> web.Response:
    """It under way, or paused with so much left."""
    return render(
        request,
        "sending.html",
        draft=draft,
        now=now,
        heading=_heading(now, is_stopping=is_stopping),
        says=_says(now, is_stopping=is_stopping),
        is_stopping=is_stopping,
        is_elsewhere=is_elsewhere,
        left=left,
        agreed=wanted,
        to_write=to_write(draft, left, desk_of(request).settings.confirm_above) if left else "",
    )


async def _tell(answer: EventSourceResponse, now: Moved, heading: str = "", says: str = "") -> None:
    await answer.send(fragment("_progress.html", now=now), event="progress")
    if heading:
        await answer.send(heading, event="heading")
        await answer.send(says, event="says")


def _heading(now: Moved, *, is_stopping: bool) -> str:
    """What is going on, in a word or two: it is not always sent."""
    going = "stopping" if is_stopping else now.says
    return say(f"heading.{going if going in HEADINGS else 'sending'}")


def _says(now: Moved, *, is_stopping: bool) -> str:
    if is_stopping:
        return say("sending.stopping")
    if now.says == "waiting" and now.until_s is not None:
        return fragment("_waiting.html", now=now).strip()
    return say(f"sending.{now.says}", workers=many(now.workers, "worker")) if now.says else "\u00a0"


async def _elsewhere(draft: Draft, stand: Stand) -> Moved:
    if stand.waits_until:
        return Moved("waiting", until_s=stand.waits_until, zone=stand.schedule.zone)
    async for now in _looks(draft):
        return now
    return Moved("elsewhere")


async def _looks(draft: Draft) -> AsyncIterator[Moved]:
    """Where it stands while another process sends it, about once a second, until that has ended."""
    looks = campaign.looks(draft.place, lambda _: None)
    with suppress(BulksendError):  # then the page says why, when it is loaded anew
        while (look := await asyncio.to_thread(_next, looks)) is not None and look.is_held:
            yield moved_elsewhere(look)
            await asyncio.sleep(_LOOK_S)


def _next(looks: Iterator[Look]) -> Look | None:
    return next(looks, None)


def _left(place: Place) -> tuple[Overview, Tally, str]:
    with open_run(place) as run:
        left = run.overview()
        return left, run.tally(), agreed(run.facts, left)


def _done(tally: Tally) -> tuple[int, int]:
    """How many of the rows that were to be sent are sent, and how many will not be."""
    return tally.statuses[Status.SENT], tally.statuses[Status.REJECTED]


def _paused(left: Overview, tally: Tally) -> Moved:
    return Moved("paused", left.rows).after(*_done(tally))
