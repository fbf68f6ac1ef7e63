"""Rows that were not sent are taken away, mended, and brought back as a campaign of their own."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.reports import write_mending
from bulksend.runs import open_run
from bulksend.web.desk import desk_of, draft_of
from bulksend.web.downloads import download
from bulksend.web.drafts import Draft
from bulksend.web.guarding import PARTS
from bulksend.web.told import Refused
from bulksend.web.uploads import receive


async def take(request: web.Request) -> web.StreamResponse:
    """The rows that were certainly not sent, as a sheet."""
    kind = request.match_info["kind"]
    return await download(request, f"to-mend.{kind}", write_mending)


async def bring(request: web.Request) -> web.StreamResponse:
    """Begin a campaign with the mended sheet, chosen as this one was."""
    desk, draft = desk_of(request), draft_of(request)
    known = await asyncio.to_thread(_known, draft) if draft.elsewhere else draft
    begun = replace(known, key=desk.drafts.begin().key, input_name="", sheet="", run="")
    try:
        path = await receive(request.get(PARTS), desk.drafts.new_sheet_folder(begun), desk.settings.upload_max)
        mended = replace(begun, input_name=str(path))
        if isinstance(seen := await desk.sheet(mended), Refused):
            raise UsageError(desk.named(seen.says))
    except BaseException:
        desk.drafts.remove(begun)
        raise
    await desk.keep(mended)
    made = await desk.make(mended)
    raise web.HTTPSeeOther(f"/c/{mended.key}/{'text' if isinstance(made, Refused) else 'who'}")


def _known(draft: Draft) -> Draft:
    """What is known of the choices for a plan that was made elsewhere."""
    with open_run(draft.place) as run:
        facts = run.facts
    return replace(draft, message=facts.template or "", sender=facts.sender or "", elsewhere=False)
