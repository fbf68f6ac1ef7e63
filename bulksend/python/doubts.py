"""What became of rows that may or may not have been accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bulksend import campaign
from bulksend.campaign import CampaignEvent, LookedUp
from bulksend.engagespark import Looked
from bulksend.errors import UndecidedError
from bulksend.python.accounts import Account
from bulksend.python.campaigns import PathLike, PlaceLike
from bulksend.python.choices import check_at_home, check_local, refuse
from bulksend.python.runs import run_meant
from bulksend.python.sends import write
from bulksend.python.working import Work, work_on
from bulksend.reports import check_output, check_own, inputs_of
from bulksend.runs import OwnRun, Paths, Place, Terms, files_of, open_run


@dataclass(frozen=True, slots=True)
class Resolved:
    """What is known by now of rows that were in doubt.

    Attributes:
        run: the place of the run.
        looked_up: what became of them in the API's list; None if no row was in doubt.
        decided: rows on which was decided now.
        in_doubt: rows that are in doubt yet, those that are to be sent again included.
        results: where the results are; None if they could not be written.
    """

    run: Place
    looked_up: LookedUp | None
    decided: int
    in_doubt: int
    results: Path | None


async def resolve(
    run: PlaceLike,
    account: Account,
    decision: Literal["resend", "leave"] | None = None,
    *,
    unseen: bool = False,
    wait: bool = False,
    force: bool = False,
    results: PathLike | None = None,
    on_event: Callable[[CampaignEvent], None] | None = None,
) -> Resolved:
    """Look up the rows of a run that may or may not have been accepted, and decide on those that are not found.

    Nothing is sent: what is to be sent again, the next `send` of the run sends.

    Args:
        run: the place of the run.
        account: whose it is.
        decision: to have those sent again, some of which may then arrive twice, or to leave them unknown for good;
            None to look only.
        unseen: have them sent again even if the API has a list and it could not be read.
        wait: if another run of the account is sending, wait until it has ended.
        force: send a run file though it lies on a network file system, or its account lives in a database.
        results: where the results are written; by default where the run's name has them.
        on_event: hears who is left out since, and that the account is waited for.

    Raises:
        UndecidedError: the list could not be read, or the run lies on a network file system; the sentence names the
            argument by which yes is said.
        UsageError: the run cannot be used, or has rows that were never sent, which come first.
        AccountBusyError: another run of the account is sending, and is not waited for.
        OwnedError: another process or task is at work on the run.
        StoppedError: somebody elsewhere asked for the end while it waited.
        RunFileError: the run cannot be read or written.
    """

    def job(work: Work[CampaignEvent]) -> Resolved:
        place = run_meant(run)
        check_local(place, force=force)
        paths = Paths.beside(str(place), place, None if results is None else Path(results))
        with open_run(place) as there:
            check_output(paths.results, *files_of(place), *inputs_of(there))
        check_own(paths.results, place)
        to = account.address
        with campaign.own_as_planned(place, Terms(org_id=to.org_id, base_url=to.base_url), tell=work.tell) as own:
            check_at_home(own, force=force)
            if not own.in_doubt(1):
                return Resolved(place, None, 0, 0, write(own, paths.results))
            seen, decided = _settled(own, account, decision, work, unseen=unseen, wait=wait)
            return Resolved(place, seen, decided, own.tally().in_doubt, write(own, paths.results))

    return await work_on(job, on_event)


def _settled(
    run: OwnRun,
    account: Account,
    decision: Literal["resend", "leave"] | None,
    work: Work[CampaignEvent],
    *,
    unseen: bool,
    wait: bool,
) -> tuple[LookedUp, int]:
    target = account.target(run.facts.endpoint)
    with campaign.held_account(target, run, work.tell_unless_stopped, wait=wait) as held:
        if target is None:  # a private sandbox is gone, and its list with it
            seen = LookedUp(len(run.in_doubt()), 0, Looked.NO_SUCH)
        else:
            seen = work.ask(campaign.look_up(run, target, held))
        if decision is None:
            return seen, 0
        if decision == "leave":
            rows = run.in_doubt()
        else:
            try:
                rows = campaign.may_be_resent(run, seen.looked, unseen=unseen)
            except UndecidedError as error:
                refuse(error)
        campaign.decide(run, rows, resend=decision == "resend")
        return seen, len(rows)
