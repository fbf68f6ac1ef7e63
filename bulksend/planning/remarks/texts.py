"""Texts that cost more than they need, or are not known in full."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.errors import Advice, Remark, Severity
from bulksend.model import API_FIELD, Encoding
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.remarks.noted import KINDS_MAX, Noted
from bulksend.rules import Rule
from bulksend.sms import dollars, lookalikes, segments
from bulksend.words import many

_NAMED = 6  # characters


class Ucs2:
    """Why texts do not travel as GSM-7, what that costs, and what would fit.

    Args:
        lines: knows where in the sheet rows stand.
        gsm: whether what would fit has been put in place already.
    """

    def __init__(self, lines: Lines, *, gsm: bool) -> None:
        self._lines = lines
        self._gsm = gsm
        self._rows = 0
        self._characters: dict[str, Noted] = {}
        self._extra_parts = self._extra_micro = 0
        self._fixable_rows = self._fixable_parts = self._fixable_micro = 0

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        if Encoding.UCS2 in batch.encodings:
            for i, encoding in enumerate(batch.encodings):
                if encoding is Encoding.UCS2:
                    self._add(batch.first + i, batch.texts[i], batch.parts[i], batch.prices[i] or 0)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        if not self._rows:
            return
        cost = "takes no more parts here"
        if self._extra_parts:
            cost = f"takes {many(self._extra_parts, 'SMS part')} more ({dollars(self._extra_micro)})"
        yield Remark(
            f"{many(self._rows, 'text')} cannot travel as GSM-7 (160 characters a part), only as UCS-2 (70), "
            f"which {cost}, for: {self._causes()}",
            Rule.TEXT_UCS2,
            severity=Severity.MONEY,
            about={"count": f"{self._rows:,}", "characters": " ".join(self._commonest()[:_NAMED])}
            | ({"parts": f"{self._extra_parts:,}", "price": dollars(self._extra_micro)} if self._extra_parts else {}),
        )
        if self._fixable_parts and not self._gsm:
            yield Remark(
                f"{self._fixable_rows:,} of these would be GSM-7 with plain characters in place of typographic ones, "
                f"which would save {many(self._fixable_parts, 'SMS part')} ({dollars(self._fixable_micro)})",
                Rule.TEXT_GSM,
                Advice.REPLACE_TYPOGRAPHIC,
                Severity.MONEY,
                {
                    "count": f"{self._fixable_rows:,}",
                    "parts": f"{self._fixable_parts:,}",
                    "price": dollars(self._fixable_micro),
                },
            )

    def _causes(self) -> str:
        named = self._commonest()
        causes = []
        for character in named[:_NAMED]:
            noted = self._characters[character]
            places = f"{noted.rows:,} ({noted})" if noted.rows > 1 else f"{noted}"
            causes.append(f"{lookalikes.explain(character)} in {places}")
        if len(named) > _NAMED:
            causes.append(f"and {len(named) - _NAMED:,} other characters")
        return "; ".join(causes)

    def _commonest(self) -> list[str]:
        return sorted(
            self._characters, key=lambda each: (-self._characters[each].rows, self._characters[each].examples)
        )

    def _add(self, row: int, text: str, count: int, price: int) -> None:
        self._rows += 1
        first_places = {character: place for place, character in reversed(segments.foreign(text))}
        for character, place in first_places.items():
            if character in self._characters or len(self._characters) < KINDS_MAX:
                self._characters.setdefault(character, Noted(self._lines)).note(row, value=f"character {place + 1}")
        plain = lookalikes.plain(text)
        is_fixable = plain != text
        least = segments.count(plain if is_fixable else "".join(c for c in text if c not in first_places)).parts
        saved, saved_micro = count - least, price // count * (count - least)
        self._extra_parts += saved
        self._extra_micro += saved_micro
        if is_fixable:
            self._fixable_rows += 1
            self._fixable_parts += saved
            self._fixable_micro += saved_micro


class MadePlain:
    """Texts whose typographic characters were replaced."""

    def __init__(self, lines: Lines) -> None:
        self._rows, self._parts, self._micro = Noted(lines), 0, 0

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        for i, before in batch.made_plain.items():
            count = batch.parts[i]
            if i not in batch.flaws:
                self._rows.note(batch.first + i)
                self._parts += before - count
                self._micro += (before - count) * ((batch.prices[i] or 0) // count)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        if self._rows.rows:
            yield Remark(
                f"{self._rows.count('has', 'have')} typographic characters replaced, which saves "
                f"{many(self._parts, 'SMS part')} ({dollars(self._micro)}): {self._rows}",
                Rule.TEXT_PLAIN,
                severity=Severity.STYLE,
                about=self._rows.about(parts=f"{self._parts:,}", price=dollars(self._micro)),
            )


class ApiFields:
    """Texts with fields that the API fills, so that nobody here knows their length."""

    def __init__(self, lines: Lines) -> None:
        self._rows = Noted(lines)

    def add(self, batch: PlannedBatch, texts: str) -> None:
        """See `Topic.add`."""
        if "{" in texts and API_FIELD in texts:  # one character is found in a tenth of the time
            for row, text in enumerate(batch.texts, batch.first):
                if API_FIELD in text:
                    self._rows.note(row)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        if self._rows.rows:
            yield Remark(
                f"{self._rows.count('has', 'have')} fields that the API fills in ({{{{...}}}}): parts and price are "
                f"the least they can be: {self._rows}",
                Rule.TEXT_API,
                severity=Severity.MONEY,
            )
