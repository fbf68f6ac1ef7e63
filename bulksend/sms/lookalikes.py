"""Typographic characters that make a text UCS-2, and the GSM-7 characters that read the same.

Word processors and phones put them in unasked. One of them more than halves what fits into an SMS part.
"""

from __future__ import annotations

import re
import unicodedata

from bulksend.model import Encoding
from bulksend.sms.segments import count

_NAMED = {
    "'": [
        "LEFT SINGLE QUOTATION MARK",
        "RIGHT SINGLE QUOTATION MARK",
        "SINGLE LOW-9 QUOTATION MARK",
        "SINGLE HIGH-REVERSED-9 QUOTATION MARK",
        "MODIFIER LETTER APOSTROPHE",
        "MODIFIER LETTER TURNED COMMA",
        "PRIME",
        "GRAVE ACCENT",
        "ACUTE ACCENT",
    ],
    '"': [
        "LEFT DOUBLE QUOTATION MARK",
        "RIGHT DOUBLE QUOTATION MARK",
        "DOUBLE LOW-9 QUOTATION MARK",
        "DOUBLE HIGH-REVERSED-9 QUOTATION MARK",
        "DOUBLE PRIME",
    ],
    "-": [
        "HYPHEN",
        "NON-BREAKING HYPHEN",
        "FIGURE DASH",
        "EN DASH",
        "EM DASH",
        "HORIZONTAL BAR",
        "HYPHEN BULLET",
        "MINUS SIGN",
    ],
    "*": ["BULLET", "ASTERISK OPERATOR"],
    "/": ["FRACTION SLASH", "DIVISION SLASH"],
    ":": ["RATIO"],
    "~": ["TILDE OPERATOR"],
    "...": ["HORIZONTAL ELLIPSIS"],
    "..": ["TWO DOT LEADER"],
    ".": ["ONE DOT LEADER"],
    "ff": ["LATIN SMALL LIGATURE FF"],
    "fi": ["LATIN SMALL LIGATURE FI"],
    "fl": ["LATIN SMALL LIGATURE FL"],
    "ffi": ["LATIN SMALL LIGATURE FFI"],
    "ffl": ["LATIN SMALL LIGATURE FFL"],
    " ": [
        "NO-BREAK SPACE",
        "OGHAM SPACE MARK",
        "EN QUAD",
        "EM QUAD",
        "EN SPACE",
        "EM SPACE",
        "THREE-PER-EM SPACE",
        "FOUR-PER-EM SPACE",
        "SIX-PER-EM SPACE",
        "FIGURE SPACE",
        "PUNCTUATION SPACE",
        "THIN SPACE",
        "HAIR SPACE",
        "NARROW NO-BREAK SPACE",
        "MEDIUM MATHEMATICAL SPACE",
        "IDEOGRAPHIC SPACE",
    ],
    "\n": ["LINE SEPARATOR", "PARAGRAPH SEPARATOR"],
    "": [
        "SOFT HYPHEN",
        "COMBINING GRAPHEME JOINER",
        "ARABIC LETTER MARK",
        "MONGOLIAN VOWEL SEPARATOR",
        "ZERO WIDTH SPACE",
        "ZERO WIDTH NON-JOINER",
        "ZERO WIDTH JOINER",
        "LEFT-TO-RIGHT MARK",
        "RIGHT-TO-LEFT MARK",
        "LEFT-TO-RIGHT EMBEDDING",
        "RIGHT-TO-LEFT EMBEDDING",
        "POP DIRECTIONAL FORMATTING",
        "LEFT-TO-RIGHT OVERRIDE",
        "RIGHT-TO-LEFT OVERRIDE",
        "WORD JOINER",
        "LEFT-TO-RIGHT ISOLATE",
        "RIGHT-TO-LEFT ISOLATE",
        "FIRST STRONG ISOLATE",
        "POP DIRECTIONAL ISOLATE",
        "VARIATION SELECTOR-15",
        "VARIATION SELECTOR-16",
        "ZERO WIDTH NO-BREAK SPACE",
    ],
}

LOOKALIKES = {unicodedata.lookup(name): plain for plain, names in _NAMED.items() for name in names}
"""What each character is replaced by: GSM-7 characters, or nothing for one that is never seen."""

LOOKALIKES |= {"\t": " ", "\v": "\n", "\x85": "\n"}  # controls have no names; \v is a word processor's new line


def plain(text: str) -> str:
    """Return a text with its look-alikes replaced, if that makes it GSM-7; else the text as it was.

    Half a change saves nothing, and an emoji needs its joiners. What the API fills in, such as
    ``{{contact.firstName}}``, stays as it is. Letters in pieces, such as n and a tilde, are put together.
    """
    before = count(text)
    if before.encoding is Encoding.GSM7:
        return text
    pieces = _FILLED_BY_THE_API.split(text)
    pieces[::2] = map(_replaced, pieces[::2])
    changed = "".join(pieces)
    after = count(changed)
    return changed if after.encoding is Encoding.GSM7 and after.parts <= before.parts else text


def explain(character: str) -> str:
    """Name a character for people, as in ``₱ (peso sign)``; one that cannot be seen alone is told by its code."""
    alone = character.isprintable() and not character.isspace() and not unicodedata.combining(character)
    seen, name = character if alone else f"U+{ord(character):04X}", unicodedata.name(character, "").lower()
    return f"{seen} ({name})" if name else seen


_FILLED_BY_THE_API = re.compile(r"(\{\{[^{}]*\}\})")
_LOOKALIKE = re.compile(f"[{re.escape(''.join(LOOKALIKES))}]")


def _replaced(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return _LOOKALIKE.sub(lambda found: LOOKALIKES[found[0]], composed)
