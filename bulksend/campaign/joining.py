"""A run that others send is sent by one process more: as it was opened, and for as long as it is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from bulksend.campaign.again import can_be_read_again, changed_since, digest_of
from bulksend.campaign.choices import SendOptions
from bulksend.campaign.drafts import PlanRequest
from bulksend.campaign.events import Ended, Started, Tell
from bulksend.campaign.onlooking import Onlookers
from bulksend.campaign.part import work_on
from bulksend.engagespark import Target
from bulksend.model import Event, Status
from bulksend.runs import DatabaseRun, Place, Terms, is_open_to_workers, open_run, series
from bulksend.sending import Heard, Listener, Stopping, status_of


def sent_by_others(request: PlanRequest, place: Place) -> DatabaseRun | None:
    """The run of a campaign that workers can send by now, of those that were begun in a place and beside it.

    Raises:
        UsageError: the input cannot be used, or a run is of a newer version.
        RunFileError: one cannot be read.
    """
    if not isinstance(place, DatabaseRun) or not can_be_read_again(request):
        return None
    digest = digest_of(request)
    for known in series(place, request.input_name):
        if is_open_to_workers(known.place) and not changed_since(known, request, digest):
            return known.place if isinstance(known.place, DatabaseRun) else None
    return None


def as_planned_by_others(place: Place, said: Terms) -> DatabaseRun | None:
    """The same of a run that is named itself."""
    if not isinstance(place, DatabaseRun) or not is_open_to_workers(place):
        return None
    with open_run(place) as run:
        is_same = all(term.name == "exclusion" for term in run.facts.differences(said, unsaid_is_default=False))
    return place if is_same else None


async def join(
    place: DatabaseRun, target: Target, options: SendOptions, stopping: Stopping, tell: Tell,
    listener: Listener | None = None,
) -> Ended:  # fmt: skip
    """Send a run that workers send as one more of them, until it is over or stopped.

    Args:
        place: the run's.
        target: where to.
        options: how fast; all else is the run's own.
        stopping: who wants this process's part to end asks this.
        tell: hears how it goes.
        listener: hears of every attempt, if anybody wants to.

    Raises:
        UsageError: there is no room for so many connections.
        RunFileError: the database cannot be reached.
        OwnedError: this worker was taken to be gone.
    """
    began, began_s, own = time.monotonic(), time.time(), _Own(listener)
    with open_run(place) as run:  # not kept open: a connection may be lost until it is over
        left = run.overview()
    tell(Started(left.rows, None if left.unpriced else left.price))
    part = await work_on(place, target, options, stopping, Onlookers(tell), left.rows, own, is_own=False)
    with open_run(place) as run:
        tally = run.tally()
    ended = Ended(
        part.stop, tally, time.monotonic() - began, sent_now=own.ends[Status.SENT], known_now=own.ends[Status.SKIPPED],
        attempts_now=own.attempts, since_s=began_s, until_s=time.time(), others=part.others,
    )  # fmt: skip
    tell(ended)
    return ended


class _Own:
    """Counts what this process did itself, of a run of which the tally counts what all did; see `Listener`.

    Args:
        listener: hears of it, too.
    """

    def __init__(self, listener: Listener | None) -> None:
        self.attempts = 0
        self.ends: Counter[Status] = Counter()  # of the rows that were tried here last
        self._listener = listener

    def hear_of(self, heard: Sequence[Heard]) -> None:
        """Count it."""
        for outcome, attempt, _ in heard:
            if attempt is not None:
                self.attempts += 1
                self.ends[status_of(outcome)] += outcome.final or outcome.event is Event.ACCEPTED
        if self._listener is not None:
            self._listener.hear_of(heard)
