"""What a reply says of its message, whoever gave it: all that sending needs to know of a provider's answers.

A message is *certain* when it is known whether it was accepted. Only what certainly was not accepted may be sent again
freely; what may have been accepted is repeated only under a dedup key that the server has shown to know.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple, Protocol

from bulksend.model import Answer, Event, Message
from bulksend.sending.stop import StopReason


class Repeat(Enum):
    """Whether a message may be sent once more."""

    NEVER = auto()
    FREELY = auto()
    """It certainly was not accepted."""
    UNDER_KEY = auto()
    """It may have been accepted: only under the same key, where the server has echoed one."""


class Voice(Enum):
    """Who spoke in a reply."""

    API = auto()
    """The API, in its own words."""
    BUSY = auto()
    """Whoever it was asks to slow down, and did not process the message."""
    NONE = auto()
    """Nobody, or somebody before the API."""


class Ruling(NamedTuple):
    """What follows from a kind of reply; there are few, and every message's verdict holds one of them.

    Attributes:
        event: what happened to the message, if it is not, or no longer, to be repeated.
        repeat: whether it may be sent once more now.
        counts: whether the SMS may have reached the telco, so that it counts against the phone's cap.
        ends: why the run stops, if no other message can do better; None if it goes on.
    """

    event: Event
    repeat: Repeat
    counts: bool
    ends: StopReason | None = None


ACCEPTED = Ruling(Event.ACCEPTED, Repeat.NEVER, counts=True)
KNOWN = Ruling(Event.KNOWN, Repeat.NEVER, counts=False)
REJECTED = Ruling(Event.REJECTED, Repeat.NEVER, counts=False)
FAILED = Ruling(Event.FAILED, Repeat.FREELY, counts=False)
DOUBTED = Ruling(Event.DOUBTED, Repeat.UNDER_KEY, counts=True)


class Verdict(NamedTuple):
    """What one reply says of its message, and what came with it.

    Attributes:
        ruling: what follows.
        http_status: the answer's status, or None if there was no answer.
        answer: what the API said, or None.
        says: what went wrong, for people; empty if nothing did.
        echoed: whether the answer held our own dedup key.
        retry_after_s: how long the server asks to be left alone, or None; above 0.
        slow: whether it asks to be asked less, for however long.
        voice: who spoke.
        code: what kept a usable answer from coming, for machines; empty if one came.
    """

    ruling: Ruling
    http_status: int | None = None
    answer: Answer | None = None
    says: str = ""
    echoed: bool = False
    retry_after_s: float | None = None
    slow: bool = False
    voice: Voice = Voice.NONE
    code: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether an answer came that leaves no doubt about its message."""
        return self.http_status is not None and self.ruling.event is not Event.DOUBTED

    @property
    def is_duplicate(self) -> bool:
        """Whether it was accepted before, under the same key, and was not accepted anew."""
        return self.http_status == 409 and self.ruling.event is Event.ACCEPTED

    def of_another_run(self) -> Verdict:
        """The same of a duplicate that this run has not sent."""
        return self._replace(ruling=KNOWN, says=accepted_before(self.answer.message_id if self.answer else ""))


def accepted_before(message_id: str, by: str = "") -> str:
    """Why a message was not sent that another run has sent: its id, and which run that was if that is known."""
    known = ", ".join(filter(None, (message_id, by)))
    return f"accepted before ({known}), not charged again" if known else "accepted before, not charged again"


CUT_SHORT = Verdict(
    DOUBTED,
    says="the run was stopped before the answer came: it may or may not have been accepted",
    code="cut short",
)
"""Of a message whose answer nobody waited for."""
WITHHELD = Verdict(FAILED, says="it did not leave, for this process may have lost the run", code="withheld")
"""Of a message that was not let go at the last moment: certainly nothing left."""


class Sender(Protocol):
    """What sending needs of a provider."""

    async def send(self, message: Message, dedup_key: str | None, leaves: Callable[[], bool]) -> Verdict:
        """POST a message once; never raises.

        Args:
            message: what to send.
            dedup_key: its clientDedup, or None to leave the field out.
            leaves: is asked once, when all is ready and right before the message leaves; if it says no, nothing does,
                and `WITHHELD` comes back.
        """

    async def is_there(self) -> bool:
        """Whether anybody answers for the provider, found out without sending; never raises."""
