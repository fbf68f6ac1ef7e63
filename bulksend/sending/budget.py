"""What a run may cost, whatever the API really charges: what is under way is held at the dearest that is known.

A plan's prices are estimates. So until an answer has told what a part costs of a kind (a dialing code, or contacts),
one message of that kind is under way; what that first one costs, nobody can bound. Prices may have changed since the
command before: what it was told is held, but the first of each kind goes alone again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from bulksend.model import Answer, Message, MicroUSD, Recipient
from bulksend.sending.prices import paid, part_told, priced

KindOf = Callable[[Recipient], str]
"""Messages of one kind cost alike a part: the dialing code, or what stands for contacts."""


class Room(Enum):
    """Whether a message may start."""

    IS_THERE = auto()
    NOT_YET = auto()
    """The first of its kind is under way: its answer tells the price."""
    FILLED = auto()
    """There is not so much left, as long as nothing of what is under way turns out not to cost it."""


class Money(NamedTuple):
    """What is left of a budget: what another that goes on from here needs.

    Attributes:
        left: micro-USD, what is held taken off.
        dearest_part: micro-USD of the dearest part known.
        told: by kind, that of the dearest that answers told.
        held: by row.
    """

    left: int
    dearest_part: int
    told: Mapping[str, int]
    held: Mapping[int, int]


@dataclass(slots=True)
class _Held:
    kind: str
    parts: int
    cost: int


class Budget:
    """What a run may cost; what is under way counts, and what may have been accepted.

    A part without a known price is taken to cost as much as the dearest known one.

    Args:
        limit: micro-USD of the whole run.
        spent: micro-USD that it was charged already.
        dearest_part: micro-USD of the dearest part known.
        told: by kind, the dearest part that answers to earlier commands told of.
        in_doubt: the messages that may have been accepted.
        kind_of: the kinds.
    """

    __slots__ = ("_dearest_part", "_first", "_held", "_kind_of", "_known", "_left", "_told")

    def __init__(
        self,
        limit: MicroUSD,
        *,
        spent: int,
        dearest_part: int,
        told: Mapping[str, int],
        in_doubt: Iterable[Message],
        kind_of: KindOf,
    ) -> None:
        self._left: int = limit - spent
        self._dearest_part = max([dearest_part, *told.values()])
        self._told = dict(told)
        self._known: set[str] = set()  # kinds whose price an answer to this command told
        self._kind_of = kind_of
        self._held: dict[int, _Held] = {}
        self._first: dict[str, int] = {}  # by kind that is not known, the row under way
        for message in in_doubt:
            self._hold(message.row, self._priced(message))

    @property
    def money(self) -> Money:
        """Where it stands now."""
        held = {row: each.cost for row, each in self._held.items()}
        return Money(self._left, self._dearest_part, dict(self._told), held)

    def room_for(self, message: Message) -> Room:
        """Whether a message may start as things are."""
        if message.row in self._held:
            return Room.IS_THERE  # a repeat of what may have been charged already
        held = self._priced(message)
        if held.kind not in self._known and held.kind in self._first:
            return Room.NOT_YET
        return Room.FILLED if held.cost > self._left else Room.IS_THERE

    def hold(self, message: Message) -> Room:
        """Set a message's price aside before it leaves, if there is room for it."""
        room = self.room_for(message)
        if room is Room.IS_THERE and message.row not in self._held:
            held = self._priced(message)
            self._hold(message.row, held)
            if held.kind not in self._known:
                self._first[held.kind] = message.row
        return room

    def accepted(self, message: Message, answer: Answer | None) -> None:
        """It was sent, for what the answer says; if that is nothing or zero, for its plan's price."""
        held = self._held.pop(message.row)
        self._left += held.cost - paid(message, held.cost, answer)
        self._end_first(held.kind, message.row)
        self._tell(held.kind, part_told(message, answer))

    def doubted(self, row: int) -> None:
        """It may have been accepted: its price stays held, and the next of its kind may show what that is."""
        held = self._held.get(row)
        if held is not None:
            self._end_first(held.kind, row)

    def not_sent(self, row: int) -> None:
        """It certainly was not accepted: its price is free again."""
        held = self._held.pop(row, None)
        if held is not None:
            self._left += held.cost
            self._end_first(held.kind, row)

    def _priced(self, message: Message) -> _Held:
        kind = self._kind_of(message.recipient)
        return _Held(kind, *priced(message, self._dearest_part, self._told.get(kind, 0)))

    def _hold(self, row: int, held: _Held) -> None:
        self._held[row] = held
        self._left -= held.cost

    def _end_first(self, kind: str, row: int) -> None:
        if self._first.get(kind) == row:
            del self._first[kind]

    def _tell(self, kind: str, part: int) -> None:
        """An answer told what a part costs: what is held of its kind is held at no less."""
        self._known.add(kind)
        self._dearest_part = max(self._dearest_part, part)
        is_news = part > self._told.get(kind, 0)
        self._told[kind] = max(part, self._told.get(kind, 0))
        if not is_news:
            return
        for held in self._held.values():
            if held.kind == kind and part * held.parts > held.cost:
                self._left -= part * held.parts - held.cost
                held.cost = part * held.parts
