"""The fourth step: what it comes to, when it is sent, how each message reads, and whose account pays."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

from aiohttp import web

from bulksend import campaign
from bulksend.campaign import Taking
from bulksend.engagespark import DEFAULT_BASE_URL
from bulksend.errors import Remark, Severity, UsageError
from bulksend.planning import Group, Overview, Plan
from bulksend.runs import Facts, RowTold, open_run
from bulksend.sms import phones
from bulksend.web.choices import options_of
from bulksend.web.confirming import to_write
from bulksend.web.desk import chosen_draft, desk_of, draft_of, open_draft
from bulksend.web.drafts import Draft
from bulksend.web.rendering import render
from bulksend.web.telling import flash
from bulksend.web.told import Refused
from bulksend.web.wording import say
from bulksend.when import Schedule, Span

_DIGITS = 9  # of a row's number, at most


class Country(NamedTuple):
    """What goes to a country."""

    name: str
    overview: Overview


class Shown(NamedTuple):
    """A plan, and one of its rows.

    Attributes:
        plan: it.
        remarks: what may not be as it was meant, the worst first.
        countries: what goes where, most messages first.
        row: the row that is looked at; None if there is none.
        rows: so many there are.
        taking: how long it takes.
        schedule: when it is sent.
        span: from when to when that is likely to be.
        agreed: what a person agrees to with the button.
    """

    plan: Plan
    remarks: tuple[Remark, ...]
    countries: tuple[Country, ...]
    row: RowTold | None
    rows: int
    taking: Taking
    schedule: Schedule
    span: Span
    agreed: str


async def show(request: web.Request) -> web.StreamResponse:
    """Show the plan."""
    return await page(request, await open_draft(request))


async def page(request: web.Request, draft: Draft, fault: str = "") -> web.StreamResponse:
    """The plan's page, with a fault if there is one."""
    desk = desk_of(request)
    if not draft.has_run:
        raise web.HTTPSeeOther(f"/c/{draft.key}/text")
    shown = await asyncio.to_thread(_shown, draft, number_in(request.query.get("row", "")))
    overview = shown.plan.overview
    return render(
        request,
        "price.html",
        422 if fault else 200,
        draft=draft,
        shown=shown,
        agreed=shown.agreed,
        to_write=to_write(draft, overview, desk.settings.confirm_above),
        organization=desk.keys.organization,
        foreign_address=desk.settings.base_url if desk.settings.base_url != DEFAULT_BASE_URL else "",
        made=desk.made.get(draft.key),
        told=flash(desk.told.pop(draft.key, None), is_rehearsal=draft.rehearses),
        can_send=desk.can_send(draft),
        named=desk.named,
        fault=desk.named(fault),
    )


async def choose_way(request: web.Request) -> web.StreamResponse:
    """Rehearse, or send for real."""
    draft, form = await chosen_draft(request), await request.post()
    return await _planned_anew(request, draft, replace(draft, rehearses=form.get("way") == "rehearse"))


async def keep_key(request: web.Request) -> web.StreamResponse:
    """Keep the account's key, and plan anew by what it has sent; what has begun or was planned elsewhere stays."""
    desk, draft, form = desk_of(request), draft_of(request), await request.post()
    number, key = str(form.get("organization", "")).strip(), str(form.get("key", "")).strip()
    if not number_in(number):
        raise UsageError(say("price.no_organization"))
    desk.keys.keep(int(number), key)
    await desk.check_open(draft)
    if draft.elsewhere:
        raise web.HTTPSeeOther(f"/c/{draft.key}/price")
    return await _planned_anew(request, draft, draft)


async def forget_key(request: web.Request) -> web.StreamResponse:
    """Remove it."""
    draft = await open_draft(request)
    desk_of(request).keys.forget()
    raise web.HTTPSeeOther(f"/c/{draft.key}/price")


def agreed(facts: Facts, overview: Overview) -> str:
    """What a person agrees to with the button: if that is something else by then, it is asked anew.

    Args:
        facts: the plan's, for another text or choice may come to the same.
        overview: what is left of it.
    """
    return f"{facts.plan_id} {overview.rows} {overview.price} {overview.unpriced}"


def number_in(text: str) -> int:
    """A number that is written; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


async def _planned_anew(request: web.Request, draft: Draft, said: Draft) -> web.StreamResponse:
    made = await desk_of(request).make(said)
    if isinstance(made, Refused):
        return await page(request, draft, made.says)
    raise web.HTTPSeeOther(f"/c/{draft.key}/price")


def _shown(draft: Draft, wanted: int) -> Shown:
    now_s = time.time()
    with open_run(draft.place) as run:
        plan, schedule, facts = run.plan(), run.times.schedule, run.facts
        rows = plan.tally.rows
        first = plan.previews[0].row if plan.previews else 1
        told = run.told([min(wanted, rows) or first])
        how = campaign.as_last(options_of(draft).settled(), facts.address, run.place)
    findings = campaign.with_hours(plan.findings, plan, how, facts.address, schedule, now_s) or plan.findings
    remarks = [each for each in findings.worst_first() if isinstance(each, Remark) and each.severity < Severity.NOTE]
    groups: dict[str, list[Group]] = defaultdict(list)
    for group in plan.overview.groups:
        groups[group.code].append(group)
    countries = [Country(phones.country_name(code), Overview(tuple(some), ())) for code, some in groups.items()]
    return Shown(
        plan,
        tuple(remarks),
        tuple(sorted(countries, key=lambda each: -each.overview.rows)),
        next(iter(told), None),
        rows,
        campaign.taking(plan.overview, how),
        schedule,
        campaign.span_of(plan.overview, how, schedule, now_s),
        agreed(facts, plan.overview),
    )
