"""What Philippine carriers are known to refuse or change, found before the money is spent; warnings only.

Sources: other providers' guideline pages, since the API's document is silent. Vonage, "Philippines SMS
Features and Restrictions"; Twilio, "Philippines: SMS Guidelines"; ClickSend, "Philippines"; Promotexter,
"What are the sender ID limitations?".
"""

from __future__ import annotations

import re

from bulksend.model import Encoding
from bulksend.sms.segments import count

SENDER_LENGTH = 11
"""Characters of an alphanumeric sender: its field has ten octets, so 11 septets (3GPP TS 23.040, 9.1.2.5)."""

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


def sender_flaws(sender: str | None) -> list[str]:
    """Say in sentences what a carrier may find wrong with a sender id; None is no sender id at all."""
    if not sender:
        return ["no sender id (from): the telco puts a random one of its own, such as INFOSMS"]
    if _NUMERIC.fullmatch(sender):
        return []  # the organization's own virtual number
    flaws = []
    if word := _GENERIC.search(sender):
        flaws.append(f"the sender id {sender!r} holds {word[0]!r}: Philippine carriers refuse such ones")
    if name := _CARRIER.search(sender):
        flaws.append(f"the sender id {sender!r} holds a carrier's name, {name[0]!r}: Philippine carriers refuse it")
    if character := _ODD.search(sender):
        flaws.append(
            f"the sender id {sender!r} holds {character[0]!r}: use letters, digits, spaces, '-', '.' and '_' only"
        )
    if len(_DIGIT.findall(sender)) > _MOST_DIGITS:
        flaws.append(f"the sender id {sender!r} has over {_MOST_DIGITS} digits: Philippine carriers refuse such ones")
    size = count(sender)
    length = size.units if size.encoding is Encoding.GSM7 else len(sender)
    if length > SENDER_LENGTH:
        flaws.append(f"the sender id {sender!r} has {length} characters: an SMS carries {SENDER_LENGTH} at most")
    return flaws


def shortener_in(text: str) -> str:
    """Return the host of a public link shortener that a text links to, such as ``bit.ly``; empty if none."""
    if "/" not in text:
        return ""
    text = text.lower()
    if not any([before.endswith(SHORTENERS) for before in text.split("/")]):  # noqa: C419 -- the list is faster
        return ""
    link = _SHORT_LINK.search(text)
    return link[1] if link else ""


_NUMERIC = re.compile(r"\+?[0-9]+")
_GENERIC = re.compile("TEST|SMS|MESSAGE", re.IGNORECASE)
_CARRIER = re.compile(
    r"GLOBE|SMART|DITO|GOMO|PLDT|TALKNTEXT|(?<![^\W_])(?:TNT|TM|SUN)(?![^\W_])",
    re.IGNORECASE,
)
_ODD = re.compile(r"[^A-Za-z0-9 ._-]")
_DIGIT = re.compile("[0-9]")
_MOST_DIGITS = 5
_SHORT_LINK = re.compile(rf"(?:(?<![\w.@/-])|(?<=//))(?:www\.)?({'|'.join(map(re.escape, SHORTENERS))})/[^\s/]")
