"""The message list of the API: what a message looks like afterwards, and the pages it is read in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf
from typing import TypeVar

from bulksend.engagespark.sandbox.answers import Message, dollars, rfc3339

MAX_LIMIT = 100
"""The longest page; who asks for more gets this."""

T = TypeVar("T")

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_DIRECTIONS = ("in", "out")
_DATE_LENGTH = len("2019-07-24")


@dataclass(frozen=True, slots=True)
class Query:
    """Which messages a page shows; each None asks for nothing.

    Attributes:
        limit: how many at most.
        after: only older messages than this counter.
        direction: "in" or "out".
        failed: only messages that did not reach the phone, or only those that did.
        search: a piece of the recipient, text or client's note, in any case.
        start: created at this Unix time or later.
        end: created before this Unix time.
    """

    limit: int = MAX_LIMIT
    after: int | None = None
    direction: str | None = None
    failed: bool | None = None
    search: str = ""
    start: float = -inf
    end: float = inf

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Query:
        """Read a URL's query; raises ``ValueError`` with what is wrong with it."""
        given = {name: value for name, value in parameters.items() if value}
        return cls(
            limit=min(_natural(given, "limit") or MAX_LIMIT, MAX_LIMIT),
            after=_natural(given, "after"),
            direction=_choice(given, "dir", {name: name for name in _DIRECTIONS}),
            failed=_choice(given, "failed", _FLAGS),
            search=given.get("search", "").casefold(),
            start=_time(given, "startDate", -inf),
            end=_time(given, "endDate", inf, whole_day=True),
        )

    def wants(self, message: Message, now: float = inf) -> bool:
        """Tell whether a message passes all filters at a Unix time."""
        return (
            self.direction in (None, _direction(message))
            and self.failed in (None, bool(_delivery_error(message, now)))
            and self.start <= message.created < self.end
            and (not self.search or self.search in _searchable(message))
        )


def page(messages: Sequence[Message], query: Query, now: float = inf) -> dict[str, object]:
    """Show the newest messages that a query wants, with what is known of them at a Unix time."""
    found = _newest_first(messages, query, now)
    shown = list(islice(found, query.limit))
    more = next(found, None) is not None
    return {
        "messages": [view(message, now) for message in shown],
        "hasNextPage": more,
        "nextPage": str(shown[-1].counter) if more else "",
    }


def view(message: Message, now: float = inf) -> dict[str, object]:
    """Show one message with what is known of it at a Unix time; until its receipt is in, that is nothing."""
    created = rfc3339(message.created)
    is_told = message.receipt_at <= now
    error = _delivery_error(message, now)
    is_delivered = is_told and not error
    return {
        "id": message.message_id,
        "direction": _direction(message),
        "created": created,
        "sender": message.number if message.is_incoming else message.sender,
        "recipient": "" if message.is_incoming else message.number,
        "contactId": message.contact_id,
        "pricePerPart": message.price_micro // message.parts,
        "done": is_told,
        "successPartCount": message.parts if is_delivered else 0,
        "successT": rfc3339(max(message.receipt_at, message.created)) if is_delivered else "",
        "message": message.text,
        "error": "",
        "deliveredToTelco": True,
        "deliveredToPhone": ("failed" if error else "confirmed") if is_told else "unknown",
        "deliveryError": error,
        "client_ref": message.client_ref or "",
        "chargedMicro": message.price_micro,
        "chargedHuman": f"${dollars(message.price_micro)}",
    }


def _direction(message: Message) -> str:
    return "in" if message.is_incoming else "out"


def _delivery_error(message: Message, now: float) -> str:
    """Why a message is known at a Unix time not to have reached its phone; empty if it is not."""
    if message.receipt_at > now:
        return ""
    return "lost: over the telco's cap for this number" if message.lost else message.undelivered


def _newest_first(messages: Sequence[Message], query: Query, now: float) -> Iterator[Message]:
    """Walk back in time; messages that come meanwhile are newer and move no page."""
    newest = len(messages) if query.after is None else min(query.after - 1, len(messages))
    for index in range(newest - 1, -1, -1):
        message = messages[index]
        if message.created < query.start:
            return
        if query.wants(message, now):
            yield message


def _searchable(message: Message) -> str:
    return "\n".join((message.number, message.text, message.client_ref or "")).casefold()


def _natural(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text)):
        raise ValueError(f"invalid '{name}': a positive integer is wanted")
    return int(text)


def _choice(given: Mapping[str, str], name: str, values: Mapping[str, T]) -> T | None:
    text = given.get(name)
    if text is None:
        return None
    if text not in values:
        raise ValueError(f"invalid '{name}': one of {', '.join(values)} is wanted")
    return values[text]


def _time(given: Mapping[str, str], name: str, default: float, *, whole_day: bool = False) -> float:
    """Read a date or a time, in UTC unless it says otherwise; the end of a date is the end of its day."""
    text = given.get(name)
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"invalid '{name}': a date or time as 2019-07-24T15:39:41Z is wanted") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if whole_day and len(text) == _DATE_LENGTH:
        moment += timedelta(days=1)
    return moment.timestamp()
