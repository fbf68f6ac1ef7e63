"""What the pages work with: what was chosen, what is under way, and whose account it is."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web

from bulksend import campaign
from bulksend.campaign import Unread, Whereabouts
from bulksend.errors import BulksendError
from bulksend.runs import Place, Stand, open_run, stand_of
from bulksend.web.drafts import Draft, Drafts
from bulksend.web.jobs import Job, Look, Make, Send, Try, Whose
from bulksend.web.keys import Keys
from bulksend.web.settings import PageSettings
from bulksend.web.told import Made, Refused, SheetSeen, Told
from bulksend.web.wording import say, spoken
from bulksend.web.working import Sending, Sends, do

_SHEETS_MAX = 8  # kept in memory


@dataclass(slots=True)
class Desk:
    """All of it.

    Attributes:
        settings: where the page works.
        drafts: what was chosen.
        keys: whose account it is.
        sends: what is under way.
        sheets: the sheets that were looked at last, by what was said of them.
        made: what was told of plans when they were made, by draft.
        paused: the drafts whose sends were paused, and not stopped, since the server began.
        planning: how many plans of a draft are being made.
        told: what came of the last thing that somebody had done, until it was seen, by draft.
        trials: the trials that are under way.
    """

    settings: PageSettings
    drafts: Drafts
    keys: Keys
    sends: Sends = field(default_factory=Sends)
    sheets: dict[tuple[str, str, str, str], SheetSeen] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    planning: Counter[str] = field(default_factory=Counter)
    told: dict[str, Told] = field(default_factory=dict)
    trials: dict[Try, asyncio.Task[Told]] = field(default_factory=dict)

    async def sheet(self, draft: Draft) -> SheetSeen | Refused:
        """How a draft's sheet is understood."""
        asked = (draft.input_name, draft.sheet, draft.numbers, spoken())
        if asked in self.sheets:
            return self.sheets[asked]
        seen = await do(Look(draft))
        if not isinstance(seen, SheetSeen):
            return seen if isinstance(seen, Refused) else Refused("")
        if len(self.sheets) >= _SHEETS_MAX:
            self.sheets.pop(next(iter(self.sheets)))
        self.sheets[asked] = seen
        return seen

    def look_anew(self, draft: Draft) -> None:
        """Look at a draft's sheet once more when it is next asked for: it may have changed."""
        for asked in [asked for asked in self.sheets if asked[0] == draft.input_name]:
            del self.sheets[asked]

    async def keep(self, draft: Draft) -> Draft:
        """Keep what is chosen now; whatever was planned of it before is planned anew.

        Raises:
            HTTPSeeOther: another tab has begun to send it: where it stands is to be seen elsewhere.
        """
        await self.check_open(draft)
        kept = replace(draft, run="")
        self.drafts.keep(kept)
        await self._remove_plan(draft)
        return kept

    async def remove(self, draft: Draft) -> None:
        """Throw away what was chosen, and the plan of it in a database, if there is one."""
        await self._remove_plan(draft)
        self.drafts.remove(draft)

    async def make(self, draft: Draft) -> Draft | Refused:
        """Plan what is chosen, and keep it; if that cannot be, what was chosen and planned before stays.

        Raises:
            HTTPNotFound: it was removed meanwhile.
        """
        self.planning[draft.key] += 1
        try:
            made = await do(Make(draft, self.whose(draft)))
        finally:
            self.planning[draft.key] -= 1
        if not isinstance(made, Made):
            return made if isinstance(made, Refused) else Refused("")
        planned = replace(draft, run=made.run, start_at="" if made.late else draft.start_at)
        if self.drafts.find(draft.key) is None:  # somebody removed it meanwhile
            await self._remove_plan(planned)
            raise web.HTTPNotFound(text=say("mishap.gone"))
        self.made[draft.key] = made
        self.drafts.keep(planned)
        if draft.place != planned.place:
            await self._remove_plan(draft)
        return planned

    async def check_open(self, draft: Draft) -> None:
        """See that nothing of it has begun, so that all of it can still be chosen.

        Raises:
            HTTPSeeOther: it has begun: where it stands is to be seen elsewhere.
        """
        if has_begun(await self.stand(draft)) or self.sends.under_way(draft.key):
            raise web.HTTPSeeOther(f"/c/{draft.key}/sending")

    def is_planned_anew(self, draft: Draft) -> bool:
        """Whether what somebody saw of a draft's plan may not be what is sent of it."""
        return not draft.has_run or self.planning[draft.key] > 0

    def send(self, draft: Draft, plan_id: str, answers: Sequence[str], sending: Sending) -> None:
        """Begin or go on with the send of what was planned: of this plan alone."""
        self.paused.discard(draft.key)
        self.sends.begin(draft.key, Send(draft, self.whose(draft), plan_id, tuple(answers)), sending)

    def stop(self, draft: Draft, *, pauses: bool) -> bool:
        """Have its send end in order, to go on soon or not; whether there is one of ours."""
        sending = self.sends.under_way(draft.key)
        (self.paused.add if pauses and sending else self.paused.discard)(draft.key)
        if sending:
            sending.stop()
        return sending is not None

    async def ask(self, job: Job) -> Told:
        """Have something done about a draft; sentences name files as people know them."""
        told = await do(job)
        return replace(told, says=self.named(told.says)) if isinstance(told, Refused) else told

    async def try_out(self, job: Try) -> Told:
        """Send a trial; who asks once more for one that is under way, as a double click does, gets no other."""
        if job not in self.trials:
            self.trials[job] = asyncio.create_task(self.ask(job))
            self.trials[job].add_done_callback(lambda _: self.trials.pop(job))
        return await asyncio.shield(self.trials[job])

    def whose(self, draft: Draft) -> Whose:
        """Whose account a draft goes to."""
        org_id = None if draft.rehearses else self.keys.organization
        return Whose(org_id, str(self.keys.file or ""), self.settings.base_url, self.settings.database)

    def named(self, says: str) -> str:
        """A sentence that names files as people know them: without the folders where they lie."""
        return self.drafts.named(says).replace(f"{self.settings.folder.resolve()}{os.sep}", "")

    def can_send(self, draft: Draft) -> bool:
        """Whether it is known whose account it goes to."""
        return draft.rehearses or self.keys.organization is not None

    async def stand(self, draft: Draft) -> Stand | None:
        """Where a draft's run stands; None if there is none that can be read."""
        return await asyncio.to_thread(_stand, draft.place) if draft.run else None

    async def campaigns(self) -> list[Stand | Unread]:
        """The campaigns of the folder or the database, and those whose files were brought; the newest first."""
        return await asyncio.to_thread(self._campaigns)

    async def _remove_plan(self, draft: Draft) -> None:
        """Leave no plan in a database that nobody chose for good, for all see it there; files lie with their sheets."""
        if draft.has_own_plan:
            with suppress(BulksendError):  # one that cannot be removed now gives way to the next plan of its name
                await asyncio.to_thread(campaign.remove_plan, draft.place)

    def _campaigns(self) -> list[Stand | Unread]:
        files = [Whereabouts(Path(draft.run)) for draft in self.drafts if draft.has_run and not draft.by_workers]
        if self.settings.database:
            found = [*campaign.stands(self.settings.database), *campaign.gathered(files, stand_of)]
        else:
            found = [*campaign.gathered([*campaign.places_in(self.settings.folder.resolve()), *files], stand_of)]
        return sorted(found, key=_began_at, reverse=True)


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


def desk_of(request: web.Request) -> Desk:
    """The desk."""
    return request.app[DESK]


def draft_of(request: web.Request) -> Draft:
    """The draft that an address names.

    Raises:
        HTTPNotFound: there is none.
    """
    found = desk_of(request).drafts.find(request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound(text=say("mishap.gone"))
    return found


def has_begun(stand: Stand | None) -> bool:
    """Whether anybody has sent a run, or is to."""
    return stand is not None and bool(stand.owner or stand.shared or stand.spell.started_at)


async def open_draft(request: web.Request) -> Draft:
    """The same, of which nothing has begun, so that all of it can still be chosen.

    Raises:
        HTTPSeeOther: it has begun: where it stands is to be seen elsewhere.
    """
    draft = draft_of(request)
    await desk_of(request).check_open(draft)
    return draft


async def chosen_draft(request: web.Request) -> Draft:
    """The same, of which what was chosen is known here.

    Raises:
        HTTPSeeOther: it was planned elsewhere, and is sent as it is.
    """
    draft = await open_draft(request)
    if draft.elsewhere:
        raise web.HTTPSeeOther(f"/c/{draft.key}/price")
    return draft


def _stand(place: Place) -> Stand | None:
    try:
        with open_run(place) as run:
            return stand_of(run)
    except BulksendError:
        return None


def _began_at(found: Stand | Unread) -> float:
    at = found.began_at if isinstance(found, Unread) else found.spell.started_at
    return float("inf") if at is None else at
