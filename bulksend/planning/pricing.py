"""What messages cost."""

from __future__ import annotations

from collections.abc import Sequence

from bulksend.model import MicroUSD, PhoneNumber, Recipient
from bulksend.sms import Rates


def priced(
    rates: Rates, recipients: Sequence[Recipient | None], codes: Sequence[str], parts: Sequence[int]
) -> list[MicroUSD | None]:
    """By dialing code and size where that decides, as it does unless the rates tell a country's networks apart."""
    size = len(parts)
    keys = list(zip(codes, parts, strict=True))
    is_uniform = codes.count(codes[0]) == size == parts.count(parts[0]) if size else False
    known = {
        (code, count): rates.price(PhoneNumber(code), count)
        for code, count in (keys[:1] if is_uniform else set(keys))
        if not rates.varies_within(code)
    }
    if is_uniform and known:
        return [*known.values()] * size
    return [
        known[key] if key in known else None if who is None else rates.price(who, key[1])
        for key, who in zip(keys, recipients, strict=True)
    ]
