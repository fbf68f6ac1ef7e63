"""Numbers as a sheet shows them, by their format codes (ECMA-376 part 1, 18.8.30 and 18.8.31).

Separators are the English ones; what pads a column (``_`` and ``*``) is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from bulksend.planning.reading.books import dates, digits
from bulksend.planning.reading.books.digits import Token

_LOCAL_DATES = (14, 22, *range(27, 37), *range(50, 59))
_LOCAL_SUMS = (5, 6, 7, 8, 41, 42, 43, 44)
LOCAL = frozenset({*_LOCAL_DATES, *_LOCAL_SUMS})
"""Ids whose format is whatever the machine's own language has, unless the workbook spells it out."""

BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm",
    21: "h:mm:ss", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    **dict.fromkeys(_LOCAL_DATES, "yyyy-mm-dd"), **dict.fromkeys(_LOCAL_SUMS, "#,##0.00"),
}  # fmt: skip
"""What the ids below 164 stand for; for those of `LOCAL` something of the same kind."""

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<padding>[_*].)'
    r"|\[\$(?P<currency>[^\]-]*)(?:-(?P<locale>[^\]]*))?\]"
    r"|(?P<elapsed>\[(?:h+|m+|s+)\])"
    r"|\[(?P<relation><=|>=|<>|<|>|=)(?P<limit>-?[0-9.]+)\]"
    r"|(?P<colour>\[(?:black|blue|cyan|green|magenta|red|white|yellow|color ?[0-9]+)\])"
    r"|(?P<general>General)|(?P<noon>AM/PM|A/P)|(?P<clock>y+|m+|d+|h+|s+)|(?P<power>E[+-])"
    r"|(?P<digit>[0#?])|(?P<mark>[.,%@/])|(?P<literal>[^A-Za-z\[\]\"\\]|[^\x00-\x7f])",
    re.IGNORECASE | re.DOTALL,
)
_SECTION = re.compile(r'(?:"[^"]*"|\\.|[_*].|\[[^\]]*\]|[^;"\\_*\[])*', re.DOTALL)
_APART = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]|;.*|General', re.DOTALL | re.IGNORECASE)
_DATE = re.compile("[ymdhsge]", re.IGNORECASE)
_USUAL = re.compile(r"(?P<before>\0*)(?P<whole>0|#,##0)(?P<parts>\.0+)?\0*")
_SYSTEM = ("f800", "f400", "x-sysdate", "x-systime")  # long dates and times of the machine's own settings
_RELATIONS = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b,
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """What stands between semicolons.

    Attributes:
        tokens: its pieces; None if one of them is not understood.
        relation: when it applies, if it says so; with ``limit``.
        is_system: whether it stands for what the machine's own settings say.
        names_months: whether names of months and days are not English ones.
    """

    tokens: tuple[Token, ...] | None
    relation: str = ""
    limit: float = 0
    is_system: bool = False
    names_months: bool = False

    @cached_property
    def is_date(self) -> bool:
        """Whether it shows a moment or a duration."""
        return any(token.kind in {"clock", "elapsed", "noon"} for token in self.tokens or ())

    @cached_property
    def is_duration(self) -> bool:
        """Whether it counts hours, minutes or seconds beyond a day."""
        return any(token.kind == "elapsed" for token in self.tokens or ())

    @cached_property
    def usual(self) -> tuple[str, str, Decimal, str] | None:
        """For the most usual numbers: what stands before, how they are grouped, the last place, what stands after."""
        found = _USUAL.fullmatch("".join("\0" if kind == "literal" else text for kind, text in self.tokens or ()))
        if not found:
            return None
        words = [text for kind, text in self.tokens or () if kind == "literal"]
        before = len(found["before"])
        grouped = "," if "," in found["whole"] else ""
        place = Decimal(1).scaleb(-max(len(found["parts"] or "") - 1, 0))
        return "".join(words[:before]), grouped, place, "".join(words[before:])

    @cached_property
    def text(self) -> str | None:
        """What it shows around a word, with a NUL for that; None if it shows the word alone or no word."""
        tokens = self.tokens or ()
        if not any(token == ("mark", "@") for token in tokens) or len(tokens) == 1:
            return None
        return "".join("\0" if token == ("mark", "@") else token.text for token in tokens)


class Format:
    """A format code taken apart.

    Args:
        code: as a workbook has it.
        is_local: whether it stands for whatever the machine's own language has.

    Attributes:
        is_date: whether its values are moments or durations.
        is_duration: whether these are durations.
        is_local: as given, or because the code says so.
        words: what stands around a word, with a NUL for it; None if nothing does.
    """

    def __init__(self, code: str, *, is_local: bool = False) -> None:
        self.code = code
        self._sections = [_section(part) for part in _split(code)]
        first = self._sections[0]
        self.is_date = first.is_date or (first.tokens is None and _DATE.search(_APART.sub("", code)) is not None)
        self.is_duration = first.is_duration
        self.is_local = is_local or first.is_system
        last = self._sections[3] if len(self._sections) > 3 else self._sections[-1]
        self.words = last.text
        if len(self._sections) > 1 and ("mark", "@") in (last.tokens or ()):
            self._sections.remove(last)  # which is for words only

    def shown(self, value: float, *, since_1904: bool = False) -> str | None:
        """What a sheet shows of a number; None if that is not known."""
        section, is_negative = self._choose(value)
        if section.tokens is None or section.names_months or self.is_local:
            return None
        if section.is_date:
            return dates.shown(section.tokens, value, since_1904=since_1904)
        text = digits.usual(section.usual, abs(value)) if section.usual else digits.number(section.tokens, abs(value))
        if text is None:
            return None
        has_digit = any(digit in text for digit in "123456789") or any(t.kind == "general" for t in section.tokens)
        return ("-" + text if is_negative and has_digit else text).strip()

    def _choose(self, value: float) -> tuple[Section, bool]:
        """The section for a number, and whether its sign is written before it."""
        sections = self._sections[:3]
        if any(section.relation for section in sections):
            for section in sections:
                if not section.relation or _RELATIONS[section.relation](value, section.limit):
                    return section, value < 0
            return Section(None), False
        if len(sections) == 1 or value > 0:
            return sections[0], value < 0
        if value < 0:
            return sections[1], False
        return sections[2 if len(sections) > 2 else 0], False


def _split(code: str) -> list[str]:
    parts, place = [], 0
    while place <= len(code):
        found = _SECTION.match(code, place)
        end = found.end() if found else place
        parts.append(code[place:end])
        if end < len(code) and code[end] != ";":  # a quote without a partner
            parts[-1] += code[end:]
            break
        place = end + 1
    return parts


def _section(part: str) -> Section:
    tokens: list[Token] = []
    relation, limit, is_system, is_foreign = "", 0.0, False, False
    place = 0
    while place < len(part):
        found = _TOKEN.match(part, place)
        if found is None:
            return Section(None)
        place = found.end()
        kind = found.lastgroup or ""
        if found["relation"]:
            try:
                relation, limit = found["relation"], float(found["limit"])
            except ValueError:
                return Section(None)
        elif found["currency"] is not None:
            tokens.append(Token("literal", found["currency"]))
            locale = (found["locale"] or "").lower()
            is_system = is_system or locale in _SYSTEM
            is_foreign = is_foreign or _is_foreign(locale)
        elif kind in {"quoted", "escaped"}:
            tokens.append(Token("literal", found[kind]))
        elif kind not in {"padding", "colour"}:
            tokens.append(Token(kind, found[kind].lower() if kind in {"clock", "elapsed"} else found[kind]))
    has_names = any(token.kind == "clock" and token.text[0] in "md" and len(token.text) > 2 for token in tokens)
    return Section(tuple(tokens), relation, limit, is_system, is_foreign and has_names)


def _is_foreign(locale: str) -> bool:
    """Whether a locale, by its number or name, has other names of months than English, other digits or years."""
    if not locale or locale in _SYSTEM:
        return False
    try:
        number = int(locale.partition(",")[0], 16)
    except ValueError:
        return not locale.startswith("en")
    return number & 0x3FF not in {0x000, 0x009} or number > 0xFFFF
