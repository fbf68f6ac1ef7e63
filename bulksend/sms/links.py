"""Links in a text: those with a scheme, and hosts that phones make a link of."""

from __future__ import annotations

import re
from typing import NamedTuple

from bulksend.sms.carriers import SHORTENERS

FILLER = "\ue000"
"""Stands for what a merge field is filled with; in Unicode it is nobody's character."""


class Link(NamedTuple):
    """A link.

    Attributes:
        host: where it leads, in lower case; holds a `FILLER` where a merge field decides that.
        says: what a person or a filter may not trust of it, in words; empty if nothing.
        is_short: whether it leads through a public shortener.
    """

    host: str
    says: str
    is_short: bool

    def is_of(self, hosts: frozenset[str]) -> bool:
        """Whether it leads to one of some hosts, or to a part of one."""
        labels = self.host.split(".")
        return any(".".join(labels[place:]) in hosts for place in range(len(labels)))


def links_in(text: str) -> tuple[Link, ...]:
    """The links of a text, in order; an address of mail is none."""
    return tuple(_link(found) for word in _suspects(text) for found in _LINK.finditer(word))


def may_link(text: str) -> bool:
    """Whether a text may hold a link, found out fast: False if surely none."""
    return any(map(_LINK.search, _suspects(text)))


def _suspects(text: str) -> list[str]:
    """The words of a text that may be links: to search each of the others takes a hundred times as long as to split."""
    if "//" not in text and not _KNIT.search(text):
        return []
    return [word for word in text.split() if ("." in word and _KNIT.search(word)) or "//" in word]


_SURE = (
    "com|net|org|edu|gov|info|biz|xyz|ph|io|ly|gl|gd|cc|gg|tv|ai|dev|page|uk|au|ca|de|fr|es|jp|kr|cn|hk|sg|tw|vn|th|"
    "asia|bank|cloud|tech|mobi|ws|nu|eu|ru|ee|li|sh|gs"
)
_IN_LOWER_CASE = "app|shop|store|link|site|online|live|club|click|top|vip|win|fun|world|news|today|life|bio|pro"
_WITH_PATH = "co|me|in|at|to|is|it|us|so|be|am|id|my|no|do|ac|pw|mp|by|nz|la|tk|ga|ml|cf|ink|gy|link"
_LABEL = rf"[^\W_{FILLER}](?:[\w-]*\w)?"
_TOP = rf"(?:(?i:{_SURE})|(?:{_IN_LOWER_CASE})|(?i:{_IN_LOWER_CASE}|{_WITH_PATH})(?=[/:?]))"
"""Ends of hosts; those that are words as well, as in ``sale.Shop now``, only where hardly anything else is meant."""
_LABELS = rf"(?:{_LABEL}\.|{FILLER}[\w-]*\.|{_LABEL}{FILLER}\.)+"
_WWW = rf"(?i:www)\.{_LABELS}[^\W\d_]{{2,}}"
_ADDRESS = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_LINK = re.compile(
    rf"(?P<scheme>(?i:https?)://)(?P<user>[^\s/@]*@)?(?P<host>[^\s/?#:]+)"
    rf"|(?<![\w.@/{FILLER}-])(?P<bare>{_WWW}|{_LABELS}{_TOP}|{_ADDRESS}(?=[/:]))"
    rf"(?![\w@-]|\.\w)(?=(?P<path>[/:?]\S)?)"
)
_KNIT = re.compile(r"\.(?:[^\W\d_]|[0-9]{1,3}\.[0-9])")  # a dot within a host: most only end a sentence, or part a sum
_IP = re.compile(_ADDRESS)
_HAS_PATH = re.compile(r"/[^\s/]")
_END = ".,;!)]}'\"…"


def _link(found: re.Match[str]) -> Link:
    host = (found["host"] or found["bare"]).rstrip(_END).lower()
    plain = host.removeprefix("www.")
    rest = found.string[found.end() :] if found["host"] else found["path"] or ""
    return Link(plain, _flaw(found, plain), is_short=plain in SHORTENERS and _HAS_PATH.match(rest) is not None)


def _flaw(found: re.Match[str], host: str) -> str:
    if found["user"]:
        return "has a name before its host, which hides where it leads"
    if _IP.fullmatch(host):
        return "leads to a bare IP address"
    if "xn--" in host or not host.replace(FILLER, "").isascii():
        return "has letters in its host that only look like others"
    if (found["scheme"] or "").lower() == "http://":
        return "is not encrypted (http)"
    return ""
