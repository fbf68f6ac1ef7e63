"""What the words of a text are about, as far as rules and carriers care: English and Filipino."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from string import ascii_lowercase, digits
from typing import NamedTuple

PROMOTIONS = (
    "promo", "promos", "promotion", "sale", "discount", "discounts", "discounted", "free", "freebie", "freebies", "win",
    "raffle", "offer", "offers", "deal", "deals", "buy", "voucher", "vouchers", "cashback", "rebate", "exclusive",
    "libre", "bawas", "diskwento", "paraffle", "sulit",
)  # fmt: skip
"""Words by which a text is taken for a promotional one."""

OPT_OUTS = (
    "stop", "unsub", "unsubscribe", "opt out", "optout", "tigil", "itigil", "ihinto", "huwag na", "wag na",
)  # fmt: skip
"""By one of these a text says how to get no more."""

PERMIT_WANTED = ("promo", "promos", "raffle", "win", "paraffle")
"""Words of promotions for which others ask the number of a permit; so does a share that is taken off."""

CONTENT = {
    "gambling": (
        "casino", "gambling", "gamble", "betting", "bet", "bets", "jackpot", "sabong", "e-sabong", "lotto", "lottery",
        "poker", "baccarat", "slots",
    ),
    "alcohol": ("alcohol", "beer", "wine", "vodka", "whisky", "whiskey", "rum", "liquor", "alak"),
    "tobacco": ("tobacco", "cigarette", "cigarettes", "cigar", "vape", "vapes", "yosi"),
    "drugs": ("drugs", "marijuana", "cannabis", "cocaine", "shabu", "viagra", "cialis"),
    "adult content": ("porn", "xxx", "sex", "sexy", "escort", "escorts", "nude", "nudes"),
    "an election": (
        "vote", "votes", "voting", "candidate", "candidates", "election", "elections", "kandidato", "halalan", "iboto",
        "boto",
    ),
    "loans": ("loan", "loans", "pautang", "utang", "lending"),
}  # fmt: skip
"""By what it is about, words of texts that carriers in the Philippines refuse or take for spam."""


class Wording(NamedTuple):
    """What the words of a text are about.

    Attributes:
        promotes: a word by which it is promotional; empty if it seems not to be.
        opts_out: whether it says how to get no more.
        wants_permit: what in it is of a promotion that has a permit as a rule; empty for nothing.
        has_permit: whether it names one.
        content: a word that carriers may refuse, and what it is about; both empty for none.
        tests: whether it begins with TEST.
    """

    promotes: str = ""
    opts_out: bool = False
    wants_permit: str = ""
    has_permit: bool = False
    content: tuple[str, str] = ("", "")
    tests: bool = False


PLAIN = Wording()


def wording_of(text: str) -> Wording:
    """What the words of a text are about."""
    text = text.lower()
    words = _words(text)
    content = _CONTENT.found(text, words)
    return Wording(
        promotes=_PROMOTION.found(text, words),
        opts_out=bool(_OPT_OUT.found(text, words)),
        wants_permit=_PERMIT_WANTED.found(text, words),
        has_permit=bool(_PERMIT.found(text, words)),
        content=(content, _ABOUT[content]) if content else ("", ""),
        tests=text.lstrip().startswith("test"),
    )


def may_matter(text: str) -> bool:
    """Whether a text may hold words that matter; found out fast: False if surely none."""
    text = text.lower()
    return "test" in text or "%" in text or not _VOCABULARY.isdisjoint(_words(text))


class _Phrases(NamedTuple):
    """A pattern that begins with one of some words, and is searched for only where there is one.

    Attributes:
        pattern: it.
        firsts: these words.
        has_share: whether it fits a share that is taken off as well.
    """

    pattern: re.Pattern[str]
    firsts: frozenset[bytes]
    has_share: bool = False

    def found(self, text: str, words: Sequence[bytes]) -> str:
        """What of them stands in a text in lower case, of which these are the words; empty if nothing."""
        if self.firsts.isdisjoint(words) and not (self.has_share and "%" in text):
            return ""
        found = self.pattern.search(text)
        return " ".join(found[0].split()) if found else ""


def _words(text: str) -> list[bytes]:
    """The words of a text in lower case; where letters are not ASCII, the pieces between them."""
    return text.encode(errors="replace").translate(_TO_SPACES).split()


def _firsts(phrases: Iterable[str]) -> frozenset[bytes]:
    return frozenset(_words(phrase)[0] for phrase in phrases)


def _any_of(phrases: Iterable[str]) -> str:
    spelled = "|".join(
        sorted((re.escape(phrase).replace(r"\ ", r"[\s-]+") for phrase in phrases), key=len, reverse=True)
    )
    return rf"(?<![\w-])(?:{spelled})(?!\w)"


# Of bytes, for these are split in a quarter of the time that a regular expression takes.
_TO_SPACES = bytes(byte if chr(byte) in f"{ascii_lowercase}{digits}_" else ord(" ") for byte in range(256))
_OFF = r"\d+\s?%\s*(?:off|discount|bawas|less)(?!\w)"
_PROMOTION = _Phrases(
    re.compile(rf"{_OFF}|(?<!feel )(?:{_any_of(PROMOTIONS)})"), _firsts(PROMOTIONS), has_share=True
)  # fmt: skip
_OPT_OUT = _Phrases(re.compile(_any_of(OPT_OUTS)), _firsts(OPT_OUTS))
_PERMIT_WANTED = _Phrases(re.compile(rf"{_OFF}|{_any_of(PERMIT_WANTED)}"), _firsts(PERMIT_WANTED), has_share=True)
_PERMIT = _Phrases(re.compile(r"(?<!\w)(?:dti|fda|permit)(?!\w)"), _firsts(("dti", "fda", "permit")))
_ABOUT = {word: about for about, words in CONTENT.items() for word in words}
_CONTENT = _Phrases(re.compile(_any_of(_ABOUT)), _firsts(_ABOUT))
_VOCABULARY = frozenset().union(*(each.firsts for each in (_PROMOTION, _OPT_OUT, _PERMIT_WANTED, _PERMIT, _CONTENT)))
