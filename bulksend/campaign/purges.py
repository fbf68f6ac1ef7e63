"""Numbers, texts and cells of a run go; who got what stays known as hashes, so that nobody gets it twice."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bulksend.errors import UsageError
from bulksend.model import Status
from bulksend.runs import Address, OwnRun, Run, forget_sends, history_of, is_remembered
from bulksend.words import many

_CAPPED_S = 3_600.0  # so long the run itself must be able to tell how many SMS a phone got lately


@dataclass(frozen=True, slots=True)
class Purged:
    """What became of a run that was purged.

    Attributes:
        rows: it has so many.
        is_known: whether history holds, as hashes, who got what of it.
    """

    rows: int
    is_known: bool


def check_can_purge(run: Run, older_than_s: float, wall_s: float) -> None:
    """See that nothing needs a run's numbers and texts any more.

    Args:
        run: the run.
        older_than_s: nothing of it may have happened for so long.
        wall_s: now, in seconds since 1970.

    Raises:
        UsageError: rows are to be sent, or in doubt, or younger.
    """
    tally = run.tally()
    if pending := tally.statuses[Status.PENDING]:
        raise UsageError(
            f"{run.place}: {many(pending, 'row')} of this run {'is' if pending == 1 else 'are'} still to be sent: "
            "nothing was purged"
        )
    if in_doubt := tally.in_doubt + tally.in_flight:
        raise UsageError(
            f"{run.place}: {many(in_doubt, 'row')} of this run may have been accepted, which only numbers and texts "
            "can settle: nothing was purged"
        )
    span = run.span
    if span is not None and wall_s - span.ended_at < max(older_than_s, _CAPPED_S):
        day = time.localtime(span.ended_at)
        raise UsageError(
            f"{run.place}: rows of this run were tried as late as {day.tm_mday} {time.strftime('%B %Y, %H:%M', day)}: "
            "nothing was purged"
        )


def purge(run: OwnRun, wall_s: float) -> Purged:
    """Let history know all of a run, and take numbers, texts and cells out of it; see first that it can be purged.

    Raises:
        UsageError: history cannot be used.
        RunFileError: the run, or history, cannot be written; or somebody reads the run meanwhile.
    """
    to = run.facts.address
    is_known = _is_known(run, to)
    run.forget(wall_s)
    if to.base_url and to.org_id:
        forget_sends(run.place, to, run)
    return Purged(run.tally().rows, is_known)


def _is_known(run: OwnRun, to: Address) -> bool:
    if not (to.base_url and to.org_id and is_remembered(run.place, to)):
        return False
    with history_of(run.place, to) as history:
        history.absorb(run)  # of a command that was killed
        return any(command.plan_id == run.facts.plan_id for command in history.commands().values())
