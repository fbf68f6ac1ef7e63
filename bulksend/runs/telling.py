"""All that a run knows of one row, as whoever asks after a single person wants to hear it."""

from __future__ import annotations

from typing import NamedTuple

from bulksend.model import MicroUSD, PhoneNumber, Recipient


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
