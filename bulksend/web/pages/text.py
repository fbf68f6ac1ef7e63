"""The second step: the text, how a phone shows it, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.sms import Template, lookalikes, segments
from bulksend.web.desk import chosen_draft, desk_of
from bulksend.web.drafts import Draft
from bulksend.web.jobs import Price
from bulksend.web.rendering import fragment, render
from bulksend.web.telling import flash
from bulksend.web.told import Priced, Refused, SheetSeen
from bulksend.web.wording import say
from bulksend.web.working import do


class Piece(NamedTuple):
    """Some of a text.

    Attributes:
        text: it.
        is_costly: whether it makes the whole text travel in the wide alphabet.
    """

    text: str
    is_costly: bool


class Preview(NamedTuple):
    """A text as a row's phone shows it.

    Attributes:
        row: the row's number.
        rows: so many can be looked at.
        to: the row's number.
        pieces: its text.
        units: characters, as the telco counts them.
        room: of these, so many fit into the parts that it takes.
        parts: SMS parts.
        is_wide: whether it travels in the wide alphabet.
        costly: the characters that have it do so, each once.
        is_long: whether it is longer than the API takes.
        fault: why there is none; empty if there is.
        is_slip: whether the text is why, for any row.
    """

    row: int
    rows: int
    to: str = ""
    pieces: tuple[Piece, ...] = ()
    units: int = 0
    room: int = 0
    parts: int = 0
    is_wide: bool = False
    costly: str = ""
    is_long: bool = False
    fault: str = ""
    is_slip: bool = False


async def show(request: web.Request) -> web.StreamResponse:
    """Show the editor."""
    draft = await chosen_draft(request)
    if not draft.input_name:
        raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")
    return await page(request, draft, "")


async def keep(request: web.Request) -> web.StreamResponse:
    """Take the text, and plan it."""
    desk, draft = desk_of(request), await said(request)
    kept = await desk.keep(draft)
    made = await desk.make(kept)
    if isinstance(made, Refused):
        return await page(request, kept, made.says)
    raise web.HTTPSeeOther(f"/c/{draft.key}/who")


async def preview(request: web.Request) -> web.StreamResponse:
    """A row's message as it would be now; nothing is kept."""
    draft, form = await said(request), await request.post()
    seen = await desk_of(request).sheet(draft)
    row = _number(str(form.get("row", "")))
    return _piece("_preview.html", draft=draft, preview=_preview(draft, seen, row))


async def price(request: web.Request) -> web.StreamResponse:
    """What all rows would come to; nothing is kept."""
    draft = await said(request)
    found = await do(Price(draft)) if draft.message.strip() else Refused("")
    slips = _preview(draft, await desk_of(request).sheet(draft), 1).is_slip  # which the preview tells
    fault = found.says if isinstance(found, Refused) and not slips else ""
    return _piece("_priced.html", priced=found if isinstance(found, Priced) else None, fault=fault)


async def said(request: web.Request) -> Draft:
    """The draft, with the text as it is written now; as it was kept, where a browser without scripts sends none."""
    draft, form = await chosen_draft(request), await request.post()
    if "message" not in form:
        return draft
    message = str(form.get("message", "")).replace("\r\n", "\n")
    sender, gsm = str(form.get("sender", "")).strip(), form.get("gsm") == "yes"
    return replace(draft, message=message, sender=sender, gsm=gsm)


async def page(request: web.Request, draft: Draft, fault: str) -> web.StreamResponse:
    """The editor, with a fault if there is one."""
    desk = desk_of(request)
    seen = await desk.sheet(draft)
    if isinstance(seen, Refused):
        raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")  # which says why, and asks for another one
    shown = _preview(draft, seen, 1)
    if fault and shown.is_slip:  # which is told above, and need not be told twice
        shown = shown._replace(fault=say("text.empty"), is_slip=False)
    return render(
        request,
        "text.html",
        422 if fault else 200,
        draft=draft,
        seen=seen,
        preview=shown,
        told=flash(desk.told.pop(draft.key, None), is_rehearsal=draft.rehearses),
        can_send=desk.can_send(draft),
        fault=desk.named(fault),
    )


def _piece(template: str, **about: object) -> web.Response:
    return web.Response(text=fragment(template, **about), content_type="text/html")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _preview(draft: Draft, seen: SheetSeen | Refused, row: int) -> Preview:
    if isinstance(seen, Refused):
        return Preview(0, 0, fault=seen.says)
    rows = len(seen.rows)
    row = min(max(row, 1), rows) if rows else 0
    if not row or not draft.message.strip():
        return Preview(row, rows, fault=say("text.empty"))
    cells = dict(zip(seen.columns, seen.rows[row - 1], strict=False))
    try:
        bound = Template.parse(draft.message).bind(seen.columns)
    except UsageError as error:
        return Preview(row, rows, cells.get(seen.numbers, ""), fault=str(error), is_slip=True)
    held = [seen.rows[row - 1][column].strip() for column in bound.columns]
    for cell, fallback, name in zip(held, bound.fallbacks, bound.names, strict=True):
        if not cell and fallback is None:
            return Preview(row, rows, cells.get(seen.numbers, ""), fault=say("text.empty_cell", name=name))
    values = [[cell or fallback or ""] for cell, fallback in zip(held, bound.fallbacks, strict=True)]
    text = bound.fill(values, 1)[0]
    return _measured(lookalikes.plain(text) if draft.gsm else text, Preview(row, rows, cells.get(seen.numbers, "")))


def _measured(text: str, of: Preview) -> Preview:
    size, foreign = segments.count(text), segments.foreign(text)
    alone, each = segments.LIMITS[size.encoding]
    costly = {place for place, _ in foreign}
    pieces: list[Piece] = []
    for place, letter in enumerate(text):
        if pieces and pieces[-1].is_costly == (place in costly):
            pieces[-1] = Piece(pieces[-1].text + letter, place in costly)
        else:
            pieces.append(Piece(letter, place in costly))
    return of._replace(
        pieces=tuple(pieces),
        units=size.units,
        room=alone if size.parts == 1 else each * size.parts,
        parts=size.parts,
        is_wide=bool(foreign),
        costly=" ".join(dict.fromkeys(letter for _, letter in foreign)),
        is_long=size.parts > segments.MAX_PARTS,
    )
