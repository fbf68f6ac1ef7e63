"""Recipients that may not be those who were meant."""

from __future__ import annotations

from collections.abc import Iterator

from bulksend.errors import Advice, Remark, Severity
from bulksend.model import Duplicates, PhoneNumber
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.exclusions import Exclusions
from bulksend.planning.lines import Lines
from bulksend.planning.planner import PlanOptions
from bulksend.planning.remarks.noted import Noted
from bulksend.rules import Rule
from bulksend.sms import phones


def duplicates(repeated: Noted) -> Iterator[Remark]:
    """What to say of rows that have number and text of an earlier one."""
    if repeated.rows:
        yield Remark(
            f"{repeated.count('has', 'have')} the same number and text as an earlier one: {repeated}; they are sent "
            "all the same",
            Rule.TWICE_TEXT,
            Advice.SKIP_DUPLICATES,
            Severity.MONEY,
            repeated.about(),
        )


def others(several: Noted, options: PlanOptions) -> Iterator[Remark]:
    """What to say of rows that go to the phone of an earlier one, with another text."""
    if several.rows and not options.one_per_number:
        is_compared = options.duplicates in (Duplicates.SKIP, Duplicates.FAIL)
        compared = ", for what is compared is the number with the text" if is_compared else ""
        yield Remark(
            f"{several.count('goes', 'go')} to the phone of an earlier one, with another text: {several}; they are "
            f"sent all the same{compared}",
            Rule.TWICE_PHONE,
            Advice.KEEP_ONE_PER_NUMBER,
            Severity.MONEY,
            {} if compared else several.about(),
        )


class Compared:
    """Contacts that cannot be compared with numbers where rows to the same phone are left out."""

    def __init__(self, options: PlanOptions, lines: Lines) -> None:
        self._is_asked = options.one_per_number or options.duplicates in (Duplicates.SKIP, Duplicates.FAIL)
        self._contacts, self._has_numbers = Noted(lines), False

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        if self._is_asked:
            self._has_numbers = self._has_numbers or any(batch.codes)
            for i, who in enumerate(batch.recipients):
                if isinstance(who, int) and i not in batch.flaws:
                    self._contacts.note(batch.first + i)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        if self._contacts.rows and self._has_numbers:
            yield Remark(
                f"{self._contacts.count('goes', 'go')} to contacts, whose numbers are not known here: "
                f"{self._contacts}; they are compared with each other, not with the numbers of other rows",
                Rule.TWICE_CONTACT,
                severity=Severity.MONEY,
            )


class Exclusion:
    """Who may get through a list of those to leave out."""

    def __init__(self, exclusions: Exclusions, lines: Lines) -> None:
        self._exclusions = exclusions
        self._contacts = Noted(lines)

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        if self._exclusions.recipients and "" in batch.codes:
            for i, who in enumerate(batch.recipients):
                if isinstance(who, int) and i not in batch.flaws:
                    self._contacts.note(batch.first + i)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        for warning in self._exclusions.warnings:
            yield Remark(warning, Rule.EXCLUDE_CELL, severity=Severity.PERSON)
        if self._contacts.rows:
            yield Remark(
                f"{self._contacts.count('goes', 'go')} to contacts, whose numbers are not known here: "
                f"{self._contacts}; they cannot be compared with the numbers to leave out",
                Rule.EXCLUDE_CONTACT,
                severity=Severity.PERSON,
            )


class Numbers:
    """Numbers that are no mobile's, or another country's than was meant."""

    def __init__(self, country: str | None, lines: Lines, *, new_prefixes: bool) -> None:
        self._country = country
        self._new_prefixes = new_prefixes
        self._abroad, self._fixed, self._new = Noted(lines), Noted(lines), Noted(lines)

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        for i in batch.not_mobile:
            if i not in batch.flaws:
                number = PhoneNumber(str(batch.recipients[i]))
                is_new = self._new_prefixes and not phones.is_known(number)
                (self._new if is_new else self._fixed).note(batch.first + i, value=number)
        if self._country is None and batch.codes.count("63") < len(batch.codes):
            for i, who in enumerate(batch.recipients):
                if isinstance(who, str) and i not in batch.flaws and phones.read_abroad(who):
                    self._abroad.note(batch.first + i, value=who)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        if self._abroad.rows:
            yield Remark(
                f"{self._abroad.count('is', 'are')} read as foreign, but would be a Philippine mobile without its "
                f"dialing code: {self._abroad}",
                Rule.NUMBER_ABROAD,
                Advice.READ_AS_PHILIPPINE,
                Severity.PERSON,
                self._abroad.about(),
            )
        if self._new.rows:
            yield Remark(
                f"{self._new.count('goes', 'go')} to a prefix that the numbering plans here do not know yet: "
                f"{self._new}",
                Rule.NUMBER_NEW,
                severity=Severity.MONEY,
            )
        if self._fixed.rows:
            yield Remark(
                f"{self._fixed.count('goes', 'go')} to a landline or service number, which gets no SMS as a rule: "
                f"{self._fixed}",
                Rule.NUMBER_FIXED,
                severity=Severity.MONEY,
                about=self._fixed.about(),
            )
