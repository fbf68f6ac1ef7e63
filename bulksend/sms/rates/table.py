"""What a message will cost, in integer millionths of a US dollar: no rounding on the way to a total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from bulksend.errors import UsageError
from bulksend.model import MicroUSD, PhoneNumber, Recipient


@dataclass(frozen=True, slots=True)
class Rates:
    """The price of one SMS part by the beginning of the number it goes to.

    Attributes:
        rates: digits that numbers begin with (a dialing code, or more) -> price of a part.
        source: where they come from, for people.
    """

    rates: Mapping[str, MicroUSD]
    source: str = "the rates given"
    _longest: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_longest", max(map(len, self.rates), default=0))

    def per_part(self, number: PhoneNumber) -> MicroUSD | None:
        """Return the price of a part: the longest beginning that fits wins, None if none does."""
        for length in range(self._longest, 0, -1):
            rate = self.rates.get(number[:length])
            if rate is not None:
                return rate
        return None

    def varies_within(self, prefix: str) -> bool:
        """Whether numbers that begin with ``prefix`` may differ in their rates: a longer beginning has its own."""
        return any(len(longer) > len(prefix) and longer.startswith(prefix) for longer in self.rates)

    def price(self, recipient: Recipient, parts: int) -> MicroUSD | None:
        """Return the price of a whole message; None without a rate, or for a contact of unknown country."""
        if not isinstance(recipient, str):
            return None
        rate = self.per_part(recipient)
        return None if rate is None else MicroUSD(rate * parts)


EXAMPLE_RATES = Rates({"63": MicroUSD(20_000)}, "the API document's example")
"""The one price in the API's document: one part to 639123456789, answered by ``estimateMicro`` 20000."""


def parse_dollars(text: str) -> MicroUSD:
    """An amount of more than nothing, as people write it.

    Raises:
        UsageError: it is none.
    """
    try:
        micro = Decimal(text.strip().removeprefix("$")) * 1_000_000
    except InvalidOperation:
        micro = Decimal(0)
    if not micro.is_finite() or micro <= 0:
        raise UsageError(f"{text!r} is no amount of US dollars: write one such as 25 or 12.50")
    return MicroUSD(int(micro))


def dollars(micro: int) -> str:
    """Write micro-USD for people, exactly: two decimals or as many as needed, ``$1,234.50``, ``$0.0125``."""
    whole, rest = divmod(abs(micro), 1_000_000)
    decimals = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{'-' if micro < 0 else ''}${whole:,}.{decimals}"
