"""The nouns that every layer shares: what a row becomes, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NewType

PhoneNumber = NewType("PhoneNumber", str)
"""Digits in international format without "+", as the API's ``to`` wants them: ``639123456789``."""

ContactId = NewType("ContactId", int)
"""The id of an existing contact of the organization, the API's ``contactId``; positive."""

MicroUSD = NewType("MicroUSD", int)
"""Money: integer millionths of a US dollar, as in the API's ``estimateMicro``."""

Recipient = PhoneNumber | ContactId
"""Whom a message goes to: a number (a ``str`` at run time) or a contact (an ``int``), never both."""


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


class Encoding(StrEnum):
    """How a text travels over the air (3GPP TS 23.038)."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Endpoint(StrEnum):
    """Which of the API's twins a run speaks to; only CONTACT takes a contactId."""

    CONTACT = "contact"
    PHONENUMBER = "phonenumber"


class ExitCode(IntEnum):
    """What the program's exit tells a script; the numbers are fixed."""

    OK = 0
    """Every row sent, or left out on purpose."""
    NOT_ALL_SENT = 1
    """Finished, some rows were not sent: invalid, rejected, failed or unknown."""
    USAGE = 2
    """Usage or configuration: nothing was sent."""
    STOPPED = 3
    """Stopped early; the same command goes on."""
    OWNED = 4
    """Another process owns the run file."""
    INTERRUPTED = 130
    """SIGINT; the same command goes on."""
    TERMINATED = 143
    """SIGTERM; the same command goes on."""


@dataclass(frozen=True, slots=True)
class Message:
    """A row made ready to send.

    Attributes:
        row: its number in the input, from 1.
        recipient: a number or a contact.
        sender: the sender id (the API's ``from``), or None to let the telco choose.
        text: what the phone shows, merge fields filled.
        parts: SMS parts that ``text`` needs.
        price: estimated price of all parts, or None where no rate is known.
    """

    row: int
    recipient: Recipient
    sender: str | None
    text: str
    parts: int
    price: MicroUSD | None
