"""What came of something that somebody had done on the page, told once."""

from __future__ import annotations

from typing import NamedTuple

from bulksend.model import Status
from bulksend.sms import dollars
from bulksend.web.told import Fetched, Refused, Settled, Told, Tried
from bulksend.web.wording import say
from bulksend.words import printable


class Flash(NamedTuple):
    """It.

    Attributes:
        says: it.
        is_fault: whether it went wrong.
        question: what could be said yes to, as `bulksend.errors.Question` has it; empty for nothing.
    """

    says: str
    is_fault: bool = False
    question: str = ""


def flash(told: Told | None, *, is_rehearsal: bool) -> Flash | None:
    """What is told of it; None for nothing."""
    match told:
        case Refused(says, question):
            return Flash(says, is_fault=True, question=question)
        case Tried():
            return _tried(told, is_rehearsal=is_rehearsal)
        case Fetched(could_look):
            return Flash(say("receipts.fetched") if could_look else say("receipts.not_all"), is_fault=not could_look)
        case Settled(found, decided, in_doubt):
            says = say("doubt.settled", found=f"{found:,}", decided=f"{decided:,}", in_doubt=f"{in_doubt:,}")
            return Flash(says)
        case _:
            return None


def _tried(told: Tried, *, is_rehearsal: bool) -> Flash:
    if told.state == Status.SENT:
        if is_rehearsal:
            return Flash(say("trial.rehearsed", phone=told.phone))
        if told.charged is None:
            return Flash(say("trial.sent", row=told.row, phone=told.phone))
        return Flash(say("trial.charged", row=told.row, phone=told.phone, price=dollars(told.charged)))
    in_doubt = told.state == Status.UNKNOWN
    says = say("trial.in_doubt", phone=told.phone) if in_doubt else say("trial.not_sent", phone=told.phone)
    return Flash(f"{says} {printable(told.error)}".strip(), is_fault=True)
