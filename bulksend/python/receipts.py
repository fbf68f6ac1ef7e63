"""Which of a run's messages reached their phones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bulksend import campaign
from bulksend.campaign import Patience, StillAwaited
from bulksend.engagespark import Looked
from bulksend.python.accounts import Account
from bulksend.python.campaigns import PlaceLike
from bulksend.python.choices import check_local
from bulksend.python.runs import run_meant
from bulksend.python.working import Work, work_on
from bulksend.runs import Deliveries, Terms, open_run

_REASONS = 8  # the commonest


@dataclass(frozen=True, slots=True)
class Delivered:
    """What is known of delivery.

    Attributes:
        deliveries: it.
        could_look: whether the API was asked for all that is not known; what was not asked is not known to have failed.
    """

    deliveries: Deliveries
    could_look: bool


async def receipts(
    run: PlaceLike,
    account: Account,
    *,
    until_done_s: float = 0.0,
    force: bool = False,
    on_event: Callable[[StillAwaited], None] | None = None,
) -> Delivered:
    """Fetch delivery receipts into a run; what is learned is kept as it comes. Not while the run is being sent.

    Args:
        run: the place of the run.
        account: whose it is.
        until_done_s: ask again until all are in, for so long at most; 0 to ask once.
        force: the run file lies on a network file system, where locks may not hold.
        on_event: hears that it is asked again.

    Raises:
        UndecidedError: the run lies on a network file system.
        UsageError: there is no such run, it was a rehearsal, or of another account.
        OwnedError: another process or task is at work on the run.
        RunFileError: it cannot be read or written.
    """

    def job(work: Work[StillAwaited]) -> Delivered:
        place, to = run_meant(run), account.address
        check_local(place, force=force)
        with open_run(place) as there:
            campaign.check_has_receipts(there)
            known = there.receipts.deliveries(_REASONS)
        if not known.open:
            return Delivered(known, could_look=True)
        with campaign.own_as_planned(place, Terms(org_id=to.org_id, base_url=to.base_url)) as own:
            target = account.target(own.facts.endpoint)
            if target is None:
                return Delivered(known, could_look=False)
            looked = work.ask(campaign.fetch_receipts(own, target, Patience(until_done_s), work.tell))
            return Delivered(own.receipts.deliveries(_REASONS), could_look=looked is Looked.THROUGH)

    return await work_on(job, on_event)
