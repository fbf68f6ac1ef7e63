"""What Philippine carriers refuse or change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bulksend.errors import Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.lines import Lines
from bulksend.planning.remarks.noted import EXAMPLES, KINDS_MAX, Noted
from bulksend.rules import Rule
from bulksend.sms import carriers
from bulksend.words import many

_CODE = "63"


class Philippines:
    """Sender ids and links that Philippine carriers do not like."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._senders: Counter[str | None] = Counter()
        self._shorteners: dict[str, Noted] = {}

    def add(self, batch: PlannedBatch, texts: str) -> None:
        """See `Topic.add`."""
        senders, size = batch.senders, len(batch.senders)
        is_uniform = not batch.flaws and batch.codes.count(_CODE) == size == senders.count(senders[0])
        there = range(size) if is_uniform else [i for i in range(size) if _may_be_there(batch, i)]
        if is_uniform:
            self._senders[senders[0]] += size
        elif len(self._senders) < KINDS_MAX:
            self._senders.update(senders[i] for i in there)
        if "/" in texts:
            for i in there:
                if host := carriers.shortener_in(batch.texts[i]):
                    self._shorteners.setdefault(host, Noted(self._lines)).note(batch.first + i)

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        found: Counter[str] = Counter()
        for sender, rows in self._senders.items():
            for says in carriers.sender_flaws(sender):
                found[says] += rows
        for says, rows in found.most_common(EXAMPLES):
            yield Remark(f"{says} ({many(rows, 'message')})", Rule.PH_SENDER, severity=Severity.MONEY)
        for host, noted in self._shorteners.items():
            yield Remark(
                f"{noted.count('has', 'have')} a link through {host}, a public shortener, which a Philippine carrier "
                f"blocks: {noted}; write the link itself",
                Rule.PH_SHORT,
                severity=Severity.MONEY,
            )


def _may_be_there(batch: PlannedBatch, index: int) -> bool:
    """Whether a message goes to the Philippines, or to a contact, who may be there."""
    if index in batch.flaws:
        return False
    return batch.codes[index] == _CODE or isinstance(batch.recipients[index], int)
