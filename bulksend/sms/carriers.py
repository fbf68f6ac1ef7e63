"""What Philippine carriers are known to refuse or change, found before the money is spent; warnings only.

Sources: other providers' guideline pages, since the API's document is silent. Vonage, "Philippines SMS
Features and Restrictions"; Twilio, "Philippines: SMS Guidelines"; ClickSend, "Philippines"; Promotexter,
"What are the sender ID limitations?".
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bulksend.model import Encoding
from bulksend.sms.segments import count
from bulksend.words import many

SENDER_LENGTH = 11
"""Characters of an alphanumeric sender: its field has ten octets, so 11 septets (3GPP TS 23.040, 9.1.2.5)."""

RANDOM = "INFOSMS"
"""A sender id that a telco puts where there is none."""

SHORTENERS = (
    "adf.ly",
    "bit.do",
    "bit.ly",
    "bitly.com",
    "bl.ink",
    "buff.ly",
    "cutt.ly",
    "dub.sh",
    "goo.gl",
    "is.gd",
    "j.mp",
    "lnkd.in",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "s.id",
    "short.io",
    "shorturl.at",
    "soo.gd",
    "t.co",
    "t.ly",
    "tiny.cc",
    "tinyurl.com",
    "v.gd",
)
"""Hosts of public link shorteners; Smart blocks texts with links to some (Vonage, see above)."""


def sender_flaws(sender: str | None, known: Collection[str] = ()) -> list[str]:
    """Say in sentences what a carrier may find wrong with a sender id.

    Args:
        sender: the id; None is none at all.
        known: those that are registered, if that is known.
    """
    if not sender:
        return [f"no sender id (from): the telco puts a random one of its own, such as {RANDOM}"]
    is_known = sender.casefold() in {each.casefold() for each in known}
    flaws = [f"the sender id {sender!r} is not among your senders"] if known and not is_known else []
    if _NUMERIC.fullmatch(sender):
        if not is_known:
            flaws.append(f"the sender id {sender!r} is a number: Philippine carriers take one only if it is your own")
        return flaws
    if sender.casefold() in _TOO_COMMON:
        flaws.append(f"the sender id {sender!r} could be anybody's: Philippine carriers refuse such ones")
    elif word := _GENERIC.search(sender):
        flaws.append(f"the sender id {sender!r} holds {word[0]!r}: Philippine carriers refuse such ones")
    if name := _CARRIER.search(sender):
        flaws.append(f"the sender id {sender!r} holds a carrier's name, {name[0]!r}: Philippine carriers refuse it")
    if character := _ODD.search(sender):
        flaws.append(
            f"the sender id {sender!r} holds {character[0]!r}: use letters, digits, spaces, '-', '.' and '_' only"
        )
    if len(_DIGIT.findall(sender)) > _MOST_DIGITS:
        flaws.append(f"the sender id {sender!r} has over {_MOST_DIGITS} digits: Philippine carriers refuse such ones")
    if len(sender) < _SHORTEST:
        has = many(len(sender), "character")
        flaws.append(f"the sender id {sender!r} has {has}: in the Philippines it has {_SHORTEST} at least")
    size = count(sender)
    length = size.units if size.encoding is Encoding.GSM7 else len(sender)
    if length > SENDER_LENGTH:
        flaws.append(f"the sender id {sender!r} has {length} characters: an SMS carries {SENDER_LENGTH} at most")
    return flaws


def is_no_brand(sender: str | None) -> bool:
    """Say whether a text comes from a number, as far as carriers see: there is no sender id, or a numeric one."""
    return not sender or _NUMERIC.fullmatch(sender) is not None


_NUMERIC = re.compile(r"\+?[0-9]+")
_GENERIC = re.compile("TEST|SMS|MESSAGE|MSG", re.IGNORECASE)
_TOO_COMMON = frozenset({
    "info", "infosms", "otp", "notealert", "reminder", "reminders", "notify", "notice", "pincode",
})  # fmt: skip
_CARRIER = re.compile(
    r"GLOBE|SMART|DITO|GOMO|PLDT|TALKNTEXT|(?<![^\W_])(?:TNT|TM|SUN)(?![^\W_])",
    re.IGNORECASE,
)
_ODD = re.compile(r"[^A-Za-z0-9 ._-]")
_DIGIT = re.compile("[0-9]")
_MOST_DIGITS = 5
_SHORTEST = 3
