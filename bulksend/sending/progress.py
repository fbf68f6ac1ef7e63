"""Where a run stands while it is sent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bulksend.model import Event, Outcome, Status

_STATUSES = {
    Event.ACCEPTED: Status.SENT,
    Event.KNOWN: Status.SKIPPED,
    Event.EXCLUDED: Status.SKIPPED,
    Event.REJECTED: Status.REJECTED,
    Event.FAILED: Status.FAILED,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, for whoever shows it. Of what ended only what is committed counts.

    Attributes:
        ends: how the rows ended that this command is done with.
        charged: what they cost by the API's own words, in micro-USD.
        retries: attempts after which another is to come.
        latest: why the last of these is.
        parked: rows that wait for their phone's cap.
        phones: these phones.
        free_at: when the next of them is free, by the dispatcher's clock; ``math.inf`` if only an answer can tell.
        in_flight: requests under way.
    """

    ends: Mapping[Status, int]
    charged: int
    retries: int
    latest: str
    parked: int
    phones: int
    free_at: float
    in_flight: int

    @property
    def sent(self) -> int:
        """Rows that this command brought to be accepted."""
        return self.ends.get(Status.SENT, 0)

    @property
    def not_sent(self) -> int:
        """Rows that it is done with all the same."""
        return sum(self.ends.values()) - self.sent

    def and_then(self, later: Progress) -> Progress:
        """Where it stands when another engine has gone on."""
        ends = Counter(self.ends)
        ends.update(later.ends)
        return replace(
            later, ends=ends, charged=self.charged + later.charged, retries=self.retries + later.retries,
            latest=later.latest or self.latest,
        )  # fmt: skip


NOTHING_DONE = Progress({}, 0, 0, "", 0, 0, math.inf, 0)
"""Where it stands before it began."""


def status_of(outcome: Outcome) -> Status:
    """What is known of a row that a run is done with."""
    status = _STATUSES.get(outcome.event, Status.UNKNOWN)
    if outcome.in_doubt and status is not Status.SENT:
        return Status.UNKNOWN  # of this attempt it may be known, but not of those before
    return status
