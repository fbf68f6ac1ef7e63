"""The third step: what it comes to, how each message reads, and whose account pays."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.planning import Group, Overview, Plan
from bulksend.runs import RowTold, open_run
from bulksend.sms import phones
from bulksend.web.desk import desk_of, open_draft
from bulksend.web.drafts import Draft
from bulksend.web.jobs import Refused
from bulksend.web.rendering import render
from bulksend.web.wording import say

_DIGITS = 9  # of a row's number, at most


class Country(NamedTuple):
    """What goes to a country."""

    name: str
    overview: Overview


class Shown(NamedTuple):
    """A plan, and one of its rows.

    Attributes:
        plan: it.
        countries: what goes where, most messages first.
        row: the row that is looked at; None if there is none.
        rows: so many there are.
    """

    plan: Plan
    countries: tuple[Country, ...]
    row: RowTold | None
    rows: int


async def show(request: web.Request) -> web.StreamResponse:
    """Show the plan."""
    desk, draft = desk_of(request), await open_draft(request)
    if not draft.has_run:
        raise web.HTTPSeeOther(f"/c/{draft.key}/text")
    wanted = request.query.get("row", "")
    row = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= _DIGITS else 0
    shown = await asyncio.to_thread(_shown, draft.run, row)
    return render(
        request,
        "price.html",
        draft=draft,
        shown=shown,
        agreed=agreed(shown.plan.overview),
        organization=desk.keys.organization,
        balance=desk.made[draft.key].balance if draft.key in desk.made else None,
        can_send=desk.can_send(draft),
    )


async def choose_way(request: web.Request) -> web.StreamResponse:
    """Rehearse, or send for real."""
    draft, form = await open_draft(request), await request.post()
    await _planned_anew(request, replace(draft, rehearses=form.get("way") == "rehearse"))
    raise web.HTTPSeeOther(f"/c/{draft.key}/price")


async def keep_key(request: web.Request) -> web.StreamResponse:
    """Keep the account's key, and plan anew by what that account has sent."""
    draft, form = await open_draft(request), await request.post()
    number, key = str(form.get("organization", "")).strip(), str(form.get("key", "")).strip()
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
        raise UsageError(say("price.no_organization"))
    desk_of(request).keys.keep(int(number), key)
    await _planned_anew(request, draft)
    raise web.HTTPSeeOther(f"/c/{draft.key}/price")


async def forget_key(request: web.Request) -> web.StreamResponse:
    """Remove it."""
    draft = await open_draft(request)
    desk_of(request).keys.forget()
    raise web.HTTPSeeOther(f"/c/{draft.key}/price")


def agreed(overview: Overview) -> str:
    """What a person agrees to with the button: if that is something else by then, it is asked anew."""
    return f"{overview.rows} {overview.price} {overview.unpriced}"


async def _planned_anew(request: web.Request, draft: Draft) -> None:
    desk = desk_of(request)
    made = await desk.make(desk.keep(draft))
    if isinstance(made, Refused):
        raise UsageError(made.says)


def _shown(place: str, wanted: int) -> Shown:
    with open_run(Path(place)) as run:
        plan = run.plan()
        rows = plan.tally.rows
        first = plan.previews[0].row if plan.previews else 1
        told = run.told([min(wanted, rows) or first])
    groups: dict[str, list[Group]] = defaultdict(list)
    for group in plan.overview.groups:
        groups[group.code].append(group)
    countries = [Country(phones.country_name(code), Overview(tuple(some), ())) for code, some in groups.items()]
    return Shown(plan, tuple(sorted(countries, key=lambda each: -each.overview.rows)), next(iter(told), None), rows)
