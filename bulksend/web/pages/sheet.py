"""The first step: a sheet, how it is understood, and which column holds the numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.sms import column_key, phones
from bulksend.web.desk import chosen_draft, desk_of
from bulksend.web.drafts import Draft
from bulksend.web.guarding import PARTS
from bulksend.web.rendering import render
from bulksend.web.told import Refused, SheetSeen
from bulksend.web.uploads import receive
from bulksend.web.wording import say
from bulksend.words import printable

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


async def other(request: web.Request) -> web.StreamResponse:
    """Ask for another one; the one that is there stays until that is understood."""
    return _choice(request, await chosen_draft(request))


async def bring(request: web.Request) -> web.StreamResponse:
    """Take a file that is brought, once it is whole and understood."""
    desk, draft = desk_of(request), await chosen_draft(request)
    path = await receive(request.get(PARTS), desk.drafts.new_sheet_folder(draft), desk.settings.upload_max)
    return await _taken(request, draft, path)


async def choose(request: web.Request) -> web.StreamResponse:
    """Take one of the folder."""
    desk, draft = desk_of(request), await chosen_draft(request)
    name = str((await request.post()).get("file", ""))
    if name not in sheets_in(desk.settings.folder):
        raise UsageError(say("sheet.none"))
    return await _taken(request, draft, desk.settings.folder.resolve() / name)


async def choose_sheet(request: web.Request) -> web.StreamResponse:
    """Read another sheet of the workbook; the column of the numbers stays chosen if that one has it too."""
    desk, draft = desk_of(request), await chosen_draft(request)
    wanted = replace(draft, sheet=str((await request.post()).get("sheet", "")), numbers="")
    seen = await desk.sheet(wanted)
    if isinstance(seen, Refused):
        return await _understood(request, draft, desk.named(seen.says))
    if draft.numbers in seen.columns:
        wanted = replace(wanted, numbers=draft.numbers)
    await desk.keep(wanted)
    raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")


async def choose_columns(request: web.Request) -> web.StreamResponse:
    """Take what is said of the columns."""
    desk, draft = desk_of(request), await chosen_draft(request)
    form = await request.post()
    said = replace(draft, numbers=str(form.get("numbers", "")), country=str(form.get("country", "")).strip().upper())
    shown = await desk.sheet(draft)
    if isinstance(shown, SheetSeen) and said.numbers != shown.numbers:
        said = replace(said, sheet=shown.sheet)  # or else the first sheet is read that has this column
    try:
        if said.country:
            phones.check_country(said.country)
    except UsageError as error:
        return await _understood(request, said, str(error))
    seen = await desk.sheet(said)
    if isinstance(seen, Refused) or seen.asks:
        return await _understood(request, said, "")
    await desk.keep(_fitting(said, seen))
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


def _lost(draft: Draft, fitting: Draft) -> list[str]:
    """What is said of columns that the sheet has not, and so falls away, in words."""
    only = [("who.only_is", *pair) for pair in draft.only if pair not in fitting.only]
    skip = [("who.skip_is", *pair) for pair in draft.skip if pair not in fitting.skip]
    return [
        say(key, column=printable(column, 60), value=printable(value, 60) or say("who.empty"))
        for key, column, value in (*only, *skip)
    ]


def _choice(request: web.Request, draft: Draft, fault: str = "") -> web.StreamResponse:
    folder = desk_of(request).settings.folder.resolve()
    about = {"files": sheets_in(folder), "folder": folder.name or str(folder)}
    return render(request, "choose.html", 422 if fault else 200, draft=draft, fault=fault, **about)


def _fitting(draft: Draft, seen: SheetSeen) -> Draft:
    """The draft without what is said of columns that its sheet has not."""
    known = set(map(column_key, seen.columns))
    only, skip = ([pair for pair in some if column_key(pair[0]) in known] for some in (draft.only, draft.skip))
    return replace(draft, only=tuple(only), skip=tuple(skip))


async def _taken(request: web.Request, draft: Draft, path: Path) -> web.StreamResponse:
    """Look at a file before it is taken for the sheet; where it is none, the one that was there stays."""
    desk = desk_of(request)
    wanted = replace(draft, input_name=str(path), sheet="", numbers="")
    desk.look_anew(wanted)
    try:
        seen = await desk.sheet(wanted)
        if isinstance(seen, Refused):
            return _choice(request, draft, desk.named(seen.says))
        await desk.keep(wanted)
    finally:
        desk.drafts.sweep_sheets(draft)
    raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")


async def _understood(request: web.Request, draft: Draft, fault: str) -> web.StreamResponse:
    desk = desk_of(request)
    seen = await desk.sheet(draft)
    if isinstance(seen, Refused):
        plain = await desk.sheet(replace(draft, sheet="", numbers=""))
        if isinstance(plain, Refused):
            return _choice(request, draft, desk.named(plain.says))
        fault, seen = desk.named(seen.says), plain
    return render(
        request,
        "sheet.html",
        422 if fault else 200,
        draft=draft,
        seen=seen,
        asks=desk.named(seen.asks),
        fault=fault,
        shown=seen.rows[:_ROWS],
        lost=_lost(draft, _fitting(draft, seen)),
    )
