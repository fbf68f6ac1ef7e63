"""The third step: who gets it, who is left out and why, and which rows are bad."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from bulksend.errors import Advice, Remark, UsageError
from bulksend.model import Status
from bulksend.planning import Plan
from bulksend.rules import Rule
from bulksend.runs import NotSent, Place, open_run
from bulksend.sms import phones
from bulksend.web.desk import chosen_draft, desk_of
from bulksend.web.drafts import Draft
from bulksend.web.guarding import PARTS
from bulksend.web.pages.price import number_in
from bulksend.web.rendering import render
from bulksend.web.told import Refused
from bulksend.web.uploads import receive
from bulksend.web.wording import say

_REASONS, _EXAMPLES = 50, 3
_DAYS_MAX = 400  # for so long history is kept


class Chosen(NamedTuple):
    """Who gets it, as it was planned.

    Attributes:
        plan: the plan.
        reasons: why rows are left out, or bad.
    """

    plan: Plan
    reasons: tuple[NotSent, ...]

    @property
    def bad(self) -> list[NotSent]:
        """Why rows are bad."""
        return [each for each in self.reasons if each.status is Status.INVALID]

    @property
    def codeless(self) -> str:
        """One of the numbers that have no country code; empty if all have."""
        some = (each.examples[0].value for each in self.plan.findings.reasons if each.advice is Advice.SAY_COUNTRY)
        return next(some, "")

    @property
    def unwilling(self) -> list[Remark]:
        """What columns tell of people who may not want it."""
        return [each for each in self.plan.findings.warnings if each.rule is Rule.CONSENT]

    @property
    def left_out(self) -> list[NotSent]:
        """Why rows are left out on purpose."""
        return [each for each in self.reasons if each.status is not Status.INVALID]


async def show(request: web.Request) -> web.StreamResponse:
    """Show them."""
    return await _page(request, await chosen_draft(request), "")


async def add_filter(request: web.Request) -> web.StreamResponse:
    """Choose rows by what a column holds."""
    draft, form = await chosen_draft(request), await request.post()
    pair = (str(form.get("column", "")), str(form.get("value", "")).strip())
    if form.get("kind") == "skip":
        return await _planned(request, draft, replace(draft, skip=_with(draft.skip, pair)))
    return await _planned(request, draft, replace(draft, only=_with(draft.only, pair)))


async def remove_filter(request: web.Request) -> web.StreamResponse:
    """Choose them by that no more."""
    draft, form = await chosen_draft(request), await request.post()
    place = str(form.get("place", ""))
    only = [pair for number, pair in enumerate(draft.only) if place != f"only {number}"]
    skip = [pair for number, pair in enumerate(draft.skip) if place != f"skip {number}"]
    return await _planned(request, draft, replace(draft, only=tuple(only), skip=tuple(skip)))


async def add_list(request: web.Request) -> web.StreamResponse:
    """Take a list of those to leave out that is brought; one that cannot be read is not kept."""
    desk, draft = desk_of(request), await chosen_draft(request)
    path = await receive(request.get(PARTS), desk.drafts.list_folder(draft), desk.settings.upload_max)
    refusal = await _planned(request, draft, replace(draft, lists=(*draft.lists, str(path))))
    desk.drafts.unbring(draft, path)
    return refusal


async def remove_list(request: web.Request) -> web.StreamResponse:
    """Leave them out no more."""
    desk, draft, form = desk_of(request), await chosen_draft(request), await request.post()
    place = str(form.get("place", ""))
    lists = [path for number, path in enumerate(draft.lists) if str(number) != place]
    try:
        return await _planned(request, draft, replace(draft, lists=tuple(lists)))
    except web.HTTPSeeOther:
        for path in set(draft.lists) - set(lists):
            desk.drafts.unbring(draft, Path(path))
        raise


async def choose(request: web.Request) -> web.StreamResponse:
    """Take what is said of repeats and countries."""
    draft, form = await chosen_draft(request), await request.post()
    codes = [str(each) for each in (*form.getall("countries", []), form.get("another", "")) if each]
    try:
        countries = tuple(sorted({phones.check_country(code) for code in codes}))
    except UsageError as error:
        return await _page(request, draft, str(error))
    one, repeats = form.get("one_per_number") == "yes", form.get("skips_repeats") == "yes"
    said = replace(draft, one_per_number=one, skips_repeats=repeats, countries=countries)
    return await _planned(request, draft, said)


async def choose_more(request: web.Request) -> web.StreamResponse:
    """Take what is said of whom earlier campaigns reached."""
    draft, form = await chosen_draft(request), await request.post()
    days = str(form.get("not_within", "")).strip()
    if days and not 0 < number_in(days) <= _DAYS_MAX:
        return await _page(request, draft, say("who.no_days", most=_DAYS_MAX))
    dead = form.get("exclude_dead") == "yes"
    return await _planned(request, draft, replace(draft, not_within=number_in(days), exclude_dead=dead))


async def repeat(request: web.Request) -> web.StreamResponse:
    """Send it again to who got it already, or do not."""
    draft, form = await chosen_draft(request), await request.post()
    return await _planned(request, draft, replace(draft, repeats=form.get("repeats") == "yes"))


async def _planned(request: web.Request, before: Draft, said: Draft) -> web.StreamResponse:
    """Plan what is said now; if that cannot be, all stays as it was, and it is told why."""
    made = await desk_of(request).make(said)
    if isinstance(made, Refused):
        return await _page(request, before, made.says)
    raise web.HTTPSeeOther(f"/c/{said.key}/who")


async def _page(request: web.Request, draft: Draft, fault: str) -> web.StreamResponse:
    desk = desk_of(request)
    if not draft.has_run:
        raise web.HTTPSeeOther(f"/c/{draft.key}/text")
    seen = await desk.sheet(draft)
    chosen = await asyncio.to_thread(_chosen, draft.place)
    return render(
        request,
        "who.html",
        422 if fault else 200,
        draft=draft,
        chosen=chosen,
        made=desk.made.get(draft.key),
        codeless=chosen.codeless,
        columns=() if isinstance(seen, Refused) else seen.columns,
        lists=[Path(path).name for path in draft.lists],
        knows_account=desk.can_send(draft),
        fault=desk.named(fault),
    )


def _chosen(place: Place) -> Chosen:
    with open_run(place) as run:
        return Chosen(run.plan(previews=0), tuple(run.figures.not_sent(_REASONS, _EXAMPLES)))


def _with(pairs: Sequence[tuple[str, str]], pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    if not pair[0]:
        raise UsageError(say("who.no_column"))
    return (*(each for each in pairs if each != pair), pair)
