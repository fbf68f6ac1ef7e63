"""What the API says in its answers' bodies, read field by field: JSON made into our nouns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import orjson

from bulksend.engagespark.account import Balance, Listed, Page
from bulksend.model import Answer, MicroUSD, PhoneNumber, Reached
from bulksend.words import printable

_SPELLED = re.compile(r"[\d\s+().\-/]+", re.ASCII)  # beside which a ``to`` is no number, such as a masked one
_NO_DIGIT = re.compile(r"\D+", re.ASCII)
_BEYOND_REASON = 10**18  # micro-USD; a larger integer may be written by no JSON library
_PRICE_MAX = 10**12  # micro-USD of a message; nine million of them still add up within 64 bits
_PARTS_MAX = 1_000  # the document's messages have 7 at most


def answer(said: Mapping[str, Any]) -> Answer:
    """What a send was answered."""
    parts, micro = _count(said, "estimateParts", _PARTS_MAX), _count(said, "estimateMicro", _PRICE_MAX)
    estimate = text(said, "estimate")
    return Answer(
        words(said, "messageId"), parts, micro, estimate, text(said, "deliveryDeadline"), text(said, "to"),
        _count(said, "contactId", 2**63 - 1), charged(parts, micro, estimate),
    )  # fmt: skip


def charged(parts: int | None, micro: int | None, estimate: str) -> MicroUSD | None:
    """The cost of the whole message in micro-USD.

    The document calls estimateMicro the whole message's cost, the newer page the price per part, with ``estimate``
    the total rounded down to cents. The reading that agrees with ``estimate`` counts; if both or neither do, the
    document's.
    """
    if micro is None:
        return None
    if parts is None or parts < 2 or micro * parts > _PRICE_MAX or _cents(micro) == estimate:
        return MicroUSD(micro)
    return MicroUSD(micro * parts if _cents(micro * parts) == estimate else micro)


def _cents(micro: int) -> str:
    dollars, cents = divmod(micro // 10_000, 100)
    return f"{dollars}.{cents:02}"


def page(said: Mapping[str, Any]) -> Page:
    """A page of the list of messages; what on it is no message is passed over, and that said.

    Raises:
        LookupError, ValueError, TypeError, AttributeError: it is none.
    """
    return _page(said, said["messages"], "recipient")


def received(said: Mapping[str, Any]) -> Page:
    """The incoming messages on a page of it, by their senders; what does not tell its direction is none, and that said.

    Raises:
        LookupError, ValueError, TypeError, AttributeError: it is no page of messages.
    """
    entries = said["messages"]
    directions = [each.get("direction") if isinstance(each, Mapping) else None for each in entries]
    coming = [each for each, direction in zip(entries, directions, strict=True) if direction == "in"]
    told = sum(direction in ("in", "out") for direction in directions)
    if entries and not told:
        raise ValueError("nothing on it tells whether it came or went")
    found = _page(said, coming, "sender")
    return found._replace(is_whole=found.is_whole and told == len(entries))


def alone(said: Any) -> Listed | None:
    """A message that was looked up alone; None if it is none, or does not tell what it is known by."""
    return _listed(said, "recipient")


def _page(said: Mapping[str, Any], entries: Sequence[Any], phone_at: str) -> Page:
    messages = [message for each in entries if (message := _listed(each, phone_at))]
    if entries and not messages:
        raise ValueError("nothing on it is a message")
    after = text(said, "nextPage")
    has_more = bool(said.get("hasNextPage"))
    return Page(
        messages, after if has_more and after else None, len(messages) == len(entries) and bool(after or not has_more)
    )


def _listed(said: Any, phone_at: str) -> Listed | None:
    """A message of the list, with the phone that a field tells; None if it does not tell what it is known by."""
    try:
        created = datetime.fromisoformat(said["created"])
        message_id = words(said, "id")
    except (LookupError, ValueError, TypeError, AttributeError):
        return None
    if not message_id:
        return None
    shown, to_telco, to_phone = said.get("message"), said.get("deliveredToTelco"), words(said, "deliveredToPhone")
    return Listed(
        message_id=message_id,
        client_ref=words(said, "client_ref"),
        number=PhoneNumber(phone(said.get(phone_at))),
        contact_id=_count(said, "contactId", 2**63 - 1),
        text=shown if isinstance(shown, str) else "",
        created=(created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp(),
        charged=None if (micro := _count(said, "chargedMicro", _PRICE_MAX)) is None else MicroUSD(micro),
        to_telco=to_telco if isinstance(to_telco, bool) else None,
        to_phone=Reached(to_phone) if to_phone in set(Reached) else Reached.UNKNOWN,
        delivery_error=words(said, "deliveryError") or words(said, "error"),
    )


def balance(said: Mapping[str, Any]) -> Balance | None:
    """The account's funds, None if a body does not tell.

    Raises:
        AttributeError: it is no JSON object.
    """
    micro = _micro(said.get("balanceMicro"), 1)
    if micro is None:
        micro = _micro(said.get("balance"), 1_000_000)
    return None if micro is None else Balance(micro, auto_recharge=said.get("autoRecharge") is True)


def text(said: Mapping[str, Any], key: str) -> str:
    """A field as text for people, empty if it is missing."""
    value = said.get(key)
    return "" if value is None else printable(value if isinstance(value, str) else orjson.dumps(value).decode())


def words(said: Mapping[str, Any], key: str) -> str:
    """A field that is text, for people; empty if it is missing, or anything else."""
    value = said.get(key)
    return printable(value) if isinstance(value, str) else ""


def integer(said: Mapping[str, Any], key: str) -> int | None:
    """A field as an integer that SQLite can hold, None if it is no such."""
    value = said.get(key)
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 19:
        value = int(value)
    return value if type(value) is int and -(2**63) < value < 2**63 else None  # a bool is none


def phone(value: object) -> str:
    """The digits of a phone number in whatever spelling, as the API's ``to`` has them; empty if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _SPELLED.fullmatch(value):
        return ""
    return _NO_DIGIT.sub("", value).removeprefix("00")


def _count(said: Mapping[str, Any], key: str, most: int) -> int | None:
    """A field as a number of things, None if it is none, below zero or beyond reason."""
    value = said.get(key)
    if type(value) is not int:
        value = integer(said, key)
    return value if value is not None and 0 <= value <= most else None


def _micro(value: object, unit: int) -> MicroUSD | None:
    """A number of units, or a string that is one, in micro-USD, rounded down; None if it is none, or beyond reason."""
    if not isinstance(value, int | float | str):
        return None
    try:
        micro = Decimal(str(value)) * unit
    except ArithmeticError:
        return None
    if not micro.is_finite() or abs(micro) >= _BEYOND_REASON:
        return None
    return MicroUSD(int(micro.to_integral_value(ROUND_FLOOR)))
