"""What everybody but the engine (see `bulksend.sending.journal`) asks of wherever runs are kept: any store will do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol, Self

from bulksend.model import ContactId, Message, PhoneNumber, Recipient, RowInDoubt, Status
from bulksend.planning import PREVIEWS, Lines, Overview, Plan, Tally
from bulksend.runs.ends import Purge, Spell
from bulksend.runs.facts import Facts
from bulksend.runs.figures import Figures
from bulksend.runs.owner import Owner
from bulksend.runs.receipts import Receipts
from bulksend.runs.shared import Shared
from bulksend.runs.telling import (
    Arrived,
    Charge,
    Complaint,
    MendRow,
    PlannedRow,
    RecentSend,
    ResultRow,
    RowTold,
    Span,
)  # fmt: skip
from bulksend.runs.times import Timed
from bulksend.sms import Observed


class Run(Timed, Protocol):
    """A run, for reading, also while another process sends it. A context manager.

    Everything raises RunFileError if it cannot be read.
    """

    @property
    def place(self) -> str:
        """Where it is kept, as people write it."""

    @property
    def facts(self) -> Facts:
        """What the plan was made of."""

    @property
    def owner(self) -> Owner | None:
        """Who has it or had it last for sending; None if nobody, or if that ended in order."""

    @property
    def shared(self) -> Shared | None:
        """Who works on it side by side; None if it is not opened for workers."""

    @property
    def spell(self) -> Spell:
        """From when to when it was sent, and why it last ended."""

    @property
    def progress(self) -> str | None:
        """Where the present send stands, in the words of `Journal.note_progress`; None if nobody has told."""

    @property
    def purge(self) -> Purge | None:
        """That its numbers, texts and cells are gone; None if they are not."""

    def results_at(self) -> list[str]:
        """Where its results were written to by whoever sent it, as absolute paths."""

    @property
    def has_begun(self) -> bool:
        """Whether a message may have been accepted, so that the plan must not be replaced."""

    @property
    def is_limited(self) -> bool:
        """Whether only commands with a limit have sent anything of it."""

    @property
    def span(self) -> Span | None:
        """When it was sent; None if nothing of it was tried."""

    @property
    def is_keyed(self) -> bool:
        """Whether any of its messages carried a clientDedup; before the first was sent, they will."""

    @property
    def turn(self) -> int:
        """How far the turns of `bulksend.sending.Proof` have come: odd if rows in doubt can be repeated."""

    def plan(self, limit: int | None = None, previews: int = PREVIEWS) -> Plan:
        """Sum up the plan, with what is still to be sent of it, or the first ``limit`` rows of that.

        Args:
            limit: how many rows; None for all.
            previews: how many messages are shown; none is also neither the longest nor the dearest.
        """

    def overview(self, limit: int | None = None) -> Overview:
        """Sum up what is still to be sent, or the first ``limit`` rows of it."""

    def tally(self) -> Tally:
        """Count the rows by what became of them."""

    def complaints(self, status: Status, limit: int) -> list[Complaint]:
        """Why rows of a status are not sent, the commonest first."""

    def in_doubt(self, limit: int | None = None) -> list[RowInDoubt]:
        """The rows in doubt that were not left at that, in input order; those in flight are not among them."""

    def messages_in_doubt(self) -> Iterator[Message]:
        """What may have been accepted and is not known to be, what is in flight included."""

    def dearest_part(self) -> int | None:
        """The highest price of an SMS part in micro-USD, planned or charged; None if none is known."""

    def spent(self, part_micro: int) -> int:
        """What was sent cost, in micro-USD: by the API's own words, or else by the plan.

        A part of which neither tells is taken to have cost ``part_micro``.
        """

    def errors(self) -> Iterator[int]:
        """The rows that may yet turn out well: that failed, or are in doubt and not to be sent again."""

    def recent_sends(self, since_s: float, wall_s: float) -> Iterator[RecentSend]:
        """What ended at ``since_s`` (since 1970) or later; what nobody saw the end of is taken to end at ``wall_s``."""

    def arrived(self, since_s: float) -> Iterator[Arrived]:
        """What was accepted or may have been, as far as that was learned at ``since_s`` (since 1970) or later."""

    def knows(self, attempts: Sequence[tuple[int, float]]) -> set[int]:
        """The rows of which it knows an attempt, or a later one; each with the time when that began."""

    def has_sent(self, message_id: str, recipients: Collection[str]) -> bool:
        """Whether it sent a message that somebody tells of, or may have: by its id, or else by whom it went to.

        Args:
            message_id: the API's id of it; empty if it has none.
            recipients: by number or contact, as people write them.
        """

    def numbers(self) -> Iterator[tuple[ContactId, PhoneNumber]]:
        """The numbers that answers told of contacts."""

    def contacts(self) -> Iterator[ContactId]:
        """The contacts that it goes to."""

    def nameless(self) -> int:
        """How many rows may have been accepted for contacts whose numbers are not known."""

    def reached(self) -> Iterator[Recipient]:
        """Whom it has sent to, or may have: each once, a contact's known number too."""

    def results(self, first: int = 1, last: int | None = None) -> Iterator[ResultRow]:
        """All rows in input order, or those from a first to a last one, with what became of them."""

    def planned(self) -> Iterator[PlannedRow]:
        """All rows in input order, with what the plan says of them."""

    def to_mend(self) -> Iterator[MendRow]:
        """The rows that were certainly not sent and that this run does not send as they are, in input order.

        Those that failed are among them, though the run tries them again as long as it is not closed.
        """

    def told(self, rows: Sequence[int]) -> list[RowTold]:
        """All that is known of some rows, in input order; those that there are."""

    def rows_to(self, recipients: Collection[Recipient]) -> list[int]:
        """The rows that go to any of these, contacts whose number one of them is included."""

    def lines(self) -> Lines:
        """The rows' lines in their sheet; of a run of an earlier version nothing is known."""

    @property
    def closed_at(self) -> float | None:
        """When it was closed, in seconds since 1970; None if it was not."""

    @property
    def figures(self) -> Figures:
        """What it comes to."""

    def charges(self) -> list[Charge]:
        """What was sent, estimated and charged by dialing code, most messages first."""

    def observed_rates(self) -> Iterator[Observed]:
        """What parts cost, by the beginning of the number."""

    def last_charged_at(self) -> float | None:
        """When the last message was sent that was charged, in seconds since 1970; None if none was."""

    @property
    def receipts(self) -> Receipts:
        """What is known of the delivery of its messages."""

    def close(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
