"""All that is watched for while a plan is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from bulksend.errors import Remark
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.columns import Columns
from bulksend.planning.lines import Lines
from bulksend.planning.planner import PlanOptions
from bulksend.planning.remarks.consent import Consent
from bulksend.planning.remarks.damage import Damage
from bulksend.planning.remarks.fallbacks import FilledInCells
from bulksend.planning.remarks.looks import HiddenRows, UnsureLooks
from bulksend.planning.remarks.noted import Noted
from bulksend.planning.remarks.own import Own
from bulksend.planning.remarks.philippines import Philippines
from bulksend.planning.remarks.places import AmericanSenders, RareCountries
from bulksend.planning.remarks.recipients import Compared, Exclusion, Numbers, duplicates, others
from bulksend.planning.remarks.texts import ApiFields, MadePlain, Ucs2
from bulksend.planning.remarks.values import Values


class Topic(Protocol):
    """One thing to watch for."""

    def add(self, batch: PlannedBatch, texts: str) -> None:
        """Take in the next rows, and all their texts in one."""

    def remarks(self) -> Iterator[Remark]:
        """What there is to say of it, each with what is at stake; nothing if it did not occur."""


class Remarks:
    """Collects what may not be as it was meant.

    Args:
        options: what decided how the input became messages.
        columns: the input's.
        lines: knows where in the sheet rows stand.
    """

    def __init__(self, options: PlanOptions, columns: Columns, lines: Lines) -> None:
        self._options = options
        chosen = frozenset(column for column, _ in options.only + options.skip)
        self._topics: tuple[Topic, ...] = (
            Consent(columns, chosen),
            HiddenRows(lines),
            Own(columns, "message", options.message, lines),
            Own(columns, "from", options.sender, lines),
            Exclusion(options.exclusions, lines),
            Numbers(options.country, lines, new_prefixes=options.new_prefixes),
            Damage(lines),
            Compared(options, lines),
            Values(lines),
            FilledInCells(lines),
            UnsureLooks(lines),
            Ucs2(lines, gsm=options.gsm),
            MadePlain(lines),
            ApiFields(lines),
            Philippines(options.lint, options.message, lines),
            AmericanSenders(lines),
            RareCountries(lines),
        )

    def add(self, batch: PlannedBatch) -> None:
        """Take in the next rows."""
        texts = "\n".join(batch.texts)
        for topic in self._topics:
            topic.add(batch, texts)

    def all(self, repeated: Noted, several: Noted) -> Iterator[Remark]:
        """What there is to say.

        Args:
            repeated: the rows that have number and text of an earlier one.
            several: the rows that go to the phone of an earlier one, with another text.
        """
        if self._options.duplicates is None and not self._options.one_per_number:
            yield from duplicates(repeated)
        yield from others(several, self._options)
        for topic in self._topics:
            yield from topic.remarks()
