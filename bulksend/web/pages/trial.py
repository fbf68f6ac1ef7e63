"""The real text of one row goes to one's own phone, before the campaign does; how that went is told once."""

from __future__ import annotations

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.web.desk import desk_of, open_draft
from bulksend.web.drafts import Draft
from bulksend.web.jobs import Try
from bulksend.web.pages import text
from bulksend.web.pages.price import number_in
from bulksend.web.told import Refused
from bulksend.web.wording import say


async def send(request: web.Request) -> web.StreamResponse:
    """Send a row of what is planned."""
    draft = await open_draft(request)
    row = await _try(request, draft, "row")
    raise web.HTTPSeeOther(f"/c/{draft.key}/price?row={row}")


async def send_text(request: web.Request) -> web.StreamResponse:
    """Send a row of the text as it is written now, which is taken and planned for that."""
    desk, draft = desk_of(request), await text.said(request)
    if not desk.can_send(draft):
        raise UsageError(say("price.no_organization"))
    made = await desk.make(await desk.keep(draft))
    if isinstance(made, Refused):
        return await text.page(request, draft, made.says)
    await _try(request, made, "trial_row")
    raise web.HTTPSeeOther(f"/c/{draft.key}/text")


async def _try(request: web.Request, draft: Draft, field: str) -> int:
    desk, form = desk_of(request), await request.post()
    row, phone = number_in(str(form.get(field, ""))), str(form.get("phone", "")).strip()
    if not (row and draft.has_run and desk.can_send(draft)):
        raise UsageError(say("price.no_organization"))
    desk.told[draft.key] = await desk.try_out(Try(draft, desk.whose(draft), row, phone))
    return row
