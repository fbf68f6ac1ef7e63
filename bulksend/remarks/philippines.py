"""What Philippine carriers refuse or change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bulksend import lint
from bulksend.model import PlannedBatch
from bulksend.remarks.noted import EXAMPLES, KINDS_MAX, Noted

_CODE = "63"


class Philippines:
    """Sender ids and links that Philippine carriers do not like."""

    def __init__(self) -> None:
        self._senders: Counter[str | None] = Counter()
        self._shorteners: dict[str, Noted] = {}

    def add(self, batch: PlannedBatch, texts: str) -> None:
        """See `Topic.add`."""
        if _CODE not in batch.codes and "" not in batch.codes:
            return  # nobody in the Philippines, and no contact, who may be there
        senders = batch.senders
        if senders.count(senders[0]) == len(senders):
            self._senders[senders[0]] += len(senders)
        elif len(self._senders) < KINDS_MAX:
            self._senders.update(senders)
        self._senders[None] -= len(batch.faults)
        if "/" in texts:
            for row, text in enumerate(batch.texts, batch.first):
                if host := lint.shortener_in(text):
                    self._shorteners.setdefault(host, Noted()).note(row)

    def sentences(self) -> Iterator[str]:
        """See `Topic.sentences`."""
        found: Counter[str] = Counter()
        for sender, rows in self._senders.items():
            for says in lint.sender_faults(sender) if rows > 0 else ():
                found[says] += rows
        for says, rows in found.most_common(EXAMPLES):
            yield f"{says} ({rows:,} {'message' if rows == 1 else 'messages'})"
        for host, noted in self._shorteners.items():
            yield (
                f"{noted.count('has', 'have')} a link through {host}, a public shortener, which a Philippine carrier "
                f"blocks: {noted}; write the link itself"
            )
