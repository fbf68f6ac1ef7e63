"""What nobody means to be read on a phone: words for no value, garbled letters, placeholders that nobody fills.

A table of signs by kind. Each is looked for only where a character stands that it needs, which is found fast.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from bulksend.rules import Rule
from bulksend.sms import column_key


class Oddity(StrEnum):
    """A kind of what nobody means."""

    ERROR = "error"
    """A spreadsheet's error in place of a value: nobody can mean it."""
    NO_VALUE = "no value"
    """A program's word for nothing, such as NULL; or somebody's name."""
    FORMULA = "formula"
    """A formula in place of what it works out."""
    GARBLED = "garbled"
    """Letters that were read in a wrong encoding."""
    MARKUP = "markup"
    """Signs of a web page or a program, such as ``&amp;``."""
    PLACEHOLDER = "placeholder"
    """A merge field of another program, or one where none is filled in."""

    @property
    def rule(self) -> Rule | None:
        """The rule by which it is told; None for an error, which makes its row invalid."""
        return _RULES.get(self)


_RULES = {
    Oddity.NO_VALUE: Rule.VALUE_NONE,
    Oddity.FORMULA: Rule.VALUE_FORMULA,
    Oddity.GARBLED: Rule.VALUE_GARBLED,
    Oddity.MARKUP: Rule.VALUE_MARKUP,
    Oddity.PLACEHOLDER: Rule.VALUE_FIELD,
}


class Odd(NamedTuple):
    """Where one was found.

    Attributes:
        row: the row's index in its batch.
        kind: what it is.
        place: where it stands, for people: ``{Name}``, ``their own message``.
        seen: what stands there.
    """

    row: int
    kind: Oddity
    place: str
    seen: str


class Signs:
    """Tells odd texts and values of one input from others.

    Args:
        columns: names of the input's columns, which placeholders may be called by.
    """

    def __init__(self, columns: Collection[str]) -> None:
        self._names = _USUAL_NAMES | {key for key in map(column_key, columns) if key not in _NO_NAMES and len(key) > 2}

    def odd_of(self, texts: Collection[str], together: str) -> dict[str, tuple[Oddity, str]]:
        """Of many texts the odd ones, each with its kind and what shows it.

        Args:
            texts: they.
            together: the same in one text, a line each: as a rule none is odd, which is seen at one look.
        """
        odd: dict[str, tuple[Oddity, str]] = {}
        needs = _NEEDS_ASCII if together.isascii() else _NEEDS
        if any(map(together.__contains__, needs)) and self.odd_in(together):
            odd = {text: found for text in texts if (found := self.odd_in(text))}
        if "=" in together and (together.startswith("=") or "\n=" in together):
            odd |= {text: (Oddity.FORMULA, text) for text in texts if _FORMULA.match(text)}
        if not _KNOWN.isdisjoint(texts):
            odd |= {text: (_ALONE[text], text) for text in texts if text in _ALONE}
        return odd

    def odd_in(self, text: str) -> tuple[Oddity, str] | None:
        """What is odd within a text, and what shows it."""
        return next(self._within(text), None)

    def _within(self, text: str) -> Iterator[tuple[Oddity, str]]:
        is_ascii = text.isascii()
        for sign in _SIGNS:
            if (is_ascii and not sign.needs.isascii()) or sign.needs not in text:
                continue
            pattern = _compiled(sign.pattern)
            for found in pattern.finditer(text):
                name = found[1] if pattern.groups else ""
                # A field may have a value for empty cells, see `Template`.
                if not name or not self._names.isdisjoint(map(column_key, (name, name.partition("|")[0]))):
                    yield sign.kind, found[0]


def _cased(*words: str) -> frozenset[str]:
    return frozenset(each for word in words for each in (word, word.lower(), word.upper(), word.capitalize()))


_NO_VALUES = _cased(
    "NaN", "NaT", "null", "(null)", "<null>", "[null]", "nan", "nat", "none", "<na>", "undefined", "nil", "n/a",
    "(none)", "(blank)", "[object Object]", "\\N", "#NULL",
)  # fmt: skip
"""What databases, pandas, JavaScript and pivot tables write where there is nothing; Null and Nan are names, too."""

_ERRORS = frozenset({
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!", "#BUSY!",
    "#GETTING_DATA", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#ERROR!",
    "#NV", "#BEZUG!", "#WERT!", "#ZAHL!",  # German
    "#N/D", "#¡REF!", "#¡VALOR!", "#¿NOMBRE?", "#¡DIV/0!", "#¡NUM!", "#NOMBRE?",  # Spanish
    "#VALOR!", "#NOME?",  # Portuguese
    "#REF !", "#VALEUR!", "#NOM?", "#NOMBRE!", "#VALORE!", "#RIF!",  # French, Italian
    "#ADR!", "#ARG!", "#NAZWA?", "#LICZBA!", "#DZIEL/0!",  # Polish
    *(f"Err:{code}" for code in range(501, 541)),  # LibreOffice's
    *("#" * width for width in range(2, 40)),  # a column too narrow for its number
})  # fmt: skip
"""What spreadsheet programs show where they have no value to show."""

_ALONE = dict.fromkeys(_NO_VALUES, Oddity.NO_VALUE) | dict.fromkeys(_ERRORS, Oddity.ERROR)
"""What is odd if it is all that stands in a cell."""

_KNOWN = frozenset(_ALONE)

_FORMULA = re.compile(r"=\s*(?:[A-Z][A-Z0-9.]*\(|[+-]?\$?[A-Z]{1,3}\$?[0-9]+\b|'?[\w ]+'?![$A-Z])", re.IGNORECASE)


class _Sign(NamedTuple):
    """What an oddity within a text looks like.

    Attributes:
        kind: what it is.
        needs: a character that it has.
        pattern: its shape; a group in it is a name, which must be one of those known.
    """

    kind: Oddity
    needs: str
    pattern: str


_compiled = cache(re.compile)  # most sheets have none of the signs


# What the bytes 0x80 to 0xBF are in Windows-1252 (or Latin-1): with one of them ends each letter of UTF-8 that is not
# ASCII. Some may stand after a word, and prove something only before another letter.
_MARKS = b"\x82\x84\x85\x8b\x91\x92\x93\x94\x96\x97\x9b\xbb".decode("cp1252")
_OTHERS = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore").translate(dict.fromkeys(map(ord, _MARKS)))
_REST = f"\x80-\xba\xbc-\xbf{_OTHERS}"
_SECOND = "\x80\x82\x84\x86\x88" + b"\x80\x82\x84\x86\x88".decode("cp1252")
_LETTER = r"[^\W\d_]"
_ENTITY = (
    r"&(?:#[0-9]{2,6}|#[xX][0-9a-fA-F]{2,6}|amp|lt|gt|quot|apos|nbsp|[nm]dash|hellip|[lr][sd]quo|euro|copy|reg|trade|"
    r"szlig|[A-Za-z](?:acute|grave|uml|tilde|circ|ring|cedil|slash));"
)
_TAG = r"</?(?i:br|p|b|i|u|div|span|strong|em|a|font|li|ul|ol|table|tr|td|h[1-6])(?:\s[^<>\n]*)?/?>"
_SIGNS = tuple(
    _Sign(kind, needs, pattern)
    for kind, needs, pattern in (
        (Oddity.GARBLED, "\ufffd", "\ufffd+"),
        (Oddity.GARBLED, "ï", "ï(?:¿½|»¿)"),
        (Oddity.GARBLED, "Ã", f"Ã(?:[{_REST}]|[{_MARKS}](?={_LETTER}))"),
        (Oddity.GARBLED, "Â", "Â[\xa0-\xba\xbc-\xbf]"),
        (Oddity.GARBLED, "â", f"â[{_SECOND}][{_REST}{_MARKS}]"),
        (Oddity.GARBLED, "ð", f"ð[Ÿ\x9f][{_REST}{_MARKS}]"),
        (Oddity.GARBLED, "Ä", f"Ä[{_REST}{_MARKS}](?:(?=[a-z])|(?<=[a-z]Ä.))"),
        (Oddity.GARBLED, "Å", f"Å[{_REST}{_MARKS}](?:(?=[a-z])|(?<=[a-z]Å.))"),
        (Oddity.GARBLED, "Ð", f"Ð[{_REST}{_MARKS}](?:[ÐÑ][{_REST}{_MARKS}])+"),
        (Oddity.GARBLED, "√", "√[±©°≠≥¥§¨∫¢£∂∏∑ªºΩæø¿¡¬√]"),  # UTF-8 read as Mac Roman
        (Oddity.GARBLED, "¤", "¤"),  # nobody's currency: ñ in DOS, € in Latin-9
        (Oddity.GARBLED, "¥", f"¥(?<={_LETTER}¥)(?={_LETTER})"),  # Ñ in DOS
        (Oddity.GARBLED, "=", "=[C-F][0-9A-F](?:=[89AB][0-9A-F])+"),  # quoted-printable
        (Oddity.MARKUP, "&", _ENTITY),
        (Oddity.MARKUP, "<", _TAG),
        (Oddity.MARKUP, "\\", r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrt/])"),
        (Oddity.PLACEHOLDER, "|", r"\*\|[^|\n]{1,40}\|\*"),  # Mailchimp
        (Oddity.PLACEHOLDER, "%", r"%(?:%[^%\s]{1,40}%%|(?<![\w/?=&.%+~-]%)[A-Za-z_]\w{1,40}%)"),
        (Oddity.PLACEHOLDER, "<", r"<%[^%\n]{1,60}%>"),
        (Oddity.PLACEHOLDER, "<", r"<<[^<>\n]{1,40}>>"),
        (Oddity.PLACEHOLDER, "<", r"<(?<!<<)([^<>\n]{1,40})>(?!>)"),
        (Oddity.PLACEHOLDER, "{", r"\{\{(?!\s*contact\.)[^{}]*\}\}"),
        (Oddity.PLACEHOLDER, "{", r"\{%[^%\n]{1,60}%\}"),
        (Oddity.PLACEHOLDER, "{", r"\{(?<![{$#]\{)([^{}\n]{1,40})\}(?!\})"),
        (Oddity.PLACEHOLDER, "$", r"\$\{[^{}\n]{1,40}\}"),
        (Oddity.PLACEHOLDER, "$", r"\$([A-Za-z_]\w{1,40})"),
        (Oddity.PLACEHOLDER, "#", r"#\{[^{}\n]{1,40}\}"),
        (Oddity.PLACEHOLDER, "#", r"#([A-Za-z_][\w ]{1,40})#"),
        (Oddity.PLACEHOLDER, "«", r"«([^«»\n]{1,40})»"),  # Word's
        (Oddity.PLACEHOLDER, "[", r"\[\[[^\[\]\n]{1,40}\]\]"),
        (Oddity.PLACEHOLDER, "[", r"\[(?<!\[\[)([^\[\]\n]{1,40})\](?!\])"),
    )
)
"""Each with a literal character in front, which is what makes a search fast."""

_NEEDS = "".join({need for sign in _SIGNS for need in sign.needs})
_NEEDS_ASCII = "".join(filter(str.isascii, _NEEDS))
_NO_NAMES = frozenset({"to", "contactid", "message", "from", "sms", "promo", "new", "note", "notes"})
_USUAL_NAMES = frozenset({
    "name", "firstname", "fname", "lastname", "lname", "surname", "fullname", "yourname", "nickname", "username",
    "customer", "customername", "client", "clientname", "company", "companyname", "contactname", "membername",
    "recipient", "recipientname", "salutation", "insertname", "yourcompany", "nombre", "prenom", "vorname",
    "link", "url", "insertlink", "date", "time", "amount", "code",
})  # fmt: skip
