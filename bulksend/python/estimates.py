"""A campaign is planned and priced, and nothing is sent."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bulksend import campaign
from bulksend.campaign import Held, LookedBack
from bulksend.engagespark import DEFAULT_BASE_URL, Balance
from bulksend.errors import UsageError
from bulksend.model import Status
from bulksend.planning import Findings, Plan, Preview, min_seconds
from bulksend.python.accounts import Account
from bulksend.python.campaigns import Campaign, PlaceLike, place_from
from bulksend.python.choices import SendOptions
from bulksend.python.working import Work, work_on
from bulksend.runs import Address, Paths, Place, check_replaceable, resolved

_DEFAULTS = SendOptions()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a campaign comes to.

    Attributes:
        rows: of the input.
        sendable: rows that would be sent.
        invalid: rows that are bad, and are not tried.
        skipped: rows that are left out on purpose, or because the account has sent the same of late.
        parts: SMS parts of the sendable.
        estimate_micro: micro-USD of the sendable, as far as rates are known.
        unpriced: of the sendable, so many have no known rate.
        min_seconds: how long sending takes at least, by the account's rate and the phones' caps.
        balance_micro: what the account holds, in micro-USD; None if that is not known.
        findings: why rows are left out, how the input was understood, and what may not be as it was meant.
        held: what the account sent before to the same phones.
        previews: the first messages, as the phones will show them.
    """

    rows: int
    sendable: int
    invalid: int
    skipped: int
    parts: int
    estimate_micro: int
    unpriced: int
    min_seconds: float
    balance_micro: int | None
    findings: Findings
    held: tuple[Held, ...]
    previews: tuple[Preview, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan that is kept, and sent as it is.

    Attributes:
        place: of its run.
        estimate: what it comes to.
    """

    place: Place
    estimate: Estimate


async def estimate(wanted: Campaign, account: Account | None = None, options: SendOptions = _DEFAULTS) -> Estimate:
    """Plan and price a campaign, and keep nothing of it.

    Args:
        wanted: the campaign.
        account: whose it is; without one it is not known what was sent before, who opted out, nor what it holds.
        options: how it would be sent.

    Raises:
        InputError: the input cannot be read as a whole.
        UsageError: something else of it cannot be used.
        RunFileError: history or a run cannot be read.
    """

    def job(work: Work[object]) -> Estimate:
        with tempfile.TemporaryDirectory(prefix="bulksend-") as folder:
            return _planned(work, wanted, account, options, Path(folder) / "estimate.run")

    return await work_on(job)


async def plan(
    wanted: Campaign, account: Account | None = None, place: PlaceLike | None = None, options: SendOptions = _DEFAULTS
) -> Planned:
    """Plan and price a campaign, and keep the plan; nothing is sent.

    Args:
        wanted: the campaign.
        account: whose it is; whoever sends it can still say so.
        place: of its run; by default the input's name, ending in ``.run``. A plan there is replaced.
        options: how it would be sent.

    Raises:
        InputError: the input cannot be read as a whole.
        UsageError: something else of it cannot be used, or the run there has begun.
        OwnedError: somebody is at work on that run.
        RunFileError: it cannot be written.
    """

    def job(work: Work[object]) -> Planned:
        run = place_from(place) if place is not None else _beside(wanted, account)
        if resolved(run) in {path.resolve() for path in wanted.files}:
            raise UsageError(f"{run}: this is read for the plan: name another file for it")
        check_replaceable(run)
        return Planned(run, _planned(work, wanted, account, options, run))

    return await work_on(job)


def _beside(wanted: Campaign, account: Account | None) -> Place:
    return Paths.beside(wanted.name, rehearses=account is not None and account.is_rehearsal).run


def _planned(
    work: Work[object], wanted: Campaign, account: Account | None, options: SendOptions, place: Place
) -> Estimate:
    how = options.settled()
    to = Address(0, DEFAULT_BASE_URL) if account is None else account.address
    with campaign.plan(wanted.request(to, work.check), place) as run:
        looked = campaign.look_at_history(run, how.repeating)
        found = run.plan(how.limit)
    work.check()
    least_s = max(min_seconds(found.overview, how.pace.rate, how.caps.of, by_parts=how.by_parts))
    return _estimate(found, looked, least_s, _balance(work, account))


def _balance(work: Work[object], account: Account | None) -> int | None:
    target = account.target("contact") if account else None
    if target is None:
        return None
    with suppress(UsageError):
        told = work.ask(campaign.balance(target))
        return told.micro if isinstance(told, Balance) else None
    return None


def _estimate(found: Plan, looked: LookedBack, least_s: float, balance: int | None) -> Estimate:
    tally, overview = found.tally, found.overview
    return Estimate(
        rows=tally.rows,
        sendable=overview.rows,
        invalid=tally.statuses[Status.INVALID],
        skipped=tally.statuses[Status.SKIPPED],
        parts=overview.parts,
        estimate_micro=overview.price,
        unpriced=overview.unpriced,
        min_seconds=least_s,
        balance_micro=balance,
        findings=found.findings,
        held=looked.held,
        previews=found.previews,
    )
