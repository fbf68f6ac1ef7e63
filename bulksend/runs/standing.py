"""Where a run stands as a whole, read at one look."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from bulksend.model import Status
from bulksend.planning import Tally
from bulksend.runs.ends import End, Purge, Spell
from bulksend.runs.facts import Facts
from bulksend.runs.owner import Owner
from bulksend.runs.shared import Shared
from bulksend.runs.store import Run
from bulksend.when import Schedule


class Standing(StrEnum):
    """Where a run stands, as a whole."""

    PLANNED = "planned"
    """Nothing of it was ever sent."""
    WAITING = "waiting"
    """Somebody has it and sleeps until its messages may leave."""
    OPENED = "opened"
    """It is left to workers, and none is at work on it."""
    SENDING = "sending"
    """Somebody is at work on it."""
    STOPPED = "stopped early"
    """Rows are left that were to be sent."""
    IN_DOUBT = "in doubt"
    """Nothing is left to send, and what became of some rows is not known."""
    FINISHED = "finished"


class Stand(NamedTuple):
    """Where a run stands.

    Attributes:
        place: of the run.
        input_name: what it was planned of.
        is_rehearsal: whether it goes to a private sandbox.
        standing: in one word.
        tally: its rows, by what became of them.
        owner: who is at work on it; None if nobody is, or workers are.
        shared: the workers that it is left to; None if it is to none.
        purge: that its numbers, texts and cells are gone; None if they are not.
        spell: from when to when it was sent; as long as somebody is at work, the end is that of the time before.
        schedule: when its messages may leave.
        waits_until: until when its owner sleeps, in seconds since 1970; None if nobody does.
    """

    place: str
    input_name: str
    is_rehearsal: bool
    standing: Standing
    tally: Tally
    owner: Owner | None
    shared: Shared | None
    purge: Purge | None
    spell: Spell
    schedule: Schedule
    waits_until: float | None

    @property
    def end(self) -> End | None:
        """How it ended; None as long as it has not, or if it was never sent."""
        return None if self.owner or self.shared else self.spell.end


def stand_of(run: Run) -> Stand:
    """Where a run stands.

    Raises:
        RunFileError: it cannot be read.
    """
    waits_until = run.times.waits_until
    spell, schedule = run.spell, run.times.schedule
    return stand(run.place, run.facts, run.tally(), run.owner, run.shared, run.purge, spell, schedule, waits_until)


def stand(
    place: str,
    facts: Facts,
    tally: Tally,
    owner: Owner | None,
    shared: Shared | None,
    purge: Purge | None,
    spell: Spell,
    schedule: Schedule,
    waits_until: float | None,
) -> Stand:
    """The same, of what is known of the run; its last owner may be gone."""
    if owner is not None and owner.is_gone:
        owner = None
    waits_until = waits_until if owner else None
    standing = Standing.WAITING if waits_until else _standing(tally, owner, shared, spell)
    rehearsal = facts.address.is_rehearsal
    about = place, facts.input_name, rehearsal, standing, tally
    return Stand(*about, owner, shared, purge, spell, schedule, waits_until)


def _standing(tally: Tally, owner: Owner | None, shared: Shared | None, spell: Spell) -> Standing:
    if owner is not None or (shared is not None and shared.here):
        return Standing.SENDING
    if shared is not None:
        return Standing.OPENED
    if tally.statuses[Status.PENDING]:
        return Standing.PLANNED if spell.started_at is None else Standing.STOPPED
    return Standing.IN_DOUBT if tally.in_doubt else Standing.FINISHED
