"""The messages that wait for money: until a price is told, or until it shows that there is enough of it."""

from __future__ import annotations

from bulksend.model import Answer, Attempt, Event, Message, Queued
from bulksend.sending.budget import Budget, Room
from bulksend.sending.dispatcher import Dispatcher


class Purse:
    """Lets messages leave as far as the budget goes, and keeps the others in their order.

    Args:
        budget: what the run may cost; None if it may cost anything.
        dispatcher: gets those back that may be tried again.

    Attributes:
        is_filled: whether the next message costs more than is left, unless something under way is refused.
    """

    __slots__ = ("_aside", "_budget", "_dispatcher", "is_filled")

    def __init__(self, budget: Budget | None, dispatcher: Dispatcher) -> None:
        self._budget = budget
        self._dispatcher = dispatcher
        self._aside: list[tuple[Queued, Message]] = []
        self.is_filled = False

    @property
    def aside(self) -> int:
        """Messages that wait for money."""
        return len(self._aside)

    def opens_for(self, item: Queued, attempt: Attempt) -> bool:
        """Set a message's price aside before it leaves; if there is none to set aside, the message itself."""
        if self._budget is None:
            return True
        room = Room.FILLED if self.is_filled else self._budget.hold(attempt.message)
        if room is Room.IS_THERE:
            return True
        self.is_filled = room is Room.FILLED
        self._aside.append((item, attempt.message))
        return False

    def settle(
        self, attempt: Attempt, event: Event, answer: Answer | None, mono_s: float, *, is_free: bool = False
    ) -> None:
        """An attempt came to its end.

        Args:
            attempt: which.
            event: what happened to its message.
            answer: says what was charged for it, if it was accepted.
            mono_s: now.
            is_free: whether it was accepted at no cost.
        """
        if self._budget is None:
            return
        row = attempt.message.row
        if event is Event.ACCEPTED and not is_free:
            self._budget.accepted(attempt.message, answer)
        elif is_free or not (event is Event.DOUBTED or attempt.in_doubt):
            self._budget.not_sent(row)
        else:
            self._budget.doubted(row)
        self._release(mono_s)

    def _release(self, mono_s: float) -> None:
        """Give back what there is room for by now, in order."""
        if self._budget is None or not self._aside:
            return
        rooms = [self._budget.room_for(message) for _, message in self._aside]
        self.is_filled = Room.FILLED in rooms
        to = rooms.index(Room.FILLED) if self.is_filled else len(rooms)
        waiting, self._aside = self._aside, []
        for place, ((item, message), room) in enumerate(zip(waiting, rooms, strict=True)):
            if room is Room.IS_THERE and place < to:
                self._dispatcher.retry(item, mono_s)
            else:
                self._aside.append((item, message))
