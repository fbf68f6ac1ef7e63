"""How the API words its answers: the document's structure, its errors, and the pages of the CDN before it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache


class Error(Enum):
    """Every refusal: HTTP status, ``error`` and, on a server that is not legacy, ``errorCode``.

    The document and the provider's page give the words of NUMBER, TOKEN, FUNDS and DUPLICATE (and of the
    latter its code); all others are the sandbox's own.
    """

    JSON = (400, "invalid JSON", "sms.json")
    ORG_ID = (400, "invalid 'orgId'", "sms.orgid")
    NO_RECIPIENT = (400, "either 'to' or 'contactId' is required", "sms.recipient")
    TWO_RECIPIENTS = (400, "only one of 'to' and 'contactId' is allowed", "sms.recipient")
    NUMBER = (400, "invalid 'to' number", "sms.to")
    CONTACT = (400, "invalid 'contactId'", "sms.contactid")
    CONTACT_HERE = (400, "'contactId' is not supported here", "sms.contactid")
    MESSAGE = (400, "'message' is required", "sms.message")
    TOO_LONG = (400, "'message' is too long: at most 7 parts", "sms.message")
    SENDER = (400, "invalid 'from'", "sms.from")
    EXTRAS = (400, "'clientDedup', 'clientRef' and 'clientPushURL' must be strings", "sms.client")
    BAD_REQUEST = (400, "bad request", "sms.request")
    TOKEN = (401, "Invalid Token", "auth.token")
    FUNDS = (402, "insufficient funds", "sms.funds")
    DUPLICATE = (409, "duplicate clientDedup", "sms.clientdedup")
    INTERNAL = (500, "internal service error", "sms.internal")

    def __init__(self, status: int, text: str, code: str) -> None:
        self.status = status
        self.text = text
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message.

    Attributes:
        message_id: as answered.
        counter: its place among all accepted messages, from 1.
        created: when it arrived, a Unix time.
        number: the phone it goes to.
        contact_id: the contact it goes to, 0 where there is none.
        sender: the sender id, "" where the telco chooses.
        text: what the phone shows.
        parts: SMS parts of the text.
        price_micro: what all parts cost.
        client_dedup: the client's key, if it gave one.
        client_ref: the client's own note, if it gave one.
        client_push_url: the client's address for receipts, if it gave one.
        lost: the phone's cap swallowed it.
        is_incoming: whether it came from that phone; then it has no sender id, and cost nothing.
        undelivered: why else it did not reach the phone; empty if it did.
        receipt_at: when it is known whether it did, a Unix time.
    """

    message_id: str
    counter: int
    created: float
    number: str
    contact_id: int
    sender: str
    text: str
    parts: int
    price_micro: int
    client_dedup: str | None
    client_ref: str | None
    client_push_url: str | None
    lost: bool
    is_incoming: bool = False
    undelivered: str = ""
    receipt_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """What becomes of one send.

    Attributes:
        status: the HTTP status.
        fields: the answer's JSON object; empty where ``page`` is the answer.
        page: the HTML of a CDN.
        message: the accepted message, or for a 409 the one accepted before.
        number: the phone that was asked for, "" where it is not known.
        delay_s: how long the answer takes.
        answered: False where the connection is cut in place of an answer.
    """

    status: int
    fields: dict[str, object] = field(default_factory=dict)
    page: str = ""
    message: Message | None = None
    number: str = ""
    delay_s: float = 0.0
    answered: bool = True

    @property
    def accepted(self) -> bool:
        """Whether this send, and no earlier one, made the message."""
        return self.message is not None and self.status == 200


_FAILURES = {error.status: error for error in (Error.BAD_REQUEST, Error.TOKEN, Error.FUNDS, Error.INTERNAL)}
"""The statuses that the document names, for failures by chance; all others are the CDN's."""

_DELIVERY_S = 24 * 3600
"""How long the service retries a message (the document: "within 24 hours by default")."""

_MICRO_PER_CENT = 10_000


def sent_fields(message: Message) -> dict[str, object]:
    """Word the answer to an accepted message."""
    fields: dict[str, object] = {
        "error": "",
        "messageId": message.message_id,
        "estimateParts": message.parts,
        "estimateMicro": message.price_micro,
        "estimate": dollars(message.price_micro),
        "deliveryDeadline": rfc3339(message.created + _DELIVERY_S),
        "contactId": message.contact_id,
        "to": message.number,
        "message": message.text,
    }
    if message.client_dedup is not None:
        fields["clientDedup"] = message.client_dedup
    if message.client_ref is not None:
        fields["clientRef"] = message.client_ref
    if message.client_push_url is not None:
        fields["clientPushURL"] = message.client_push_url
    return fields


def duplicate_fields(original: Message) -> dict[str, object]:
    """Word the answer to a clientDedup that was accepted before: the original's, and that it is one."""
    return sent_fields(original) | {
        "error": Error.DUPLICATE.text,
        "errorCode": Error.DUPLICATE.code,
        "dedupMessageId": original.message_id,
    }


def error_fields(error: Error, *, legacy: bool) -> dict[str, object]:
    """Word a refusal; the newer service answers a bad token outside of the usual structure."""
    if error is Error.TOKEN and not legacy:
        return {"error": error.text}
    fields: dict[str, object] = {
        "error": error.text,
        "messageId": "",
        "estimateParts": 0,
        "estimateMicro": 0,
        "estimate": "",
        "deliveryDeadline": "",
        "contactId": 0,
        "to": "",
        "message": "",
    }
    return fields if legacy else fields | {"errorCode": error.code}


def refusal(error: Error, *, legacy: bool, number: str = "", delay_s: float = 0.0) -> Response:
    """Refuse a send."""
    return Response(error.status, error_fields(error, legacy=legacy), number=number, delay_s=delay_s)


def failure(status: int, *, legacy: bool, delay_s: float = 0.0) -> Response:
    """Fail a send for no fault of its own: in the document's words where it has any, else as a CDN does."""
    if status in _FAILURES:
        return refusal(_FAILURES[status], legacy=legacy, delay_s=delay_s)
    title = f"Error {status}"
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Response(status, page=page, delay_s=delay_s)


def dollars(micro: int) -> str:
    """Spell an amount in dollars, rounded down to cents."""
    cents = micro // _MICRO_PER_CENT
    return f"{cents // 100}.{cents % 100:02d}"


def rfc3339(unix_s: float) -> str:
    """Spell a time as Go's JSON does: UTC, up to nine digits of a second, no zeros at their end."""
    seconds = int(unix_s)
    nanos = int((unix_s - seconds) * 1e9)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{_utc(seconds, '%Y-%m-%dT%H:%M:%S')}{fraction}Z"


def message_id(unix_s: float, org_id: int, counter: int) -> str:
    """Make an id such as ``SMS20190723T154425-123-0123``."""
    return f"SMS{_utc(int(unix_s), '%Y%m%dT%H%M%S')}-{org_id}-{counter:04d}"


@lru_cache(maxsize=64)  # thousands of messages share a second
def _utc(unix_s: int, pattern: str) -> str:
    return time.strftime(pattern, time.gmtime(unix_s))
