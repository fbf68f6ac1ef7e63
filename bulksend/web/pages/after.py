"""What became of it: what was sent, what was not and why, whether it arrived; and what people take away."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from bulksend.errors import UsageError
from bulksend.planning import Overview
from bulksend.reports import why_ended, write_page, write_results
from bulksend.runs import FINISHED, Deliveries, End, NotSent, Place, Run, Stand, open_run, stand_of
from bulksend.sending import StopReason
from bulksend.web.confirming import to_write
from bulksend.web.desk import desk_of, draft_of
from bulksend.web.downloads import download
from bulksend.web.drafts import Draft
from bulksend.web.jobs import Fetch, Settle
from bulksend.web.pages.price import agreed
from bulksend.web.rendering import render
from bulksend.web.telling import flash
from bulksend.web.told import Refused
from bulksend.web.wording import say

_REASONS, _EXAMPLES = 50, 3
_UNDELIVERED = 8


class Outcome(NamedTuple):
    """A run as it stands.

    Attributes:
        stand: where.
        left: what is still to be sent.
        agreed: what a person agrees to who sends that.
        reasons: why rows were not sent.
        deliveries: what its receipts tell, as far as they were asked for.
        why: why it ended; empty if it did not, or was never sent.
    """

    stand: Stand
    left: Overview
    agreed: str
    reasons: tuple[NotSent, ...]
    deliveries: Deliveries
    why: str

    @property
    def was_wanted(self) -> bool:
        """Whether it ended because somebody asked for that."""
        return self.stand.end is not None and self.stand.end.reason == StopReason.INTERRUPTED

    @property
    def is_key_refused(self) -> bool:
        """Whether it ended because the API refused the key, and it would again."""
        return self.stand.end is not None and self.stand.end.reason == StopReason.KEY_REFUSED and self.left.rows > 0


async def page(request: web.Request, draft: Draft, refused: Refused | None) -> web.StreamResponse:
    """Show it.

    Args:
        request: asks for it.
        draft: whose it is.
        refused: why it could not be sent just now; None if nobody tried, or it could.
    """
    desk = desk_of(request)
    outcome = await asyncio.to_thread(_outcome, draft.place)
    return render(
        request,
        "after.html",
        draft=draft,
        outcome=outcome,
        refused=refused,
        told=flash(desk.told.pop(draft.key, None), is_rehearsal=draft.rehearses),
        agreed=outcome.agreed,
        to_write=to_write(draft, outcome.left, desk.settings.confirm_above),
        can_send=desk.can_send(draft),
        is_refused=outcome.is_key_refused and not refused and not draft.rehearses,
        organization=desk.keys.organization,
        foreign_address="",
        has_report=find_spec("lets_plot") is not None,
        named=desk.named,
    )


async def results(request: web.Request) -> web.StreamResponse:
    """The results as they are now, to be kept."""
    return await download(request, f"results.{request.match_info['kind']}", write_results)


async def report(request: web.Request) -> web.StreamResponse:
    """The report, to be kept; it is never shown among our pages."""
    return await download(request, "report.html", _write_report)


async def for_real(request: web.Request) -> web.StreamResponse:
    """Plan what was rehearsed, to be sent for real; the rehearsal stays where it is."""
    desk, draft = desk_of(request), draft_of(request)
    if not draft.rehearses or draft.elsewhere or desk.sends.under_way(draft.key):
        raise web.HTTPConflict(text=say("after.not_now"))
    made = await desk.make(replace(draft, rehearses=False, run=""))
    if isinstance(made, Refused):
        raise UsageError(desk.named(made.says))
    desk.sends.forget(draft.key)
    desk.paused.discard(draft.key)
    raise web.HTTPSeeOther(f"/c/{draft.key}/who")


async def receipts(request: web.Request) -> web.StreamResponse:
    """Ask whether messages arrived."""
    desk, draft = desk_of(request), _ended(request)
    desk.told[draft.key] = await desk.ask(Fetch(draft, desk.whose(draft)))
    raise web.HTTPSeeOther(f"/c/{draft.key}/sending")


async def settle(request: web.Request) -> web.StreamResponse:
    """Look up what is in doubt, and decide on it if that is said."""
    desk, draft, form = desk_of(request), _ended(request), await request.post()
    decision = str(form.get("decision", ""))
    is_unseen = form.get("answer") == "unseen"
    if decision not in {"", "resend", "leave"}:
        raise web.HTTPBadRequest
    desk.told[draft.key] = await desk.ask(Settle(draft, desk.whose(draft), decision, is_unseen))
    raise web.HTTPSeeOther(f"/c/{draft.key}/sending")


def why(end: End | None) -> str:
    """Why a run ended; empty if it did not, or is finished."""
    if end is None or end.reason == FINISHED:
        return ""
    if end.reason == StopReason.INTERRUPTED:
        return say("after.interrupted")
    recharge = say("after.recharge") if end.reason == StopReason.OUT_OF_FUNDS else ""
    return ": ".join(filter(None, (why_ended(end), recharge)))


def _ended(request: web.Request) -> Draft:
    desk, draft = desk_of(request), draft_of(request)
    if not draft.has_run or desk.sends.under_way(draft.key):
        raise web.HTTPConflict(text=say("after.not_now"))
    if not desk.can_send(draft):
        raise UsageError(say("price.no_organization"))
    return draft


def _write_report(run: Run, path: Path) -> None:
    write_page(run, path, time.time())


def _outcome(place: Place) -> Outcome:
    with open_run(place) as run:
        stand = stand_of(run)
        reasons = tuple(run.figures.not_sent(_REASONS, _EXAMPLES))
        left = run.overview()
        return Outcome(
            stand, left, agreed(run.facts, left), reasons, run.receipts.deliveries(_UNDELIVERED), why(stand.end)
        )
