"""A campaign is planned, or a plan that was kept is taken for sending."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

from bulksend.campaign.drafts import Draft, PlanRequest
from bulksend.campaign.events import Tell, unheard
from bulksend.campaign.excluding import exclude, opted_out
from bulksend.errors import Advice, UsageError
from bulksend.planning import Exclusions, Plan, Source, plan_into
from bulksend.runs import (
    Address,
    OwnRun,
    Place,
    Run,
    Term,
    Terms,
    in_words,
    own_run,
)

NOBODY = Exclusions()


def survey(request: PlanRequest) -> Plan:
    """Read, check and price a whole input without keeping it; duplicates are counted, never skipped.

    Raises:
        UsageError: the input or the options cannot be used.
    """
    with closing(Source(request.input_name, request.options.reading)) as source, opted_out(request.address) as optouts:
        return plan_into(source, replace(request.options, optouts=optouts), None).plan


def plan(request: PlanRequest, place: Place) -> OwnRun:
    """Read, check and price a whole input into a new run; nothing is sent.

    Args:
        request: the campaign.
        place: of the run; a plan there is replaced, so see first that it has not begun.

    Raises:
        UsageError: the input or the options cannot be used.
        OwnedError: another process is at work on the run.
        RunFileError: the run cannot be written.
    """
    return Draft(request, place).keep()


def own_as_planned(place: Place, said: Terms, lists: Exclusions = NOBODY, tell: Tell = unheard) -> OwnRun:
    """Take a run for sending exactly what it holds; what is not said is as planned.

    Where it goes can still be said as long as nothing can have been accepted: the plan may be a saved estimate. Whoever
    opted out since, or is on lists that were not given before, is left out.

    Args:
        place: of the run.
        said: what is said of it.
        lists: who is to be left out.
        tell: hears who is left out.

    Raises:
        UsageError: something is said otherwise than it was planned, it is not known where to send, or the run was
            purged.
        OwnedError: another process is at work on it.
        RunFileError: it, or the list of opt-outs, cannot be read or written.
    """
    run = own_run(place, time.time())
    try:
        planned = run.facts
        check_not_purged(run)
        if said.base_url is None and not planned.base_url:
            raise UsageError(f"{place}: this run is for a private sandbox", Advice.SEND_TO_SANDBOX)
        changed = [term for term in planned.differences(said, unsaid_is_default=False) if not _is_open(term, run)]
        if changed:
            says = f"{place}: a run is sent as it was planned, not with {in_words(changed)}"
            raise UsageError(says, Advice.SAY_AS_PLANNED)
        address = Address(said.org_id or planned.org_id, planned.base_url if said.base_url is None else said.base_url)
        if not address.org_id:
            raise UsageError("there is no organization id", Advice.GIVE_ORGANIZATION)
        if not run.has_begun and address != planned.address:
            run.readdress(address)
        tell(exclude(run, lists))
    except BaseException:
        run.close()
        raise
    return run


def check_not_purged(run: Run) -> None:
    """See that a run still knows to whom it goes.

    Raises:
        UsageError: it was purged.
    """
    if run.purge is not None:
        raise UsageError(f"{run.place}: this run was purged: its numbers and texts are gone", Advice.BEGIN_ANOTHER_RUN)


def _is_open(term: Term, run: Run) -> bool:
    """Whether it can be said otherwise than it was planned: who is left out always can, see `exclude`."""
    return term.name == "exclusion" or (term.name in {"org_id", "base_url"} and not run.has_begun)
