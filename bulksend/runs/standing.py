"""Where a run stands, in one word."""

from __future__ import annotations

from enum import StrEnum

from bulksend.model import Status
from bulksend.planning import Tally
from bulksend.runs.store import Run


class Standing(StrEnum):
    """Where a run stands, as a whole."""

    PLANNED = "planned"
    """Nothing of it was ever sent."""
    SENDING = "sending"
    """Somebody is at work on it."""
    STOPPED = "stopped early"
    """Rows are left that were to be sent."""
    IN_DOUBT = "in doubt"
    """Nothing is left to send, and what became of some rows is not known."""
    FINISHED = "finished"


def standing(run: Run, tally: Tally) -> Standing:
    """Where a run with these rows stands.

    Raises:
        RunFileError: it cannot be read.
    """
    owner = run.owner
    if owner is not None and not owner.is_gone:
        return Standing.SENDING
    if tally.statuses[Status.PENDING]:
        return Standing.PLANNED if run.spell.started_at is None else Standing.STOPPED
    return Standing.IN_DOUBT if tally.in_doubt else Standing.FINISHED
