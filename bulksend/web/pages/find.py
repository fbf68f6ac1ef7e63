"""What a phone got, over all campaigns; whose it is stands in no address."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bulksend import campaign
from bulksend.errors import UsageError
from bulksend.web.desk import desk_of
from bulksend.web.rendering import render
from bulksend.web.wording import advised


async def show(request: web.Request) -> web.StreamResponse:
    """Ask for a number, or show what was found."""
    desk, form = desk_of(request), await request.post()
    number, country = (str(form.get(name, "")).strip() for name in ("number", "country"))
    found, fault = None, ""
    if number:
        try:
            recipient = campaign.recipient_of(number, country or None)
            found = await asyncio.to_thread(campaign.search, desk.settings.shelf, recipient)
        except UsageError as error:
            fault = advised(error)
    return render(
        request,
        "find.html",
        422 if fault else 200,
        number=number,
        country=country,
        found=found,
        named=desk.named,
        fault=desk.named(fault),
    )
