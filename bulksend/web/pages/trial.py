"""The real text of one row goes to one's own phone, before the campaign does."""

from __future__ import annotations

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.web.desk import desk_of, open_draft
from bulksend.web.jobs import Try
from bulksend.web.pages.price import number_in
from bulksend.web.wording import say


async def send(request: web.Request) -> web.StreamResponse:
    """Send it; how that went is told once, where the row is shown."""
    desk, draft, form = desk_of(request), await open_draft(request), await request.post()
    row = number_in(str(form.get("row", "")))
    if not (row and draft.has_run and desk.can_send(draft)):
        raise UsageError(say("price.no_organization"))
    phone = str(form.get("phone", "")).strip()
    desk.told[draft.key] = await desk.ask(Try(draft, desk.whose(draft), row, phone))
    raise web.HTTPSeeOther(f"/c/{draft.key}/price?row={row}")
