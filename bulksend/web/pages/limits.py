"""When a campaign is sent, and what it may cost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.runs import own_run
from bulksend.sms import parse_dollars
from bulksend.web.choices import options_of
from bulksend.web.desk import desk_of, open_draft
from bulksend.web.drafts import Draft
from bulksend.web.pages.price import page
from bulksend.web.wording import say


async def choose_time(request: web.Request) -> web.StreamResponse:
    """Take what is said of the time; the run keeps it."""
    draft, form = await _planned(request), await request.post()
    start, window, zone = (str(form.get(name, "")).strip() for name in ("start_at", "window", "zone"))
    said = replace(draft, start_at=start, window=window, zone=zone)
    try:
        await asyncio.to_thread(_keep_time, said)
    except UsageError as error:
        return await page(request, draft, str(error))
    desk_of(request).drafts.keep(said)
    raise web.HTTPSeeOther(f"/c/{draft.key}/price")


async def choose_most(request: web.Request) -> web.StreamResponse:
    """Take what it may cost at most."""
    draft, form = await _planned(request), await request.post()
    most = str(form.get("most", "")).strip()
    try:
        said = replace(draft, max_cost=int(parse_dollars(most.replace(",", ""))) if most else 0)
    except UsageError as error:
        return await page(request, draft, str(error))
    desk_of(request).drafts.keep(said)
    raise web.HTTPSeeOther(f"/c/{draft.key}/price")


async def choose_caps(request: web.Request) -> web.StreamResponse:
    """Take what is said of the telcos' limits for one phone."""
    draft, form = await _planned(request), await request.post()
    said = replace(
        draft, cap=tuple(str(form.get("cap", "")).split()), cap_counts=str(form.get("cap_counts", "")) or "parts"
    )
    try:
        options_of(said).settled()
    except UsageError as error:
        return await page(request, draft, str(error))
    desk_of(request).drafts.keep(said)
    raise web.HTTPSeeOther(f"/c/{draft.key}/price")


async def _planned(request: web.Request) -> Draft:
    """The draft, if nobody plans it meanwhile: then what is said now would be lost with what was said before.

    Raises:
        HTTPConflict: somebody does.
    """
    draft = await open_draft(request)
    if desk_of(request).is_planned_anew(draft):
        raise web.HTTPConflict(text=say("price.changed"))
    return draft


def _keep_time(draft: Draft) -> None:
    now_s = time.time()
    with own_run(draft.place, now_s) as run:
        run.times.keep(draft.schedule(run.times.schedule, now_s))
