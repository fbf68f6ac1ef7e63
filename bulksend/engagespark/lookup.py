"""What became of rows that may have been accepted: they are looked for in the API's own list of messages.

A message that is found was accepted. One that is not found proves nothing: the list may lag behind. One that merely
looks like a row's is the row's only if nobody else can have caused it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from bulksend.engagespark.account import Listed, Looked, Page
from bulksend.engagespark.identity import has_same_text
from bulksend.engagespark.paging import read_back
from bulksend.model import API_FIELD, Answer, ContactId, Recipient, RowInDoubt

_SLACK_S = 120.0  # the list is read back so much further, for the server's clock may differ from ours
# Without a clientRef, what was listed while the row's attempts were under way is taken for the row's. What another run
# sent just before or after is not to pass for it, so that a server whose clock differs leaves it in doubt.
_BEFORE_S = 1.0
_AFTER_S = 5.0


class Lister(Protocol):
    """What a look-up needs of the API."""

    async def messages(self, after: str | None) -> Page | Looked:
        """A page of the account's messages, the one behind the cursor ``after``; or why there is none to read."""


class LookUp(NamedTuple):
    """What became of rows in doubt, as far as it could be seen.

    Attributes:
        found: by row, what the list says of those that are in it.
        looked: how the looking went; only of what was looked through can it be said that the rest is not there.
        contested: rows that a listed message looks like that somebody else may have caused: they stay in doubt.
    """

    found: Mapping[int, Answer]
    looked: Looked
    contested: frozenset[int] = frozenset()


class Matched(NamedTuple):
    """Which listed message is which row, and which rows one only looks like."""

    found: dict[int, Answer]
    contested: frozenset[int]


def read_back_to(rows: Sequence[RowInDoubt]) -> float:
    """How far back rows are looked for, in seconds since 1970; by then what is known of others must begin."""
    return min((row.since for row in rows), default=float("inf")) - _SLACK_S


async def look_up(
    api: Lister,
    rows: Sequence[RowInDoubt],
    taken: Collection[str],
    patience_s: float,
    rivals: Collection[tuple[Recipient, str]] = (),
) -> LookUp:
    """Look for rows in the API's list.

    Args:
        api: the API.
        rows: those that may have been accepted; without any, nothing is asked.
        taken: messageIds that are known to be of other rows, of the time since `read_back_to`.
        patience_s: how long to look at most.
        rivals: recipients and texts of rows that are not among these and may have caused a message of unknown id.
    """
    if not rows:
        return LookUp({}, Looked.THROUGH)
    pages: list[Page] = []
    try:
        async with asyncio.timeout(patience_s):
            looked = await read_back(api.messages, read_back_to(rows), pages)
    except TimeoutError:
        looked = Looked.NOT_REACHED
    if pages and (looked is not Looked.THROUGH or not all(page.is_whole for page in pages)):
        looked = Looked.IN_PART
    listed = {each.message_id: each for page in pages for each in page.messages}  # pages may overlap
    matched = match(rows, list(listed.values()), taken, rivals)
    return LookUp(matched.found, looked, matched.contested)


def match(
    rows: Sequence[RowInDoubt],
    listed: Sequence[Listed],
    taken: Collection[str] = (),
    rivals: Collection[tuple[Recipient, str]] = (),
) -> Matched:
    """Which listed message is which row.

    By its clientRef, if number, text and time agree. A server that hands none back leaves these alone, which count only
    where nobody else can have caused the message: one row, one message, no rival; and no other message in the list
    has a clientRef, for then ours would.
    """
    hands_back = any(message.client_ref for message in listed)
    by_ref: dict[str, list[Listed]] = {}
    for message in listed:
        if message.message_id not in taken:
            by_ref.setdefault(message.client_ref, []).append(message)
    anonymous = by_ref.pop("", [])
    found: dict[int, Answer] = {}
    for row in rows:
        named = [message for message in by_ref.get(row.key, ()) if _agrees(row, message)]
        if named:
            found[row.row] = named[-1].answer()
    alike = _alike([row for row in rows if row.row not in found], anonymous)
    suitors = Counter(message.message_id for _, messages in alike for message in messages)
    texts_of: dict[Recipient, list[str]] = {}
    for who, text in rivals:
        texts_of.setdefault(who, []).append(text)
    contested = set()
    for row, messages in alike:
        message = messages[0]
        is_alone = len(messages) == 1 and suitors[message.message_id] == 1 and not _has_rival(message, texts_of)
        if is_alone and not hands_back:
            found[row.row] = message.answer()
        else:
            contested.add(row.row)
    return Matched(found, frozenset(contested))


def _alike(rows: Sequence[RowInDoubt], anonymous: Sequence[Listed]) -> list[tuple[RowInDoubt, list[Listed]]]:
    """The rows that anonymous messages look like, each with these."""
    by_recipient: dict[Recipient, list[Listed]] = {}
    for message in anonymous:
        by_recipient.setdefault(message.number, []).append(message)
        if message.contact_id:
            by_recipient.setdefault(ContactId(message.contact_id), []).append(message)
    fitting = [(row, [each for each in by_recipient.get(row.recipient, ()) if _fits(row, each)]) for row in rows]
    return [(row, messages) for row, messages in fitting if messages]


def _agrees(row: RowInDoubt, message: Listed) -> bool:
    """Whether a message with a row's clientRef is the row's: another sheet's row may have had the same."""
    if isinstance(row.recipient, int):
        is_to = message.contact_id in (None, 0, row.recipient)
    else:
        is_to = message.number == row.recipient
    is_text = API_FIELD in row.text or has_same_text(message.text, row.text)  # the API's own fields are shown filled in
    return is_to and is_text and row.since - _SLACK_S <= message.created <= row.until + _SLACK_S


def _fits(row: RowInDoubt, message: Listed) -> bool:
    if API_FIELD in row.text:
        return False  # filled in: texts cannot be compared
    is_in_time = row.since - _BEFORE_S <= message.created <= row.until + _AFTER_S
    return is_in_time and has_same_text(message.text, row.text)


def _has_rival(message: Listed, texts_of: Mapping[Recipient, Sequence[str]]) -> bool:
    """Whether a row of our own that is not looked for may have caused a message."""
    whose = (message.number, ContactId(message.contact_id or 0))
    texts = [text for who in whose for text in texts_of.get(who, ())]
    return any(API_FIELD in text or has_same_text(message.text, text) for text in texts)
