"""The first step: a sheet, how it is understood, and which column holds the numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.sms import phones
from bulksend.web.desk import chosen_draft, desk_of
from bulksend.web.drafts import Draft
from bulksend.web.guarding import PARTS
from bulksend.web.rendering import render
from bulksend.web.told import Refused
from bulksend.web.uploads import receive
from bulksend.web.wording import say

_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".ods", ".xls", ".xlsb", ".jsonl", ".ndjson", ".gz")
_NO_SHEETS = (".results.csv", ".results.xlsx", ".results.jsonl")
_FILES_MAX = 100
_ROWS = 8


async def show(request: web.Request) -> web.StreamResponse:
    """Ask for a sheet, or show how it is understood."""
    draft = await chosen_draft(request)
    if not draft.input_name:
        return _choice(request, draft)
    return await _understood(request, draft, "")


async def bring(request: web.Request) -> web.StreamResponse:
    """Take a file that is brought."""
    desk, draft = desk_of(request), await chosen_draft(request)
    path = await receive(request.get(PARTS), desk.drafts.sheet_folder(draft), desk.settings.upload_max)
    return await _taken(request, draft, path)


async def choose(request: web.Request) -> web.StreamResponse:
    """Take one of the folder."""
    desk, draft = desk_of(request), await chosen_draft(request)
    name = str((await request.post()).get("file", ""))
    if name not in sheets_in(desk.settings.folder):
        raise UsageError(say("sheet.none"))
    return await _taken(request, draft, desk.settings.folder.resolve() / name)


async def leave(request: web.Request) -> web.StreamResponse:
    """Choose another one after all."""
    desk, draft = desk_of(request), await chosen_draft(request)
    await desk.keep(replace(draft, input_name="", numbers=""))
    raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")


async def choose_columns(request: web.Request) -> web.StreamResponse:
    """Take what is said of the columns."""
    desk, draft = desk_of(request), await chosen_draft(request)
    form = await request.post()
    said = replace(draft, numbers=str(form.get("numbers", "")), country=str(form.get("country", "")).strip().upper())
    try:
        if said.country:
            phones.check_country(said.country)
    except UsageError as error:
        return await _understood(request, said, str(error))
    seen = await desk.sheet(said)
    if isinstance(seen, Refused) or seen.asks:
        return await _understood(request, said, "")
    await desk.keep(said)
    raise web.HTTPSeeOther(f"/c/{draft.key}/text")


def sheets_in(folder: Path) -> list[str]:
    """The names of the sheets that lie in a folder, the newest first."""
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _ENDINGS
        and not path.name.lower().endswith(_NO_SHEETS)
        and not path.name.startswith(".")
        and path.is_file()
    ]
    return [path.name for path in sorted(found, key=lambda path: -path.stat().st_mtime)[:_FILES_MAX]]


def _choice(request: web.Request, draft: Draft, fault: str = "") -> web.StreamResponse:
    folder = desk_of(request).settings.folder.resolve()
    about = {"files": sheets_in(folder), "folder": folder.name or str(folder)}
    return render(request, "choose.html", 422 if fault else 200, draft=draft, fault=fault, **about)


async def _taken(request: web.Request, draft: Draft, path: Path) -> web.StreamResponse:
    """Look at a file before it is taken for the sheet; one that is none is removed again, if it was brought."""
    desk = desk_of(request)
    wanted = replace(draft, input_name=str(path), numbers="")
    desk.look_anew(wanted)
    seen = await desk.sheet(wanted)
    if isinstance(seen, Refused):
        desk.drafts.unbring(draft, path)
        return _choice(request, draft, desk.named(seen.says))
    await desk.keep(wanted)
    raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")


async def _understood(request: web.Request, draft: Draft, fault: str) -> web.StreamResponse:
    desk = desk_of(request)
    seen = await desk.sheet(draft)
    if isinstance(seen, Refused):
        plain = await desk.sheet(replace(draft, numbers=""))
        if isinstance(plain, Refused):
            raise UsageError(desk.named(plain.says))
        fault, seen = desk.named(seen.says), plain
    asks = desk.named(seen.asks)
    status = 422 if fault else 200
    return render(
        request, "sheet.html", status, draft=draft, seen=seen, asks=asks, fault=fault, shown=seen.rows[:_ROWS]
    )
