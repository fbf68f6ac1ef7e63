"""A row's life, as one table: what each event makes of it. The stores make their SQL of it.

A row that is being sent has a state, a flag that it is in doubt (since when an attempt may have been accepted), and
what somebody has decided about the doubt. The flag is never taken off: whatever comes later, the telco may have got it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from bulksend.model import Event, Status


class State(StrEnum):
    """Where a row is that has been planned to be sent."""

    PENDING = "pending"
    IN_FLIGHT = "in flight"
    """Its intent is committed and its outcome is not."""
    SENT = "sent"
    SKIPPED = "skipped"
    """It was not sent, because another run had sent it."""
    LEFT_OUT = "left out"
    """It was not tried, because history holds the same; people see `skipped`."""
    CLOSED = "closed"
    """It was not sent, and is not to be by this run any more; people see `skipped`."""
    EXCLUDED = "excluded"
    """It was not tried, because whoever it goes to is not to get it; people see `skipped`."""
    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def status(self) -> Status | None:
        """What people are told; None for a row under way, which has no status yet."""
        if self in {State.LEFT_OUT, State.CLOSED, State.EXCLUDED}:
            return Status.SKIPPED
        return None if self is State.IN_FLIGHT else Status(self.value)


class Decision(StrEnum):
    """What somebody has decided about a row in doubt."""

    RESEND = "resend"
    """It is sent again, and reads `unknown` until it is accepted."""
    LEAVE = "leave"
    """It stays `unknown`, and is neither repeated nor looked for."""
    EXCLUDED = "excluded"
    """It stays `unknown`, is looked for, and is never repeated, whoever says so: it goes to who is not to get it."""


class Keep(StrEnum):
    """What an event does to the decision, beside making one."""

    KEEP = "keep"
    DROP = "drop"
    """The doubt is over, or is another one than was decided on."""


class Step(NamedTuple):
    """What an event makes of a row.

    Attributes:
        before: the states in which it can happen.
        after: the state that follows.
        in_doubt: the state that follows if an earlier attempt may have been accepted.
        doubts: whether this attempt may have been accepted.
        decision: what becomes of the decision about the doubt.
    """

    before: frozenset[State]
    after: State
    in_doubt: State
    doubts: bool = False
    decision: Decision | Keep = Keep.KEEP


_UNDER_WAY = frozenset({State.IN_FLIGHT})
_IN_DOUBT = frozenset({State.UNKNOWN})
_NOT_SENT = frozenset({State.PENDING, State.FAILED})
_LEFT_OUT = frozenset({State.LEFT_OUT})
_TO_EXCLUDE = frozenset({State.PENDING, State.FAILED, State.LEFT_OUT, State.UNKNOWN, State.IN_FLIGHT})
_TO_BEGIN = frozenset({State.PENDING, State.FAILED, State.UNKNOWN})

STEPS: dict[Event, Step] = {
    # event                 from         to               to, if in doubt
    Event.BEGUN: Step(_TO_BEGIN, State.IN_FLIGHT, State.IN_FLIGHT),
    Event.ACCEPTED: Step(_UNDER_WAY, State.SENT, State.SENT, decision=Keep.DROP),
    Event.KNOWN: Step(_UNDER_WAY, State.SKIPPED, State.SENT, decision=Keep.DROP),
    Event.REJECTED: Step(_UNDER_WAY, State.REJECTED, State.UNKNOWN, decision=Keep.DROP),
    Event.FAILED: Step(_UNDER_WAY, State.FAILED, State.UNKNOWN),
    Event.PUT_OFF: Step(_UNDER_WAY, State.PENDING, State.UNKNOWN),
    Event.CALLED_OFF: Step(_UNDER_WAY, State.PENDING, State.UNKNOWN),
    Event.DOUBTED: Step(_UNDER_WAY, State.UNKNOWN, State.UNKNOWN, doubts=True, decision=Keep.DROP),
    Event.CUT_OFF: Step(_UNDER_WAY, State.UNKNOWN, State.UNKNOWN, doubts=True, decision=Keep.DROP),
    Event.FOUND: Step(_IN_DOUBT, State.SENT, State.SENT, decision=Keep.DROP),
    Event.RESENT: Step(_IN_DOUBT, State.UNKNOWN, State.UNKNOWN, decision=Decision.RESEND),
    Event.LEFT: Step(_IN_DOUBT, State.UNKNOWN, State.UNKNOWN, decision=Decision.LEAVE),
    Event.LEFT_OUT: Step(_NOT_SENT, State.LEFT_OUT, State.UNKNOWN),
    Event.EXCLUDED: Step(_TO_EXCLUDE, State.EXCLUDED, State.UNKNOWN, decision=Decision.EXCLUDED),
    Event.TAKEN_UP: Step(_LEFT_OUT, State.PENDING, State.UNKNOWN),
    Event.TAKEN_OVER: Step(_NOT_SENT, State.SKIPPED, State.UNKNOWN),
    Event.CLOSED: Step(_NOT_SENT, State.CLOSED, State.UNKNOWN),
}
"""What each event makes of a row. A row that was never tried is PENDING. Whatever becomes of a repeat, the attempt
before it may have been accepted: so a row in doubt reads `unknown` until it is known to be accepted."""


class Life(NamedTuple):
    """Where a row is: its state, whether it is in doubt, and what was decided about that."""

    state: State
    in_doubt: bool = False
    decision: Decision | None = None

    def after(self, event: Event) -> Life:
        """What an event makes of it.

        Raises:
            ValueError: the event cannot happen to it.
        """
        step = STEPS[event]
        if self.state not in step.before:
            raise ValueError(f"a row that is {self.state} cannot be {event}")
        state = step.in_doubt if self.in_doubt else step.after
        return Life(state, self.in_doubt or step.doubts, self._decided(step.decision))

    @property
    def is_to_send(self) -> bool:
        """Whether it is sent by the next command without another word: certainly not sent, or to be sent again."""
        again = self.state is State.UNKNOWN and self.decision is Decision.RESEND
        return self.state in {State.PENDING, State.FAILED} or again

    @property
    def is_open(self) -> bool:
        """Whether it is in doubt and was not left at that: it is looked for in the API's list."""
        return self.state is State.UNKNOWN and self.decision is not Decision.LEAVE

    @property
    def is_unsettled(self) -> bool:
        """Whether it is in doubt and nobody has decided on it: it is repeated where that is safe."""
        return self.state is State.UNKNOWN and self.decision is None

    def _decided(self, decision: Decision | Keep) -> Decision | None:
        if decision is Keep.DROP:
            return None
        is_without_doubt = decision is Decision.EXCLUDED and not self.in_doubt
        is_excluded = decision is Decision.RESEND and self.decision is Decision.EXCLUDED
        return self.decision if decision is Keep.KEEP or is_without_doubt or is_excluded else decision
