"""What a run comes to, summed up for whoever answers for it. Any store can stand behind it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from bulksend.model import Encoding, Recipient, Status


class Stretch(NamedTuple):
    """A time through which a run was sent; a pause parts it from the next.

    Attributes:
        since_s: when its first attempt began, in seconds since 1970.
        until_s: when its last outcome was known.
        sent: messages that were accepted in it.
    """

    since_s: float
    until_s: float
    sent: int


class Slice(NamedTuple):
    """What happened in a slice of time.

    Attributes:
        at_s: when it begins, in seconds since 1970.
        sent: messages that were accepted in it.
        median_s: how long half of the answers took at most that came in it; None if none came.
        slow_s: how long 95 % of them took at most.
    """

    at_s: float
    sent: int
    median_s: float | None
    slow_s: float | None


class Size(NamedTuple):
    """The messages of a size.

    Attributes:
        encoding: how they travel.
        parts: SMS parts of each.
        messages: so many were planned.
        sent: of these, so many were accepted.
    """

    encoding: Encoding
    parts: int
    messages: int
    sent: int


class Crowded(NamedTuple):
    """A phone with more SMS than a cap lets through at once.

    Attributes:
        recipient: the phone.
        messages: its messages.
        parts: their SMS parts.
        sent: messages that were accepted.
        since_s: when the first attempt began, in seconds since 1970; None if none did.
        until_s: when the last outcome was known.
    """

    recipient: Recipient
    messages: int
    parts: int
    sent: int
    since_s: float | None
    until_s: float | None


class Crowding(NamedTuple):
    """What phones with more SMS than a cap lets through at once come to.

    Attributes:
        phones: how many there are.
        waiting: their SMS parts beyond what goes through at once.
        most: those of most parts.
        others_until_s: when the last outcome of any other phone was known; None if there was none.
    """

    phones: int
    waiting: int
    most: tuple[Crowded, ...]
    others_until_s: float | None


class Complained(NamedTuple):
    """A row of which a complaint is made; its recipient, as far as that could be read."""

    row: int
    recipient: Recipient | None


class NotSent(NamedTuple):
    """Rows of a status that were not sent for the same reason.

    Attributes:
        status: their status.
        says: the reason; empty where none is told.
        rows: how many rows.
        first: the first of them.
    """

    status: Status
    says: str
    rows: int
    first: tuple[int, ...]


class Figures(Protocol):
    """What a run comes to. Everything raises RunFileError if it cannot be read."""

    def stretches(self) -> list[Stretch]:
        """When it was sent, in order."""

    def slices(self, width_s: float) -> list[Slice]:
        """The slices of time of this width in which an outcome was known, in order."""

    def sizes(self) -> list[Size]:
        """The sizes of its messages, by encoding and parts."""

    def crowding(self, prefix: str, at_once: int, limit: int) -> Crowding:
        """What phones with more than ``at_once`` SMS parts come to, and ``limit`` of them.

        Of numbers only those count that begin with the prefix; contacts do, for theirs may.
        """

    def complained(self, status: Status, says: str, first: int, limit: int) -> list[Complained]:
        """Rows of this status of which this is said, from the row ``first`` on."""

    def pending(self, limit: int) -> list[int]:
        """The first ``limit`` rows that are pending."""

    def not_sent(self, limit: int, examples: int) -> list[NotSent]:
        """Why rows were tried or left out and not sent, of each status the ``limit`` commonest reasons.

        That costs what these rows are, however many were sent. Pending rows are not among them: they have no reason.

        Args:
            limit: so many reasons of each status, the commonest first.
            examples: so many rows of each, 3 at most.
        """
