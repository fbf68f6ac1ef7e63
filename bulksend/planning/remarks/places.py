"""Where messages go, country by country: what is asked for elsewhere, and countries that nobody may have meant."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.errors import Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.remarks.noted import EXAMPLES, KINDS_MAX, Noted
from bulksend.rules import Rule
from bulksend.sms import phones
from bulksend.words import printable

_FEW = 0.05
"""Of all numbers: a country with less is told of, if nearly all others are of one country."""
_UNIFORM = 0.9
_AMERICAN = "1"


class RareCountries:
    """Countries of few numbers in a list that is nearly all of one country."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._codes: dict[str, Noted] = {}

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        codes, size = batch.codes, len(batch.codes)
        if size and not batch.flaws and codes.count(codes[0]) == size:
            self._note(codes[0], batch, range(min(EXAMPLES, size)), size)
            return
        places: dict[str, list[int]] = {}
        for i, code in enumerate(codes):
            if i not in batch.flaws:
                places.setdefault(code, []).append(i)
        for code, rows in places.items():
            self._note(code, batch, rows[:EXAMPLES], len(rows))

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        known = {code: noted for code, noted in self._codes.items() if code}
        rows = sum(noted.rows for noted in known.values())
        if not known:
            return
        most = max(known, key=lambda code: known[code].rows)
        if known[most].rows < _UNIFORM * rows:
            return
        for code, noted in sorted(known.items(), key=lambda item: -item[1].rows):
            if noted.rows < _FEW * rows:
                yield Remark(
                    f"{noted.count('goes', 'go')} to {phones.country_name(code)}, and nearly all others to "
                    f"{phones.country_name(most)}: {noted}; see whether these numbers are meant",
                    Rule.COUNTRY,
                    severity=Severity.PERSON,
                    about=noted.about(country=phones.country_name(code), most=phones.country_name(most)),
                )

    def _note(self, code: str, batch: PlannedBatch, rows: range | list[int], size: int) -> None:
        noted = self._codes.setdefault(code, Noted(self._lines))
        for i in rows:
            noted.note(batch.first + i, value=f"{batch.recipients[i]}")
        noted.rows += size - len(rows)


class AmericanSenders:
    """Sender ids of letters, which no phone in the US, nor in Canada, gets a text from."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._senders: dict[str, Noted] = {}

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        if _AMERICAN not in batch.codes:
            return
        for i, code in enumerate(batch.codes):
            sender = batch.senders[i]
            if code != _AMERICAN or i in batch.flaws or not sender or not any(map(str.isalpha, sender)):
                continue
            if sender in self._senders or len(self._senders) < KINDS_MAX:
                self._senders.setdefault(sender, Noted(self._lines)).note(batch.first + i)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        named = sorted(self._senders.items(), key=lambda item: -item[1].rows)
        for sender, noted in named[:EXAMPLES]:
            yield Remark(
                f"{noted.count('goes', 'go')} to +1 with the sender id {printable(sender, 30)!r}: {noted}; carriers "
                "there take numbers only",
                Rule.US_SENDER,
                severity=Severity.MONEY,
            )
