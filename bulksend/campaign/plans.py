"""A campaign is planned, gone on with, or kept for later: what it is made of decides which."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from bulksend.campaign.drafts import Draft, PlanRequest
from bulksend.errors import Advice, UsageError
from bulksend.planning import Plan, Source, plan_into
from bulksend.runs import (
    Address,
    OwnRun,
    Run,
    Term,
    Terms,
    check_folder,
    own_run,
)


def survey(request: PlanRequest) -> Plan:
    """Read, check and price a whole input without keeping it; duplicates are counted, never skipped.

    Raises:
        UsageError: the input or the options cannot be used.
    """
    with closing(Source(request.input_name, request.options.reading)) as source:
        return plan_into(source, request.options, None).plan


def plan(request: PlanRequest, place: Path) -> OwnRun:
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


def reopen(request: PlanRequest, place: Path) -> OwnRun | None:
    """Go on with a run that has begun, if it is the same campaign; None if there is nothing to go on with.

    A plan of which nothing can have been accepted yet is not gone on with: planning anew cannot send anything twice,
    and sees what was corrected in the input and the options meanwhile.

    Raises:
        UsageError: the run has begun with another input or other options.
        OwnedError: another process is at work on it.
    """
    check_folder(place)
    if not place.exists():
        return None
    run = own_run(place, time.time())
    try:
        if not run.has_begun:
            run.close()
            return None
        with closing(Source(request.input_name, request.options.reading)) as source:
            said = request.terms(source.digest())
        if changed := list(run.facts.differences(said, unsaid_is_default=True)):
            raise _refusal(run, said, changed)
    except BaseException:
        run.close()
        raise
    return run


def own_as_planned(place: Path, said: Terms) -> OwnRun:
    """Take a run for sending exactly what it holds; what is not said is as planned.

    Where it goes can still be said as long as nothing can have been accepted: the plan may be a saved estimate.

    Raises:
        UsageError: something is said otherwise than it was planned, or it is not known where to send.
        OwnedError: another process is at work on it.
    """
    run = own_run(place, time.time())
    try:
        planned = run.facts
        if said.base_url is None and not planned.base_url:
            raise UsageError(f"{place}: this run is for a private sandbox", Advice.SEND_TO_SANDBOX)
        changed = [term for term in planned.differences(said, unsaid_is_default=False) if not _is_open(term, run)]
        if changed:
            raise UsageError(f"{place}: this run was not planned with {_words(changed)}: leave that out")
        address = Address(said.org_id or planned.org_id, planned.base_url if said.base_url is None else said.base_url)
        if not address.org_id:
            raise UsageError("there is no organization id", Advice.GIVE_ORGANIZATION)
        if not run.has_begun and address != planned.address:
            run.readdress(address)
    except BaseException:
        run.close()
        raise
    return run


def _is_open(term: Term, run: Run) -> bool:
    return term.name in {"org_id", "base_url"} and not run.has_begun


def _refusal(run: Run, said: Terms, changed: Iterable[Term]) -> UsageError:
    """Why a run is not gone on with, and what to do."""
    begun = f"{run.place}: this run has begun with {_words(changed)}"
    if run.facts.address.is_rehearsal and said.base_url:
        return UsageError(begun, Advice.LEAVE_REHEARSAL, run=run.place)
    if run.facts.input_digest != said.input_digest:
        return UsageError(begun, Advice.SEND_CORRECTED_APART, run=run.place)
    return UsageError(begun, Advice.GO_ON_AS_PLANNED, run=run.place)


def _words(changed: Iterable[Term]) -> str:
    return " and ".join(term.another for term in changed)
