"""Reading the body of a send: what it asks for, or which error it earns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bulksend.engagespark.sandbox.answers import Error
from bulksend.engagespark.sandbox.behaviour import SandboxOptions
from bulksend.model import Endpoint
from bulksend.sms import segments

_NUMBER = re.compile(r"[1-9][0-9]{7,14}")
"""An international number: a dialing code (none begins with 0) and 8 to 15 digits in all (ITU-T E.164)."""

_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A body that is well formed; ``contact_id`` need not exist.

    Attributes:
        number: the recipient's number, or None where a contact was given.
        contact_id: the recipient's contact, or None where a number was given.
        sender: the sender id, "" where none was given.
        text: the message.
        parts: SMS parts of the text.
        client_dedup: the client's key against duplicates; None where none was given, as in the two below.
        client_ref: the client's own note.
        client_push_url: where the client wants delivery receipts; the sandbox sends none.
    """

    number: str | None
    contact_id: int | None
    sender: str
    text: str
    parts: int
    client_dedup: str | None
    client_ref: str | None
    client_push_url: str | None


def is_number(value: object) -> bool:
    """Tell whether a value is a phone number as the API wants it."""
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def parse(body: Mapping[str, object], endpoint: Endpoint, options: SandboxOptions) -> SendRequest | Error:
    """Read a body; the first rule that it breaks decides the error.

    A null counts as a field left out. A legacy server knows the document's fields and types alone: ids
    are integers there, and ``fullPhoneNumber`` is no name of ``to``.
    """
    if _integer(body.get("orgId"), legacy=options.legacy) != options.org_id:
        return Error.ORG_ID
    recipient = _recipient(body, endpoint, legacy=options.legacy)
    if isinstance(recipient, Error):
        return recipient
    content = _text(body)
    if isinstance(content, Error):
        return content
    sender, text, parts = content
    extras = (None, None, None) if options.legacy else _extras(body)
    if isinstance(extras, Error):
        return extras
    return SendRequest(*recipient, sender, text, parts, *extras)


def _recipient(
    body: Mapping[str, object], endpoint: Endpoint, *, legacy: bool
) -> tuple[str | None, int | None] | Error:
    """Find the one recipient: a number or a contact, never both."""
    names = ("to", "contactId") if legacy else ("to", "fullPhoneNumber", "contactId")
    given = [name for name in names if body.get(name) is not None]
    if "contactId" in given and endpoint is Endpoint.PHONENUMBER:
        return Error.CONTACT_HERE
    if len(given) != 1:
        return Error.TWO_RECIPIENTS if given else Error.NO_RECIPIENT
    value = body[given[0]]
    if given[0] == "contactId":
        contact_id = _integer(value, legacy=legacy)
        return (None, contact_id) if contact_id else Error.CONTACT
    return (value, None) if isinstance(value, str) and is_number(value) else Error.NUMBER


def _text(body: Mapping[str, object]) -> tuple[str, str, int] | Error:
    """Read the sender and the text, and count its parts as it stands, server-side fields and all."""
    sender, text = body.get("from"), body.get("message")
    if not isinstance(sender, str | None):
        return Error.SENDER
    if not isinstance(text, str) or not text:
        return Error.MESSAGE
    parts = segments.count(text).parts
    return (sender or "", text, parts) if parts <= segments.MAX_PARTS else Error.TOO_LONG


def _extras(body: Mapping[str, object]) -> tuple[str | None, str | None, str | None] | Error:
    """Read the newer text fields; an empty one counts as left out."""
    dedup, ref, push_url = body.get("clientDedup"), body.get("clientRef"), body.get("clientPushURL")
    if not (isinstance(dedup, str | None) and isinstance(ref, str | None) and isinstance(push_url, str | None)):
        return Error.EXTRAS
    return dedup or None, ref or None, push_url or None


def _integer(value: object, *, legacy: bool) -> int | None:
    """Read an id, which the newer API also takes as a string."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if isinstance(value, str) and not legacy and _ID.fullmatch(value):
        return int(value)
    return None
