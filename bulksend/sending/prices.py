"""What a message may cost before its answer tells: by its plan, and by what answers told of others of its kind."""

from __future__ import annotations

from typing import NamedTuple

from bulksend.model import API_FIELD, Answer, Message, PhoneNumber, Recipient
from bulksend.sms import phones

_FILLED_PARTS = 7  # the API sends no longer text


class Priced(NamedTuple):
    """What a message is held at.

    Attributes:
        parts: it may take so many.
        cost: micro-USD of all of them.
    """

    parts: int
    cost: int


def kind_of(recipient: Recipient) -> str:
    """Messages of one kind cost alike a part: the dialing code, which nobody knows of a contact."""
    return "" if isinstance(recipient, int) else phones.dialing_code(PhoneNumber(recipient))


def priced(message: Message, dearest_part: int, told: int) -> Priced:
    """What a message may cost at most, as far as anything is known.

    Args:
        message: which.
        dearest_part: micro-USD of the dearest part known; what one without a price is taken to cost.
        told: micro-USD of the dearest part that answers told of its kind; 0 for none.
    """
    parts = max(_FILLED_PARTS, message.parts) if API_FIELD in message.text else message.parts
    plan = dearest_part * parts if message.price is None else -(-message.price * parts // message.parts)
    return Priced(parts, max(plan, told * parts))


def paid(message: Message, held: int, answer: Answer | None) -> int:
    """What a message that was accepted cost: if its answer says nothing or zero, its plan's price."""
    return (answer and answer.charged) or (held if message.price is None else message.price)


def part_told(message: Message, answer: Answer | None) -> int:
    """What an answer tells of the price of a part, in micro-USD; 0 for nothing."""
    if answer is None or not answer.charged:
        return 0
    most = max(_FILLED_PARTS, message.parts)
    parts = answer.estimate_parts or most if API_FIELD in message.text else message.parts
    return -(-answer.charged // parts)
