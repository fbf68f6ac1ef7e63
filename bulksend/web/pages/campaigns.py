"""The first page: a new campaign, and those that there are."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from bulksend.campaign import Unread
from bulksend.model import Status
from bulksend.runs import Place, Stand, Standing, place_of
from bulksend.web.desk import desk_of, open_draft
from bulksend.web.drafts import Draft
from bulksend.web.pages.after import why
from bulksend.web.rendering import render
from bulksend.web.wording import say

_NOT_SENT = (Status.PENDING, Status.FAILED, Status.REJECTED, Status.UNKNOWN, Status.INVALID)


class Line(NamedTuple):
    """A campaign in the list.

    Attributes:
        name: its sheet's.
        place: its run's; empty if none is planned.
        key: its draft's; empty if it was begun elsewhere.
        state: where it stands.
        began_at: when it was begun, in seconds since 1970, or None.
        sent: rows.
        not_sent: rows that are still to be, or could not be.
        micro: what it was charged.
        says: why it ended, or cannot be read; empty for nothing.
        is_rehearsal: whether nobody got it.
        can_go: whether it can be removed from the list: nothing is lost with it.
    """

    name: str
    place: str
    key: str
    state: str
    began_at: float | None = None
    sent: int = 0
    not_sent: int = 0
    micro: int = 0
    says: str = ""
    is_rehearsal: bool = False
    can_go: bool = False


async def show(request: web.Request) -> web.StreamResponse:
    """Show them."""
    desk = desk_of(request)
    found = await desk.campaigns()
    drafts = {draft.place: draft for draft in desk.drafts if draft.run}
    lines = [_line(each, drafts) for each in found]
    listed = {line.key for line in lines}
    chosen = [draft for draft in desk.drafts if draft.key not in listed]
    lines = [*(Line(each.name, "", each.key, say("state.draft"), can_go=True) for each in chosen), *lines]
    wanted = request.query.get("name", "").strip()
    return render(
        request,
        "campaigns.html",
        lines=[line for line in lines if _fits(line, wanted)],
        has_any=bool(lines),
        wanted=wanted,
        shelf=desk.settings.database or str(desk.settings.folder.resolve()),
        named=desk.named,
    )


async def begin(request: web.Request) -> web.StreamResponse:
    """Begin another."""
    draft = desk_of(request).drafts.begin()
    raise web.HTTPSeeOther(f"/c/{draft.key}/sheet")


async def open_run_of(request: web.Request) -> web.StreamResponse:
    """Open one that was begun elsewhere, of those that the list shows."""
    desk = desk_of(request)
    place = str((await request.post()).get("place", ""))
    for each in await desk.campaigns():
        if isinstance(each, Stand) and each.place == place:
            draft = desk.drafts.of_run(place)
            if draft is None:
                draft = desk.drafts.begin()
                desk.drafts.keep(
                    Draft(draft.key, each.input_name, rehearses=each.is_rehearsal, elsewhere=True, run=place)
                )
            raise web.HTTPSeeOther(f"/c/{draft.key}/sending")
    raise web.HTTPNotFound(text=say("mishap.gone"))


async def remove(request: web.Request) -> web.StreamResponse:
    """Throw away what was chosen for one that nobody has sent, with the file that was brought; a run file stays."""
    draft = await open_draft(request)
    if draft.run and not draft.has_own_plan:
        raise web.HTTPConflict(text=say("mishap.planned"))
    await desk_of(request).remove(draft)
    raise web.HTTPSeeOther("/")


def _fits(line: Line, wanted: str) -> bool:
    """Whether each word that is looked for stands in a line."""
    text = f"{line.name} {line.state} {line.says}".casefold()
    return all(word in text for word in wanted.casefold().split())


def _line(found: Stand | Unread, drafts: dict[Place, Draft]) -> Line:
    if isinstance(found, Unread):
        return Line(Path(found.place).name, found.place, "", say("state.unread"), found.began_at, says=found.says)
    draft = drafts.get(place_of(found.place))
    statuses = found.tally.statuses
    return Line(
        Path(found.input_name).name,
        found.place,
        draft.key if draft else "",
        say(f"state.{found.standing.name.lower()}"),
        found.spell.started_at,
        statuses[Status.SENT],
        sum(statuses[status] for status in _NOT_SENT) + found.tally.in_flight,
        found.tally.charged,
        say("state.rehearsal") if found.is_rehearsal else why(found.end),
        found.is_rehearsal,
        can_go=draft is not None and draft.has_own_plan and found.standing is Standing.PLANNED,
    )
