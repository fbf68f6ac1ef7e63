"""A plan that is being written and is to become a run; any store can stand behind it, see `bulksend.runs.opening`."""

from __future__ import annotations

from typing import Protocol

from bulksend.planning import PlanSink


class PlanWriter(PlanSink, Protocol):
    """Takes a plan, and can be thrown away."""

    def discard(self) -> None:
        """Throw it away."""
