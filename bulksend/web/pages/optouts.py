"""Who is to get nothing more of the account: looked at, added, taken off the list. No address holds a number."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import web

from bulksend import campaign
from bulksend.errors import UsageError
from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs import Address, OptOut, OptOuts, optouts_of
from bulksend.web.desk import Desk, desk_of
from bulksend.web.drafts import Draft
from bulksend.web.rendering import render
from bulksend.web.telling import Flash
from bulksend.web.wording import advised, say
from bulksend.words import printable

_AT_ONCE = 50
_CONTACT = "contact "
_DIGITS = 18  # of a contact's id, at most
_NUMBERS = str.maketrans("", "", " -()+.")


class Listed(NamedTuple):
    """The list, as far as it is shown.

    Attributes:
        size: so many are on it.
        found: of these, so many are what is looked for.
        shown: the newest of them, that first.
    """

    size: int
    found: int
    shown: tuple[OptOut, ...]


async def show(request: web.Request) -> web.StreamResponse:
    """Show the list, or what of it is looked for."""
    return await _page(request, None)


async def add(request: web.Request) -> web.StreamResponse:
    """Put somebody on it."""
    form = await request.post()
    number, country, reason = (str(form.get(name, "")).strip() for name in ("number", "country", "reason"))

    def note(optouts: OptOuts) -> Flash:
        who, warnings = campaign.named([number], [], country or None, new_prefixes=True)
        added = optouts.add(who, printable(reason), time.time())
        says = say("optouts.added", number=number) if added else say("optouts.known", number=number)
        return Flash(" ".join((says, *warnings)))

    return await _page(request, note)


async def remove(request: web.Request) -> web.StreamResponse:
    """Take somebody off it, once that is confirmed."""
    form = await request.post()
    who = _named(str(form.get("who", "")))
    if form.get("sure") != "yes":
        return render(request, "optout.html", who=str(form["who"]), named=_shown(who), campaign=await _begun(request))

    def take_off(optouts: OptOuts) -> Flash:
        removed = optouts.remove([who])
        return Flash(say("optouts.removed", who=_shown(who)) if removed else say("optouts.gone", who=_shown(who)))

    return await _page(request, take_off)


async def _page(request: web.Request, change: Callable[[OptOuts], Flash] | None) -> web.StreamResponse:
    desk, form = desk_of(request), await request.post()
    holds = "" if change else str(form.get("holds", "")).strip()
    listed, told = None, None
    if desk.keys.organization is not None:
        listed, told = await asyncio.to_thread(_done, desk, change, holds)
    is_fault = told is not None and told.is_fault
    return render(
        request,
        "optouts.html",
        422 if is_fault else 200,
        listed=listed,
        told=told,
        holds=holds,
        said={name: str(value) for name, value in form.items()} if is_fault else {},
        campaign=await _begun(request),
    )


def _done(desk: Desk, change: Callable[[OptOuts], Flash] | None, holds: str) -> tuple[Listed, Flash | None]:
    told = None
    with optouts_of(desk.settings.database or None, _address(desk)) as optouts:
        if change is not None:
            try:
                told = change(optouts)
            except UsageError as error:  # a number that is none
                told = Flash(advised(error), is_fault=True)
        return _listed(optouts, holds), told


def _listed(optouts: OptOuts, holds: str) -> Listed:
    words, digits = holds.casefold(), holds.translate(_NUMBERS)
    size = found = 0
    shown: deque[OptOut] = deque(maxlen=_AT_ONCE)
    for each in optouts.all():
        size += 1
        if (digits.isdecimal() and digits in str(each.recipient)) or words in each.reason.casefold():
            found += 1
            shown.appendleft(each)
    return Listed(size, found, tuple(shown))


async def _begun(request: web.Request) -> Draft | None:
    """The campaign from which somebody came, and goes back to; None if it was from none."""
    key = request.query.get("campaign") or str((await request.post()).get("campaign", ""))
    return desk_of(request).drafts.find(key)


def _address(desk: Desk) -> Address:
    return Address(desk.keys.organization or 0, desk.settings.base_url)


def _shown(who: Recipient) -> str:
    return who if isinstance(who, str) else f"{_CONTACT}{who}"


def _named(text: str) -> Recipient:
    """Who is meant by a line of the list."""
    is_contact, digits = text.startswith(_CONTACT), text.removeprefix(_CONTACT)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS):
        raise web.HTTPBadRequest
    return ContactId(int(digits)) if is_contact else PhoneNumber(digits)
