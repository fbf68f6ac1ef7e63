"""A campaign's plan that is made and not kept yet: it becomes a run, or is thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bulksend.campaign.excluding import opted_out, stamp
from bulksend.model import Recipient
from bulksend.planning import Plan, PlannedRows, PlanOptions, Source, plan_into
from bulksend.runs import (
    Address,
    Edits,
    Facts,
    OwnRun,
    Place,
    PlanWriter,
    Run,
    Terms,
    edits_since,
    finish_plan,
    history_of,
    holds_run,
    key_of,
    new_plan,
    open_run,
    replan,
)
from bulksend.when import Schedule


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A campaign as somebody wants it.

    Attributes:
        input_name: the input's file, or "-" for standard input.
        options: what decides how rows become messages.
        address: where they go.
        campaign_id: what the dedup keys begin with; random if None.
        check: is called whenever some rows are planned; what it raises ends the planning, and nothing is kept.
    """

    input_name: str
    options: PlanOptions
    address: Address
    campaign_id: str | None = None
    check: Callable[[], None] = field(default=lambda: None, compare=False, repr=False)

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


class Draft:
    """A whole input read, checked and priced, beside the place where its run will be.

    Args:
        request: the campaign.
        place: of the run; a plan there is replaced in the end, so see first that it has not begun.

    Attributes:
        plan: summed up.
        digest: SHA-256 of the input's bytes, hexadecimal.

    Raises:
        UsageError: the input or the options cannot be used.
        OwnedError: another process is at work on the run.
        RunFileError: the run cannot be written.
    """

    def __init__(self, request: PlanRequest, place: Place) -> None:
        self.place = place
        with (
            closing(Source(request.input_name, request.options.reading)) as source,
            opted_out(request.address, place) as optouts,
        ):
            self._writer: PlanWriter = new_plan(place)
            try:
                _close_commands(place)
                sink = _Checked(self._writer, request.check)
                planned = plan_into(source, replace(request.options, optouts=optouts), sink)
            except BaseException:
                self.discard()
                raise
            self._facts = Facts.new(request.input_name, planned.columns, request.terms(planned.digest))
            self._excluded_by = stamp(self._facts.exclusion, optouts)
        self.plan: Plan = planned.plan
        self.digest = planned.digest
        self._lines = planned.lines

    def edits_since(self, run: Place) -> Edits:
        """How its messages differ from those of a run."""
        return edits_since(self._writer, run)

    def keep(self) -> OwnRun:
        """Make it a run.

        Raises:
            OwnedError: another process is at work on the run of this name.
            RunFileError: it cannot be written, or the run of this name has begun meanwhile.
        """
        try:
            schedule = schedule_at(self.place)  # the plan that is there may be replaced, and its moment holds
            run = finish_plan(self._writer, self._facts, self.plan.findings, self._lines, time.time())
        except BaseException:
            self.discard()
            raise
        return self._noted(run, schedule)

    def replace(self, run: OwnRun) -> OwnRun:
        """Put it in the place of a run that has begun, which is closed: what that has sent, or may have, stays sent.

        Raises:
            RunFileError: it cannot be written, or another process is reading the run.
        """
        was = run.facts
        instead_of = (*was.instead_of, key_of(run))
        facts = replace(self._facts, campaign=was.campaign, is_shared=was.is_shared, instead_of=instead_of)
        try:
            _absorb(run)  # for the commands of the file that goes
            replanned = replan(run, self._writer, facts, self.plan.findings, self._lines, time.time())
        except BaseException:
            self.discard()
            run.close()
            raise
        return self._noted(replanned)

    def discard(self) -> None:
        """Throw it away."""
        self._writer.discard()

    def _noted(self, run: OwnRun, schedule: Schedule | None = None) -> OwnRun:
        """The run, which knows with whose wish to get nothing it was compared, and when it is to be sent."""
        try:
            if schedule is not None and not schedule.is_any_time:
                run.times.keep(schedule)
            run.note_excluded_by(self._excluded_by)
        except BaseException:
            run.close()
            raise
        return run


def schedule_at(place: Place) -> Schedule:
    """When the run of a place is to be sent; any time if there is none.

    Raises:
        UsageError: it is of a newer version.
        RunFileError: it cannot be read.
    """
    if not holds_run(place):
        return Schedule()
    with open_run(place) as run:
        return run.times.schedule


class _Checked(NamedTuple):
    """Keeps a plan as long as somebody wants it."""

    writer: PlanWriter
    check: Callable[[], None]

    def add(self, rows: PlannedRows) -> None:
        self.check()
        self.writer.add(rows)

    def add_repeats(self, recipient: Recipient, messages: Iterable[tuple[int, int]], alike: Iterable[int]) -> None:
        self.writer.add_repeats(recipient, messages, alike)

    def skip(self, rows: Iterable[int], says: str) -> None:
        self.writer.skip(rows, says)


def _close_commands(place: Place) -> None:
    """Of a plan that is to be replaced: history need not ask what its commands sent, which is nothing."""
    if not holds_run(place):
        return
    with open_run(place) as run:
        if not run.has_begun:
            _absorb(run)


def _absorb(run: Run) -> None:
    """Let history know what the commands of a run have sent."""
    to = run.facts.address
    if to.base_url and to.org_id:
        with history_of(run.place, to) as history:
            history.absorb(run)
