"""What the page's child does before anything is sent: it prices and plans what was chosen."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from bulksend import campaign
from bulksend.campaign import Holds, LookedBack
from bulksend.engagespark import DEFAULT_BASE_URL, Balance, Looked
from bulksend.errors import UsageError
from bulksend.python import Account, Work, work_on
from bulksend.runs import Address, DatabaseRun, OwnRun, Paths, Place, check_replaceable, next_place, series
from bulksend.web.choices import campaign_of, options_of
from bulksend.web.drafts import Draft
from bulksend.web.jobs import Make, Paid, Price
from bulksend.web.told import Made, Priced, Told
from bulksend.web.wording import say
from bulksend.when import Schedule

_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_MAX = 60
_AGAIN = frozenset({Holds.OLDER})
_SAME = frozenset({Holds.EQUAL, Holds.DOUBTED, Holds.OWN})


async def do(job: Price | Make) -> Told:
    """Do one of these jobs; what comes of it."""
    match job:
        case Price():
            return await asyncio.to_thread(_price, job)
        case Make():
            return await work_on(partial(_make, job))


def _price(job: Price) -> Priced:
    """What a draft comes to; nothing of it is kept."""
    found = campaign.survey(campaign_of(job.draft).request(Address(0, ""), lambda: None))
    overview = found.overview
    left_out = found.tally.rows - overview.rows
    return Priced(overview.rows, overview.parts, overview.price, overview.unpriced, left_out)


def _make(job: Make, work: Work[object]) -> Made:
    """Plan a draft into a run, and ask what the account holds."""
    draft, account = job.draft, account_of_plan(job)
    to = Address(0, DEFAULT_BASE_URL) if account is None else account.address
    place = _place_for(job)
    check_replaceable(place)
    how = options_of(draft).settled()
    with campaign.plan(campaign_of(draft).request(to, work.check), place) as run:
        looked = campaign.look_at_history(run, how.repeating)
        late = _keep_time(run, draft)
    told = _balance(work, account)
    balance, recharges = (told.micro, told.auto_recharge) if isinstance(told, Balance) else (None, False)
    return Made(
        str(place),
        balance,
        recharges,
        looked=told.value if isinstance(told, Looked) else "",
        same=_held(looked, _SAME),
        again=_held(looked, _AGAIN),
        another=_held(looked, frozenset({Holds.ANOTHER})),
        late=late,
    )


def account_of_plan(job: Make) -> Account | None:
    """Whose account a draft is planned for; None if that is not known yet."""
    if not job.draft.rehearses and job.whose.org_id is None:
        return None
    return account_of(job)


def account_of(job: Paid) -> Account:
    """Whose account a draft is sent from.

    Raises:
        UsageError: the key is gone.
    """
    whose = job.whose
    if job.draft.rehearses:
        return Account.rehearsal()
    if whose.org_id is None:
        raise UsageError(say("price.no_organization"))
    try:
        key = Path(whose.key_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(say("price.key_gone")) from error
    return Account(whose.org_id, key, whose.base_url)


def _place_for(job: Make) -> Place:
    """Where a draft is planned: beside its sheet, or in the account's database under a name of its own."""
    draft = job.draft
    if draft.rehearses:
        place = Paths.beside(draft.input_name, rehearses=True).run
        known = series(place, draft.input_name)
        return next_place(place, known) if any(each.has_begun for each in known if each.place == place) else place
    if not job.whose.database:
        return Paths.beside(draft.input_name).run
    name = _STRANGE.sub("-", Path(draft.name).stem)[:_NAME_MAX]
    return DatabaseRun(job.whose.database, f"{name}-{draft.key}".lstrip("-."))


def _balance(work: Work[object], account: Account | None) -> Balance | Looked | None:
    target = account.target("contact") if account else None
    if target is not None:
        with suppress(UsageError):
            return work.ask(campaign.balance(target))
    return None


def _keep_time(run: OwnRun, draft: Draft) -> str:
    """Have a run keep when it is sent; that its moment has passed, if it has, which then is left out."""
    kept, now_s, late = run.times.schedule, time.time(), ""
    try:
        schedule = draft.schedule(kept, now_s)
    except UsageError as error:
        schedule, late = replace(draft, start_at="").schedule(Schedule(), now_s), str(error)
    if schedule != kept:
        run.times.keep(schedule)
    return late


def _held(looked: LookedBack, kinds: frozenset[Holds]) -> int:
    return sum(held.rows for held in looked.held if held.what in kinds)
