"""Which encoding a text without a mark is in, that is not UTF-8: told by what its letters stand between.

In each candidate every odd byte is another character, and most of these cannot stand where they do: an en dash within a
word is an ñ of a Mac, a currency sign one of DOS. Rules are for Filipino, English, Spanish, French, German, Portuguese,
Italian and Polish.
"""

# ruff: noqa: RUF001 -- the signs themselves

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

NAMES = {
    "cp1252": "Windows-1252",
    "iso8859-15": "Latin-9",
    "mac-roman": "Mac Roman",
    "cp850": "DOS",
    "cp437": "DOS",
    "cp1250": "Windows-1250",
}
"""The candidates, by how people know them."""

_BEFOREHAND = {"cp1252": 1.0, "iso8859-15": 0.5, "mac-roman": 0.0, "cp850": 0.0, "cp437": -0.5, "cp1250": -2.0}
_PROVEN = 2.5
_CONTEXTS = 2_000  # different ones are enough
_ODD = re.compile(rb"(?<=[^\x80-\xff])[\x80-\xff]+(?=[^\x80-\xff])", re.DOTALL)
_NEAR = 2  # characters on either side
_SHOWN = 24  # bytes on either side
_CELL_END = re.compile(rb'[\r\n,;\t|"]')
_NEVER = -5.0
_VOWELS = frozenset("aeiouyAEIOUY")


class Alphabet(NamedTuple):
    """The encoding that was told, and how surely.

    Attributes:
        encoding: its name.
        other: the next best one; empty if that would read the same, or is out of the question.
        at: where the first byte is that these two read differently.
    """

    encoding: str
    other: str = ""
    at: int = 0


def alphabet_of(text: bytes) -> Alphabet:
    """Tell a text's encoding; cp1252 if no letters speak for another."""
    contexts = _contexts(text)
    fits = {encoding: _fit(contexts, encoding) for encoding in NAMES}
    ranked = sorted(NAMES, key=lambda encoding: -fits[encoding])
    best = ranked[0] if fits[ranked[0]] > 0 else "cp1252"
    for other in ranked:
        if fits[best] - fits[other] >= _PROVEN:
            break
        differing = [place for place, context in contexts if _read(context, best) != _read(context, other)]
        if differing:
            return Alphabet(best, other, min(differing))
    return Alphabet(best)


def example(text: bytes, at: int, encoding: str) -> str:
    """What stands around a byte within its cell, as an encoding has it."""
    before = _CELL_END.split(text[max(0, at - _SHOWN) : at])[-1]
    after = _CELL_END.split(text[at : at + _SHOWN])[0]
    return (before + after).decode(encoding, "replace").strip()


def _contexts(text: bytes) -> list[tuple[int, bytes]]:
    """Where odd bytes stand first between the same neighbours, and these: two before, the bytes, two after."""
    padded = b"\n\n" + text + b"\n\n"
    found: dict[bytes, int] = {}
    for odd in _ODD.finditer(padded):
        found.setdefault(padded[odd.start() - _NEAR : odd.end() + _NEAR], odd.start() - _NEAR)
        if len(found) == _CONTEXTS:
            break
    return [(place, context) for context, place in found.items()]


def _read(context: bytes, encoding: str) -> str:
    return context.decode(encoding, "replace")


def _fit(contexts: list[tuple[int, bytes]], encoding: str) -> float:
    """How well an encoding's characters fit where they stand."""
    return _BEFOREHAND[encoding] + sum(_fits(_read(context, encoding)) for _, context in contexts)


def _fits(text: str) -> float:
    """How well the characters fit that are not ASCII, in a text with two others on either side."""
    return sum(
        _fits_between(text[max(0, i - 2) : i][-2:].rjust(2), text[i], text[i + 1 : i + 3].ljust(2))
        for i in range(len(text))
        if not text[i].isascii()
    )


def _fits_between(before: str, character: str, after: str) -> float:
    if character.isalpha() and character not in "ªº":
        return _letter_fits(before, character, after)
    is_within = before[1].isalpha() and after[0].isalpha()
    if character == "\N{RIGHT SINGLE QUOTATION MARK}":
        return _apostrophe_fits(before, after)
    if unicodedata.category(character)[0] == "C" or character == "\ufffd":
        return _NEVER
    if is_within:
        return 1.0 if character == "\xa0" else -1.0 if character in _DASHES else -3.0
    return _SIGNS.get(character, _other_sign)(before, after)


def _letter_fits(before: str, letter: str, after: str) -> float:
    """By the case of its neighbours, and by what the letter can stand between."""
    previous, following = before[1], after[0]
    if not (previous.isalpha() or following.isalpha()):
        return 0.5 if letter.lower() in "àéèóáôê" else -1.0
    if letter.isupper():
        if previous.islower() or (previous.isupper() and following.islower()):
            return -3.0
    elif letter.islower() and (following.isupper() or (previous.isupper() and before[0].isupper())):
        return -2.0
    low, left, right = letter.lower(), previous.lower(), following.lower()
    if left.isdigit() or right.isdigit():
        return -1.0
    return _between(low, left, right)


def _between(letter: str, left: str, right: str) -> float:
    """How well a letter fits between two others, or at a word's beginning or end."""
    base = unicodedata.normalize("NFD", letter)[0]
    fits = 1.5
    if letter == "ñ":
        fits = 3.0 if right in _VOWELS or right in "áéíóú" else -1.0
    elif letter in "âêîôû":
        fits = 1.5 if right in "tnlcmrgvs" else -2.0 if right in _VOWELS else -0.5
    elif letter == "ç":
        fits = 2.0 if right in "aouãõáóeé" else -1.0
    elif letter in "ãõ":
        fits = 2.0 if right in "oe" or not right.isalpha() else -1.0
    elif letter == "ß":
        fits = 1.5 if left in "aeiouäöü" else -2.0
    elif letter in "àìòù":
        fits = 1.5 if not right.isalpha() and (left not in _VOWELS or left + letter == "où") else -1.0
    elif letter in "ëï":
        fits = 1.5 if left in _VOWELS else -0.5
    elif letter == "œ":
        fits = 1.5 if right in "ui" else -1.0
    elif letter in "łąęśćńżźčšžěř":
        fits = 1.0
    elif letter in "åæø":
        fits = 0.5
    elif letter not in "áéíóúäöüè":
        fits = -1.5
    elif base in (left, right):
        fits = -1.0
    return fits


def _apostrophe_fits(before: str, after: str) -> float:
    """Where something is left out, as in O'Brien and don't, or a quotation ends."""
    if not before[1].isalpha():
        return -0.5
    if not after[0].isalpha():
        return 1.5
    is_elided = not before[0].isalpha() or before[1] in "uU"
    is_contracted = after[0].lower() in "stdm" and not after[1].isalpha()
    is_contracted = is_contracted or after.lower() in ("ll", "re", "ve")
    return 3.0 if is_elided or is_contracted else -1.0


def _sign_before_a_word(before: str, after: str) -> float:
    return 1.0 if after[0].isalnum() and not before[1].isalpha() else -2.0


def _sign_after_a_word(before: str, after: str) -> float:  # noqa: ARG001 -- the signs' signature
    return 1.5 if before[1].isalnum() or before[1] in ".!?," else 0.0


def _sign_at_a_number(before: str, after: str) -> float:
    return 1.5 if before.strip()[-1:].isdigit() or after.strip()[:1].isdigit() else -1.0


def _sign_between_words(before: str, after: str) -> float:
    return 1.0 if before[1].isspace() or after[0].isspace() or before[1].isdigit() else -0.5


def _other_sign(before: str, after: str) -> float:
    return -2.0 if before[1].isalpha() or after[0].isalpha() else -1.0


_DASHES = "–—"
_SIGNS = {
    **dict.fromkeys("¿¡“‘«", _sign_before_a_word),
    **dict.fromkeys("”»…™®©ªº", _sign_after_a_word),
    **dict.fromkeys("€£¥¢°±½¼¾²³", _sign_at_a_number),
    **dict.fromkeys("–—•·\xa0", _sign_between_words),
}
"""What speaks for the signs that people write."""
