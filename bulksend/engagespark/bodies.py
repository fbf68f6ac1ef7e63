"""What the API says in its answers' bodies, read field by field: JSON made into our nouns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import orjson

from bulksend.engagespark.account import Balance, Listed, Page
from bulksend.model import Answer, MicroUSD, PhoneNumber
from bulksend.words import printable

_BEYOND_REASON = 10**18  # micro-USD; a larger integer may be written by no JSON library


def answer(said: Mapping[str, Any]) -> Answer:
    """What a send was answered."""
    parts, micro, estimate = integer(said, "estimateParts"), integer(said, "estimateMicro"), text(said, "estimate")
    return Answer(
        text(said, "messageId"), parts, micro, estimate, text(said, "deliveryDeadline"), text(said, "to"),
        integer(said, "contactId"), charged(parts, micro, estimate),
    )  # fmt: skip


def charged(parts: int | None, micro: int | None, estimate: str) -> MicroUSD | None:
    """The cost of the whole message in micro-USD.

    The document calls estimateMicro the whole message's cost, the newer page the price per part, with ``estimate``
    the total rounded down to cents. The reading that agrees with ``estimate`` counts; if both or neither do, the
    document's.
    """
    if micro is None:
        return None
    if parts and parts > 1 and _cents(micro) != estimate and _cents(micro * parts) == estimate:
        return MicroUSD(micro * parts)
    return MicroUSD(micro)


def _cents(micro: int) -> str:
    dollars, cents = divmod(micro // 10_000, 100)
    return f"{dollars}.{cents:02}"


def page(said: Mapping[str, Any]) -> Page:
    """A page of the list of messages.

    Raises:
        LookupError, ValueError, TypeError, AttributeError: it is none.
    """
    messages = [
        Listed(
            message_id=text(each, "id"),
            client_ref=text(each, "client_ref"),
            number=PhoneNumber(text(each, "recipient").removeprefix("+")),
            contact_id=integer(each, "contactId"),
            text=str(each.get("message", "")),
            created=datetime.fromisoformat(each["created"]).timestamp(),
            charged=None if (micro := integer(each, "chargedMicro")) is None else MicroUSD(micro),
        )
        for each in said["messages"]
    ]
    return Page(messages, text(said, "nextPage") if said.get("hasNextPage") else None)


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


def integer(said: Mapping[str, Any], key: str) -> int | None:
    """A field as an integer that SQLite can hold, None if it is no such."""
    value = said.get(key)
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 19:
        value = int(value)
    return value if isinstance(value, int) and abs(value) < 2**63 else None


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
