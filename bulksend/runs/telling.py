"""What a run tells of its rows: in tuples where millions of them pass, and all that it knows where one is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bulksend.model import Message, MicroUSD, PhoneNumber, Recipient, RowInDoubt
from bulksend.sending import Keys

ResultRow = tuple[int, str, Recipient | None, str | None, str | None, int | None, int, float | None, str, str | bytes]
"""A row of a run: number, state, recipient, what the API said as a JSON object, error, HTTP status, attempts, when the
last one began (in seconds since 1970), the text of its message, and the row's own cells as a JSON array. A tuple, for
millions of them pass."""

UnsentRow = tuple[int, Recipient, PhoneNumber | None, str]
"""A message that was certainly not sent, and is to be: row, recipient, number of that contact if it is known, text."""

OpenRow = tuple[int, Recipient, PhoneNumber | None, int]
"""A row that may yet be sent, or again: row, recipient, number of that contact if it is known, whether in doubt."""

PlannedRow = tuple[int, str, Recipient | None, str | None, int, int | None, str, str, str | bytes]
"""What the plan says of a row: number, status, recipient, encoding, parts, price, text, error, own cells as a JSON
array."""


MendRow = tuple[int, str, str | bytes]
"""A row that is left to mend: number, why it was not sent, own cells as a JSON array."""

KnownRow = tuple[int, Recipient, PhoneNumber | None, str, str]
"""A message that another run had sent: row, recipient, number of that contact if it is known, text, messageId."""


class RowTold(NamedTuple):
    """A row, and what became of it.

    Attributes:
        row: its number.
        state: a `State`; `invalid` or `skipped` where the plan says so.
        recipient: whom it goes to; None where the row does not tell.
        number: of that contact, if it is known.
        sender: the sender id, or None.
        text: of its message; empty if it has none.
        encoding: how that travels; None if it has none.
        parts: SMS parts by the plan.
        price: micro-USD by the plan; None where no rate is known.
        attempts: POSTs begun.
        started_at: when the last of them began, in seconds since 1970; None if none did.
        doubt_since: when the first attempt began that may have been accepted; None if none may.
        decision: what was decided about the doubt, a `Decision`; None for nothing.
        http_status: of the last answer, or None.
        answer: what the API said, a JSON object with its names, or None.
        charged: micro-USD by the API's own words, or None.
        error: why it was not sent, or what else is to be said; empty for nothing.
    """

    row: int
    state: str
    recipient: Recipient | None
    number: PhoneNumber | None
    sender: str | None
    text: str
    encoding: str | None
    parts: int
    price: MicroUSD | None
    attempts: int
    started_at: float | None
    doubt_since: float | None
    decision: str | None
    http_status: int | None
    answer: str | None
    charged: MicroUSD | None
    error: str


class Span(NamedTuple):
    """When a run was sent.

    Attributes:
        began_at: when the first of its rows was tried last, in seconds since 1970.
        ended_at: when anything was last heard, or may have been sent, of any row.
    """

    began_at: float
    ended_at: float


class Complaint(NamedTuple):
    """Why rows of a status are not sent.

    Attributes:
        says: the sentence.
        rows: how many rows.
        first: the first of them.
    """

    says: str
    rows: int
    first: int


@dataclass(frozen=True, slots=True)
class Charge:
    """The sent messages to one dialing code.

    Attributes:
        code: the dialing code; "" for contacts whose number no answer told.
        rows: messages.
        parts: SMS parts, as the API counted them.
        estimated: micro-USD by the plan, of the messages that had a price there.
        charged: micro-USD by the API's own words.
        unpriced: messages that had no price in the plan.
        uncharged: messages whose answer told no charge.
    """

    code: str
    rows: int
    parts: int
    estimated: int
    charged: int
    unpriced: int
    uncharged: int

    def __add__(self, other: Charge) -> Charge:
        """Both together, under this code."""
        return Charge(
            self.code,
            self.rows + other.rows,
            self.parts + other.parts,
            self.estimated + other.estimated,
            self.charged + other.charged,
            self.unpriced + other.unpriced,
            self.uncharged + other.uncharged,
        )


class RecentSend(NamedTuple):
    """What counts against a phone's cap.

    Attributes:
        recipient: the phone, by number where that is known.
        parts: SMS parts of all its attempts that may have arrived.
        messages: these attempts.
        ended_at: when the last of them ended, in seconds since 1970.
    """

    recipient: Recipient
    parts: int
    messages: int
    ended_at: float


class Arrived(NamedTuple):
    """A message that was accepted, or may have been.

    Attributes:
        row: its row.
        recipient: whom it reached, by number where that is known.
        text: what it said.
        started_at: when its last attempt began, in seconds since 1970.
        in_doubt: whether it is not known to be accepted.
    """

    row: int
    recipient: Recipient
    text: str
    started_at: float
    in_doubt: int


def in_doubt(
    keys: Keys, message: Message, since_s: float, until_s: float, error: str, *, is_excluded: bool
) -> RowInDoubt:  # fmt: skip
    """A row in doubt, of what stores keep of it; see `RowInDoubt`."""
    row, who, text, key = message.row, message.recipient, message.text, keys.of(message)
    return RowInDoubt(row, who, text, key, since_s, until_s, error, is_excluded=is_excluded)
