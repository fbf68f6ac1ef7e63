"""A campaign is planned, gone on with, or kept for later: what it is made of decides which."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from bulksend.campaign.events import Tell, unheard
from bulksend.campaign.excluding import exclude, opted_out, stamp
from bulksend.errors import Advice, UsageError
from bulksend.planning import Exclusions, Plan, PlanOptions, Source, plan_into
from bulksend.runs import (
    Address,
    Facts,
    OwnRun,
    Run,
    Term,
    Terms,
    check_folder,
    finish_plan,
    history_of,
    is_run_file,
    new_plan,
    open_run,
    own_run,
)

NOBODY = Exclusions()


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A campaign as somebody wants it.

    Attributes:
        input_name: the input's file, or "-" for standard input.
        options: what decides how rows become messages.
        address: where they go.
        campaign_id: what the dedup keys begin with; random if None.
    """

    input_name: str
    options: PlanOptions
    address: Address
    campaign_id: str | None = None

    def terms(self, input_digest: str) -> Terms:
        """What is said of the campaign, of an input with these bytes."""
        to = self.address
        return Terms.of(
            self.options,
            org_id=to.org_id,
            base_url=to.base_url,
            campaign=self.campaign_id,
            input_digest=input_digest,
        )


def survey(request: PlanRequest) -> Plan:
    """Read, check and price a whole input without keeping it; duplicates are counted, never skipped.

    Raises:
        UsageError: the input or the options cannot be used.
    """
    with closing(Source(request.input_name, request.options.reading)) as source, opted_out(request.address) as optouts:
        return plan_into(source, replace(request.options, optouts=optouts), None).plan


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
    with closing(Source(request.input_name, request.options.reading)) as source, opted_out(request.address) as optouts:
        writer = new_plan(place)
        try:
            _close_commands(place)
            planned = plan_into(source, replace(request.options, optouts=optouts), writer)
            facts = Facts.new(request.input_name, planned.columns, request.terms(planned.digest))
            run = finish_plan(writer, facts, planned.plan.findings, planned.lines, time.time())
        except BaseException:
            writer.discard()
            raise
        try:
            run.note_excluded_by(stamp(facts.exclusion, optouts))
        except BaseException:
            run.close()
            raise
        return run


def reopen(request: PlanRequest, place: Path, tell: Tell = unheard) -> OwnRun | None:
    """Go on with a run that has begun, if it is the same campaign; None if there is nothing to go on with.

    A plan of which nothing can have been accepted yet is not gone on with: planning anew cannot send anything twice,
    and sees what was corrected in the input and the options meanwhile. Left out is also whoever opted out since, or is
    on lists that were not given before.

    Args:
        request: the campaign.
        place: of the run.
        tell: hears who is left out.

    Raises:
        UsageError: the run has begun with another input or other options, or was purged.
        OwnedError: another process is at work on it.
        RunFileError: it, or the list of opt-outs, cannot be read or written.
    """
    check_folder(place)
    if not place.exists():
        return None
    run = own_run(place, time.time())
    try:
        if not run.has_begun:
            run.close()
            return None
        check_not_purged(run)
        with closing(Source(request.input_name, request.options.reading)) as source:
            said = request.terms(source.digest())
        if changed := [term for term in run.facts.differences(said, unsaid_is_default=True) if not _is_open(term, run)]:
            raise _refusal(run, said, changed)
        tell(exclude(run, request.options.exclusions))
    except BaseException:
        run.close()
        raise
    return run


def own_as_planned(place: Path, said: Terms, lists: Exclusions = NOBODY, tell: Tell = unheard) -> OwnRun:
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
            raise UsageError(f"{place}: this run was not planned with {_words(changed)}: leave that out")
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


def _close_commands(place: Path) -> None:
    """Of a plan that is to be replaced: history need not ask what its commands sent, which is nothing."""
    if not is_run_file(place):
        return
    with open_run(place) as run:
        to = run.facts.address
        if to.base_url and to.org_id and not run.has_begun:
            with history_of(to.base_url, to.org_id) as history:
                history.absorb(run)


def _is_open(term: Term, run: Run) -> bool:
    """Whether it can be said otherwise than it was planned: who is left out always can, see `exclude`."""
    return term.name == "exclusion" or (term.name in {"org_id", "base_url"} and not run.has_begun)


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
