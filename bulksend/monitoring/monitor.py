"""What every program that watches a send is told, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from bulksend.campaign import CampaignEvent, WorkEvent
from bulksend.planning import Plan
from bulksend.sending import Listener

Trouble = Callable[[str], None]
"""Says once, in a sentence, that a program cannot be told any more; sending goes on."""
Summary = Mapping[str, object]
"""How a send ended: counts, and the names of files and reasons."""


class Monitor(Listener, Protocol):
    """Watches one send; nothing that it does ends that."""

    def planned(self, place: str, plan: Plan) -> None:
        """This run is to be sent, and that is what is left of it."""

    def hear(self, event: CampaignEvent | WorkEvent) -> None:
        """Something happened."""

    def ended(self, told: Summary) -> None:
        """The send that began has ended."""

    def close(self) -> None:
        """Nothing more happens."""
