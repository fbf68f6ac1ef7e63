"""What the words of a text are about, as far as rules and carriers care: English and Filipino."""

from __future__ import annotations

import re
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
    content = _CONTENT.search(text)
    return Wording(
        promotes=_found(_PROMOTION, text),
        opts_out=_OPT_OUT.search(text) is not None,
        wants_permit=_found(_PERMIT_WANTED, text),
        has_permit=_PERMIT.search(text) is not None,
        content=(content[0], _ABOUT[content[0]]) if content else ("", ""),
        tests=text.lstrip().startswith("test"),
    )


def may_matter(text: str, more: frozenset[str] = frozenset()) -> bool:
    """Whether a text may hold words that matter, or some more, in lower case; found out fast: False if surely none."""
    text = text.lower()
    return (
        "test" in text
        or "%" in text
        or not _VOCABULARY.isdisjoint(words := _WORD.findall(text))
        or (bool(more) and not more.isdisjoint(words))
    )


def words_of(name: str) -> frozenset[str]:
    """The words of a name, in lower case."""
    return frozenset(_WORD.findall(name.lower()))


def squeezed(text: str) -> str:
    """What is compared of a name and of the text that it stands in: letters and digits, in lower case."""
    return "".join(filter(str.isalnum, text.lower()))


def _any_of(*phrases: str) -> str:
    spelled = "|".join(
        sorted((re.escape(phrase).replace(r"\ ", r"[\s-]+") for phrase in phrases), key=len, reverse=True)
    )
    return rf"(?<![\w-])(?:{spelled})(?!\w)"


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return " ".join(found[0].split()) if found else ""


_WORD = re.compile(r"\w+")
_OFF = r"\d+\s?%\s*(?:off|discount|bawas|less)(?!\w)"
_PROMOTION = re.compile(rf"{_OFF}|(?<!feel )(?:{_any_of(*PROMOTIONS)})")
_OPT_OUT = re.compile(_any_of(*OPT_OUTS))
_PERMIT_WANTED = re.compile(rf"{_OFF}|{_any_of(*PERMIT_WANTED)}")
_PERMIT = re.compile(r"(?<!\w)(?:dti|fda|permit)(?!\w)")
_ABOUT = {word: about for about, words in CONTENT.items() for word in words}
_CONTENT = re.compile(_any_of(*_ABOUT))
_VOCABULARY = frozenset(
    word
    for phrase in (*PROMOTIONS, *OPT_OUTS, *PERMIT_WANTED, *_ABOUT, "dti", "fda", "permit")
    for word in _WORD.findall(phrase)[:1]
)
