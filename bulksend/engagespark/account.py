"""What the API tells of an account beside answering sends: its list of messages, its balance, and how asking went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bulksend.model import Answer, MicroUSD, PhoneNumber, Reached, Receipt


class Looked(StrEnum):
    """How looking for something at the server went: that it could not be looked for is not that it is not there."""

    THROUGH = "looked through"
    """All that was asked for was seen."""
    IN_PART = "looked through in part"
    """What is not found may stand in the rest."""
    NO_SUCH = "no such thing"
    """The server has nothing of the kind."""
    REFUSED = "refused"
    """The server refuses the key (401)."""
    WITHHELD = "withheld"
    """The server does not show it (403), which says nothing of what else the key may do."""
    NOT_REACHED = "not reached"
    """No answer in time, or a server or gateway that has none to give now."""
    NOT_UNDERSTOOD = "not understood"
    """What came was something else."""

    @property
    def is_answer(self) -> bool:
        """Whether it is known by now what there is to see: all of it, or that there is no such thing."""
        return self in {Looked.THROUGH, Looked.NO_SUCH}


class Balance(NamedTuple):
    """What an account has to spend.

    Attributes:
        micro: micro-USD; below zero if it owes.
        auto_recharge: whether funds are added of themselves when they run low.
    """

    micro: MicroUSD
    auto_recharge: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A message in the API's list.

    Attributes:
        client_ref: the clientRef it was sent with; empty if it has none.
        created: seconds since 1970.
        charged: micro-USD, if the list tells.
        to_telco: whether the telco took it, if the list tells.
        to_phone: whether it reached its phone.
        delivery_error: why it did not; empty if nothing is said.
    """

    message_id: str
    client_ref: str
    number: PhoneNumber
    contact_id: int | None
    text: str
    created: float
    charged: MicroUSD | None
    to_telco: bool | None = None
    to_phone: Reached = Reached.UNKNOWN
    delivery_error: str = ""

    def receipt(self) -> Receipt:
        """What it tells of its delivery."""
        return Receipt(self.message_id, self.to_telco, self.to_phone, self.delivery_error, self.charged)

    def answer(self) -> Answer:
        """What the API would have answered, as far as its list tells."""
        return Answer(
            message_id=self.message_id,
            estimate_parts=None,
            estimate_micro=None,
            estimate="",
            delivery_deadline="",
            to=self.number,
            contact_id=self.contact_id,
            charged=self.charged,
        )


class Page(NamedTuple):
    """A page of the list, newest first.

    Attributes:
        messages: those on it.
        after: the next page's cursor; None if there is none.
        is_whole: False if something on it was no message that can be read, or the next page cannot be asked for.
    """

    messages: Sequence[Listed]
    after: str | None
    is_whole: bool = True
