"""The nouns that every layer shares: what a row becomes, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, NewType

PhoneNumber = NewType("PhoneNumber", str)
"""Digits in international format without "+", as the API's ``to`` wants them: ``639123456789``."""

ContactId = NewType("ContactId", int)
"""The id of an existing contact of the organization, the API's ``contactId``; positive."""

MicroUSD = NewType("MicroUSD", int)
"""Money: integer millionths of a US dollar, as in the API's ``estimateMicro``."""

Recipient = PhoneNumber | ContactId
"""Whom a message goes to: a number (a ``str`` at run time) or a contact (an ``int``), never both."""


API_FIELD = "{{"
"""How a field in a text begins that the API fills in: what the phone shows then, and its length, nobody knows here."""


class Status(StrEnum):
    """What is known of a row."""

    PENDING = "pending"
    """Not tried yet, or certainly not sent and to be tried again."""
    SENT = "sent"
    """Accepted by the API; has a messageId."""
    REJECTED = "rejected"
    """The API refused it: it was certainly not sent."""
    FAILED = "failed"
    """Certainly not sent, and its tries are used up."""
    UNKNOWN = "unknown"
    """It may or may not have been accepted; nobody can tell from here."""
    INVALID = "invalid"
    """The row is bad: never tried."""
    SKIPPED = "skipped"
    """Left out on purpose."""


class Event(StrEnum):
    """What happens to a row while it is sent; what it makes of the row is one table, `bulksend.runs.states`."""

    BEGUN = "begun"
    """Its intent is committed: a POST may leave."""
    ACCEPTED = "accepted"
    """The API took it."""
    KNOWN = "known"
    """The API had taken it before this run ever tried: another run has sent it, under the same campaign."""
    REJECTED = "rejected"
    """The API refused it: it was certainly not sent."""
    FAILED = "failed"
    """It was certainly not sent, and its tries are used up."""
    PUT_OFF = "put off"
    """It was certainly not sent, and is to be tried again, now or by a later command."""
    DOUBTED = "doubted"
    """It may have been accepted."""
    CALLED_OFF = "called off"
    """Nothing of the attempt left this machine: it does not count."""
    CUT_OFF = "cut off"
    """The process died while the attempt may have been under way."""
    FOUND = "found"
    """It is in the API's list: it was accepted."""
    RESENT = "resent"
    """It may have been accepted, and somebody wants it sent again all the same."""
    LEFT = "left"
    """It may have been accepted, and somebody leaves it at that."""
    LEFT_OUT = "left out"
    """Before it was tried: an earlier run has sent the same, or may have."""
    EXCLUDED = "excluded"
    """Whoever it goes to is not to get it: it is left out for good, before a POST leaves; nor is a doubt repeated."""
    TAKEN_UP = "taken up"
    """It was left out, and somebody wants it sent all the same."""
    TAKEN_OVER = "taken over"
    """This very run has sent it, as another file of it knows: this one was copied, or put back."""
    CLOSED = "closed"
    """It was not sent, and is not to be sent by its run any more: the run was closed."""


class Encoding(StrEnum):
    """How a text travels over the air (3GPP TS 23.038)."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Endpoint(StrEnum):
    """Which of the API's twins a run speaks to; only CONTACT takes a contactId."""

    CONTACT = "contact"
    PHONENUMBER = "phonenumber"


class Duplicates(StrEnum):
    """What to do with a row that has the number and the text of an earlier one."""

    SEND = "send"
    SKIP = "skip"
    FAIL = "fail"


class Message(NamedTuple):
    """A row made ready to send.

    Attributes:
        row: its number in the input, from 1.
        recipient: a number or a contact.
        sender: the sender id (the API's ``from``), or None to let the telco choose.
        text: what the phone shows, merge fields filled.
        parts: SMS parts that ``text`` needs.
        price: estimated price of all parts, or None where no rate is known.
        copy: how many earlier rows of its run have the same recipient, sender and text.
    """

    row: int
    recipient: Recipient
    sender: str | None
    text: str
    parts: int
    price: MicroUSD | None
    copy: int = 0


class Queued(NamedTuple):
    """A row that waits to be sent; a tuple because millions of them pass from the run file to the dispatcher.

    Attributes:
        row: its number in the input.
        recipient: whom it goes to, by number where that is known.
        slots: how many SMS it counts against the recipient's cap.
    """

    row: int
    recipient: Recipient
    slots: int


class Attempt(NamedTuple):
    """One POST about to leave: its intent is committed.

    Attributes:
        message: what it sends.
        number: 1 for the message's first attempt.
        doubt_since: when the first attempt began that may have been accepted, in seconds since 1970; None if none may.
        ticket: which intent it is among all of its command, counted from 1 in the order in which they leave.
        proof: under which proof of clientDedup it, and all before it that may have been accepted, went; 0 for none.
        resent: whether somebody wants it sent again although it may have been accepted.
    """

    message: Message
    number: int
    doubt_since: float | None
    ticket: int
    proof: int = 0
    resent: bool = False

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier attempt may have been accepted."""
        return self.doubt_since is not None


class Answer(NamedTuple):
    """What the API said of a message; its fields keep the API's names and values (API document, response body).

    Attributes:
        charged: the cost of the whole message in micro-USD, by the reading of estimateMicro that fits.
    """

    message_id: str
    estimate_parts: int | None
    estimate_micro: int | None
    estimate: str
    delivery_deadline: str
    to: str
    contact_id: int | None
    charged: MicroUSD | None


class Reached(StrEnum):
    """Whether a message reached its phone, in the API's words (``deliveredToPhone``)."""

    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    FAILED = "failed"


class Receipt(NamedTuple):
    """What the API tells of a message's delivery; its fields keep the API's values.

    Attributes:
        message_id: which message.
        to_telco: whether the telco took it; None where that is not told.
        to_phone: whether it reached its phone.
        error: why it did not; empty if nothing is said.
        charged: micro-USD, None where that is not told.
    """

    message_id: str
    to_telco: bool | None
    to_phone: Reached
    error: str
    charged: MicroUSD | None


class Outcome(NamedTuple):
    """What an attempt showed of its message.

    Attributes:
        row: the message's row.
        event: what happened to it.
        final: False if this run has not done with the message.
        ended_at: when the answer came or the time-out struck, in seconds since 1970 (UTC).
        http_status: of the answer, or None if there was none.
        answer: what the API said, or None.
        error: what went wrong, for people; empty if nothing did.
        learned: the number behind a contactId, if the answer told it.
        in_doubt: whether an attempt before it may have been accepted.
        code: what kept a usable answer from coming, for machines; empty if one came.
    """

    row: int
    event: Event
    final: bool
    ended_at: float
    http_status: int | None = None
    answer: Answer | None = None
    error: str = ""
    learned: tuple[ContactId, PhoneNumber] | None = None
    in_doubt: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class RowInDoubt:
    """A row that may have been accepted.

    Attributes:
        key: its clientRef, by which the list knows it if it was sent with one.
        since: when the first attempt began that may have been accepted, in seconds since 1970.
        until: when the last one began.
        is_excluded: whether it is not to be sent again, whoever says so, for whom it goes to.
    """

    row: int
    recipient: Recipient
    text: str
    key: str
    since: float
    until: float
    error: str
    is_excluded: bool = False
