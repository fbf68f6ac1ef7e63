"""What a worker tells beside what every engine does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from bulksend.campaign.events import CampaignEvent
from bulksend.runs import End


class WorkBegun(NamedTuple):
    """A worker begins with a run.

    Attributes:
        run: its name.
    """

    run: str


class WorkDealt(NamedTuple):
    """The shards were dealt otherwise.

    Attributes:
        shards: so many this worker has now.
        workers: so many are at work on the account.
    """

    shards: int
    workers: int


class WorkLeft(NamedTuple):
    """A worker is done with a run.

    Attributes:
        run: its name.
        sent: so many of its rows this worker brought to be accepted.
        end: how the run ended; None if it has not.
    """

    run: str
    sent: int
    end: End | None


WorkEvent: TypeAlias = WorkBegun | WorkDealt | WorkLeft
TellWork: TypeAlias = Callable[[WorkEvent | CampaignEvent], None]
"""How a face hears of them; called in the event loop, and must come back at once."""
