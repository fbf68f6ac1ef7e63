"""What a run knows of the delivery of its messages; any store can stand behind it, see `bulksend.runs.store`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bulksend.model import MicroUSD, Reached, Receipt, Recipient

if TYPE_CHECKING:
    from bulksend.engagespark import Awaiting


class Undelivered(NamedTuple):
    """Why messages did not reach their phones.

    Attributes:
        says: the API's word for it; empty if it has none.
        rows: how many rows.
        first: the first of them.
    """

    says: str
    rows: int
    first: int


class Deliveries(NamedTuple):
    """What became of a run's sent messages; whatever is neither `reached` nor `failed` is not known yet.

    Attributes:
        sent: messages that were accepted.
        told: those of which the API has told anything.
        reached: those that reached their phone.
        failed: those that did not.
        charged: micro-USD by the receipts that tell of a charge.
        estimated: what the same messages were estimated at: by the API's answers, or else by the plan.
        priced: how many messages these are.
        reasons: why messages failed, the commonest first.
    """

    sent: int
    told: int
    reached: int
    failed: int
    charged: int
    estimated: int
    priced: int
    reasons: tuple[Undelivered, ...]

    @property
    def open(self) -> int:
        """Of how many it is not known whether they reached their phone."""
        return self.sent - self.reached - self.failed


class Receipts(Protocol):
    """For reading. Everything raises RunFileError if it cannot be read."""

    @property
    def were_fetched(self) -> bool:
        """Whether any is known."""

    def all(self) -> Iterator[tuple[int, Receipt]]:
        """All, each behind its row, in input order."""

    def of(self, rows: Sequence[int]) -> dict[int, Receipt]:
        """Those of some rows, as far as there are any."""

    def deliveries(self, reasons: int) -> Deliveries:
        """Sum them up, with so many reasons."""

    def verdicts(self) -> Iterator[tuple[Recipient, int]]:
        """Whether a phone was reached, by number where that is known: of each of which that is told at all."""

    def last_sent_at(self) -> float:
        """When the last message was sent of which that is told, in seconds since 1970; 0 if there is none."""


class OwnReceipts(Receipts, Protocol):
    """Of a run that this process may write."""

    def awaited(self) -> Awaiting:
        """The sent messages of which it is not known yet whether they reached their phone."""


def receipt_of(kept: tuple[Any, ...]) -> tuple[int, Receipt]:
    """A receipt behind its row, as a store keeps it: row, messageId and the rest of `Receipt`."""
    row, message_id, to_telco, to_phone, error, charged = kept
    told = None if to_telco is None else bool(to_telco)
    return row, Receipt(message_id, told, Reached(to_phone), error, None if charged is None else MicroUSD(charged))
