"""Whoever opted out while a run is sent: looked at when intents begin, and once more right before each POST."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from bulksend.errors import BulksendError
from bulksend.model import Attempt, Queued, Recipient
from bulksend.sending.stop import Stop, StopReason
from bulksend.sending.stopping import Stopping

LOOK_EACH_S = 0.5
"""No message leaves on a look that is older."""


class OptOuts(Protocol):
    """Who opted out of an account's messages; false if nobody did."""

    def __len__(self) -> int: ...

    def look(self) -> None:
        """Take in who opted out since; comes back at once.

        Raises:
            BulksendError: that cannot be seen.
        """

    def why(self, recipient: Recipient) -> str | None:
        """Why somebody is to get nothing, for people; None if they may."""


class Gatekeeper:
    """Tells which messages must not leave, by a look at the opt-outs that is never older than `LOOK_EACH_S`.

    Where it cannot look, it asks for the run's end: that nobody can be seen is not that nobody opted out.

    Args:
        optouts: who opted out; None if nobody can.
        stopping: is asked for the end.
    """

    __slots__ = ("_look_at", "_optouts", "_stopping")

    def __init__(self, optouts: OptOuts | None, stopping: Stopping) -> None:
        self._optouts = optouts
        self._stopping = stopping
        self._look_at = float("-inf")

    def among(self, items: Iterable[Queued], mono_s: float) -> dict[int, str]:
        """The rows among some that must not leave, each with the reason for people."""
        if not self._is_anybody(mono_s):
            return {}
        return {item.row: says for item in items if (says := self._why(item.recipient))}

    def why(self, item: Queued, attempt: Attempt, mono_s: float) -> str | None:
        """Why a message must not leave now, by whom it goes to and by whose phone that is; None if it may.

        Of a contact's messages one is under way at a time until its number is known: so the row, as it was handed out,
        tells whose phone it is.
        """
        if not self._is_anybody(mono_s):
            return None
        phone, recipient = item.recipient, attempt.message.recipient
        return self._why(phone) or (None if phone == recipient else self._why(recipient))

    def _is_anybody(self, mono_s: float) -> bool:
        optouts = self._optouts
        if optouts is None:
            return False
        if mono_s >= self._look_at:
            try:
                optouts.look()
            except BulksendError as error:
                self._stopping.ask(Stop(StopReason.STORE_FAILED, str(error)))
            self._look_at = mono_s + LOOK_EACH_S
        return len(optouts) > 0

    def _why(self, who: Recipient) -> str | None:
        return None if self._optouts is None else self._optouts.why(who)
