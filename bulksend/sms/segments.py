"""How many SMS parts a text needs: what the telco counts, caps and charges.

Source: 3GPP TS 23.038 (alphabets, UCS-2) and TS 23.040 (concatenation by a user data header of six octets).
National language shift tables are left out: a sender has to ask for them, and the API does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from bulksend.model import Encoding

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"  # 0x1B, between Ξ and Æ, is the escape to EXTENSION and no character
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""The default alphabet in the order of its codes 0x00 to 0x7F, one septet each (TS 23.038, 6.2.1)."""

EXTENSION = "\f^{}\\[~]|€"
"""The extension table: an escape and a code, so two septets each (TS 23.038, 6.2.1.1)."""

LIMITS = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}
"""Units that fit into a text of one part, and into each part of several; septets or UTF-16 units.

140 octets make 160 septets or 70 units; the header of a part of several leaves 134 octets.
"""

MAX_PARTS = 7
"""The longest message the API takes; a longer one is rejected (the provider's API page)."""


class Segments(NamedTuple):
    """The size of a text on the air.

    Attributes:
        encoding: GSM-7 if every character is in its alphabet, else UCS-2 for the whole text.
        units: septets in GSM-7, UTF-16 units in UCS-2, without headers or the units that padding wastes.
        parts: SMS parts; an empty text still takes one.
    """

    encoding: Encoding
    units: int
    parts: int


def count(text: str) -> Segments:
    """Say how a text travels and how many parts it needs.

    An escape pair or a surrogate pair is never split over two parts, so a text of several parts may
    need one more than its units alone would tell.
    """
    if text.isascii() and _is_basic(text):
        return _basic(len(text))
    if _FOREIGN.search(text):
        return _uncut(_wide(len(text.encode("utf-16-le", "surrogatepass")) // 2), text, _ASTRAL)
    return _uncut(_basic(len(text) + len(_EXTENSION.findall(text))), text, _EXTENSION)


def count_all(texts: Sequence[str]) -> tuple[list[Encoding], list[int]]:
    """Do for each text what ``count`` does: the encodings, and the parts.

    Where all texts are plain, one look at them together tells.
    """
    if _is_basic("".join(texts)):
        lengths = list(map(len, texts))
        encodings = [Encoding.GSM7] * len(texts)
        if max(lengths, default=0) <= LIMITS[Encoding.GSM7][0]:
            return encodings, [1] * len(texts)
        return encodings, [_basic(length).parts for length in lengths]
    sizes = list(map(count, texts))
    return [size.encoding for size in sizes], [size.parts for size in sizes]


def foreign(text: str) -> list[tuple[int, str]]:
    """Return the characters that make a text UCS-2, each with its place in the text, in order."""
    return [(found.start(), found[0]) for found in _FOREIGN.finditer(text)]


_BASIC_LATIN1 = BASIC.encode("latin-1", "ignore")
_EXTENSION = re.compile(f"[{re.escape(EXTENSION)}]")
_FOREIGN = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def _is_basic(text: str) -> bool:
    """Say whether a text is of basic characters only; False for Greek ones, too, which no table of bytes holds."""
    try:
        return not text.encode("latin-1").translate(None, _BASIC_LATIN1)
    except UnicodeEncodeError:
        return False


@lru_cache(maxsize=4096)  # a campaign has few lengths, and remembering halves the time of a plain text
def _basic(septets: int) -> Segments:
    return _anywhere(Encoding.GSM7, septets)


@lru_cache(maxsize=4096)
def _wide(units: int) -> Segments:
    return _anywhere(Encoding.UCS2, units)


def _anywhere(encoding: Encoding, units: int) -> Segments:
    """Measure a text that may be cut anywhere."""
    alone, each = LIMITS[encoding]
    return Segments(encoding, units, 1 if units <= alone else -(-units // each))


def _uncut(size: Segments, text: str, double: re.Pattern[str]) -> Segments:
    """Measure a text again, of which no ``double`` character may be cut; each takes two units."""
    if size.parts == 1 or size.units == len(text):
        return size
    spelled = double.sub("\ud800-", text)  # a lone surrogate occurs in no other place of a valid text
    each = LIMITS[size.encoding][1]
    parts, start = 1, 0
    while size.units - start > each:
        start += each
        if spelled[start - 1] == "\ud800":
            start -= 1
        parts += 1
    return Segments(size.encoding, size.units, parts)
