"""All that is watched for while a plan is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from bulksend.errors import Remark
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.columns import Columns
from bulksend.planning.planner import PlanOptions
from bulksend.planning.remarks.consent import Consent
from bulksend.planning.remarks.damage import Damage
from bulksend.planning.remarks.noted import Noted
from bulksend.planning.remarks.own import Own
from bulksend.planning.remarks.philippines import Philippines
from bulksend.planning.remarks.recipients import Exclusion, Numbers, duplicates
from bulksend.planning.remarks.texts import ApiFields, MadePlain, Ucs2


class Topic(Protocol):
    """One thing to watch for."""

    def add(self, batch: PlannedBatch, texts: str) -> None:
        """Take in the next rows, and all their texts in one."""

    def remarks(self) -> Iterator[Remark]:
        """What there is to say of it; nothing if it did not occur."""


class Remarks:
    """Collects what may not be as it was meant.

    Args:
        options: what decided how the input became messages.
        columns: the input's.
    """

    def __init__(self, options: PlanOptions, columns: Columns) -> None:
        self._options = options
        chosen = frozenset(column for column, _ in options.only + options.skip)
        self._urgent: tuple[Topic, ...] = (
            Consent(columns, chosen),
            Own(columns, "message", options.message),
            Own(columns, "from", options.sender),
        )
        self._topics: tuple[Topic, ...] = (
            *self._urgent,
            Exclusion(options.exclusions),
            Numbers(options.country, new_prefixes=options.new_prefixes),
            Damage(),
            Ucs2(gsm=options.gsm),
            MadePlain(),
            ApiFields(),
            Philippines(),
        )

    def add(self, batch: PlannedBatch) -> None:
        """Take in the next rows."""
        texts = "\n".join(batch.texts)
        for topic in self._topics:
            topic.add(batch, texts)

    def all(self, repeated: Noted) -> Iterator[Remark]:
        """What there is to say, the worst first.

        Args:
            repeated: the rows that have number and text of an earlier one.
        """
        for topic in self._urgent:
            yield from topic.remarks()
        if self._options.duplicates is None:
            yield from duplicates(repeated)
        for topic in self._topics[len(self._urgent) :]:
            yield from topic.remarks()
