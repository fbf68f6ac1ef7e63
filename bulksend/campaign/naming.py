"""Who is named by somebody, to be put on an account's list of opt-outs, or to be taken off it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bulksend.model import ContactId, Recipient
from bulksend.planning import Exclusions, read_numbers
from bulksend.sms import phones


class Named(NamedTuple):
    """Some who are named.

    Attributes:
        who: each phone by one of its numbers, and contacts.
        warnings: what may not be as it was meant.
    """

    who: tuple[Recipient, ...]
    warnings: tuple[str, ...]


def named(
    numbers: Sequence[str], contacts: Sequence[int], country: str | None, *, new_prefixes: bool = False
) -> Named:  # fmt: skip
    """Those who are named by numbers as people write them, and by contact ids.

    Args:
        numbers: some.
        contacts: some.
        country: whose numbers those without + or 00 are.
        new_prefixes: whether numbers count whose prefix no numbering plan here knows.

    Raises:
        InputError: a number is none.
    """
    found = read_numbers(numbers, country.upper() if country else None, new_prefixes=new_prefixes)
    return Named((*each_once(found), *map(ContactId, dict.fromkeys(contacts))), found.warnings)


def each_once(found: Exclusions) -> list[Recipient]:
    """One of each phone's numbers."""
    phone_of = {who: phones.canonical(who) if isinstance(who, str) else who for who in found.recipients}
    return list({phone_of[who]: who for who in sorted(found.recipients, key=str)}.values())
