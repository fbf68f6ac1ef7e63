"""The rows of a plan or a run, searched and looked at; what is looked for stands in no address."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bulksend.web.desk import desk_of, draft_of, has_begun
from bulksend.web.rendering import render
from bulksend.web.rows import Asked, look_for
from bulksend.web.wording import say

_DIGITS = 9  # of a row's number, at most


async def show(request: web.Request) -> web.StreamResponse:
    """Show some."""
    draft, form = draft_of(request), await request.post()
    if not draft.has_run:
        raise web.HTTPNotFound(text=say("mishap.gone"))
    reason = str(form.get("reason", ""))  # a status, and why
    status, _, why = reason.partition(" ") if reason else ("", "", "")
    after = str(form.get("after", ""))
    asked = Asked(
        status.replace("_", " "),
        why,
        str(form.get("holds", "")).strip(),
        int(after) if after.isascii() and after.isdigit() and len(after) <= _DIGITS else 0,
    )
    stand = await desk_of(request).stand(draft)
    back = "sending" if has_begun(stand) else "who"
    found = await asyncio.to_thread(look_for, draft.place, asked)
    return render(request, "rows.html", draft=draft, asked=asked, reason=reason, found=found, back=back)
