"""What became of rows that may have been accepted: they are looked for in the API's own list of messages.

A message that is found was accepted. One that is not found proves nothing: the list may lag behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bulksend.engagespark.account import Listed, Looked, Page
from bulksend.model import Answer, Recipient, RowInDoubt

_SLACK_S = 120.0  # the list is read back so much further, for the server's clock may differ from ours
_NEAR_S = 15.0  # without a clientRef, a message this close in time is taken for the row's
_PAGES_MAX = 200


class Lister(Protocol):
    """What a look-up needs of the API."""

    async def messages(self, after: str | None) -> Page | Looked:
        """A page of the account's messages, the one behind the cursor ``after``; or why there is none to read."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """What became of rows in doubt, as far as it could be seen.

    Attributes:
        found: by row, what the list says of those that are in it.
        looked: how the looking went; only of what was looked through can it be said that the rest is not there.
    """

    found: Mapping[int, Answer]
    looked: Looked


async def look_up(api: Lister, rows: Sequence[RowInDoubt], taken: Collection[str], patience_s: float) -> LookUp:
    """Look for rows in the API's list.

    Args:
        api: the API.
        rows: those that may have been accepted; without any, nothing is asked.
        taken: messageIds that are known to be of other rows.
        patience_s: how long to look at most.
    """
    if not rows:
        return LookUp({}, Looked.THROUGH)
    pages: list[Page] = []
    try:
        async with asyncio.timeout(patience_s):
            looked = await _read(api, min(row.since for row in rows) - _SLACK_S, pages)
    except TimeoutError:
        looked = Looked.NOT_REACHED
    if pages and looked is not Looked.THROUGH:
        looked = Looked.IN_PART
    listed = [message for page in pages for message in page.messages if message.message_id not in taken]
    return LookUp(match(rows, listed), looked)


def match(rows: Sequence[RowInDoubt], listed: Sequence[Listed]) -> dict[int, Answer]:
    """Which listed message is which row.

    By its clientRef; a server that does not hand it back leaves number, text and time, which count only where they
    leave no choice: one row, one message.
    """
    by_ref = {message.client_ref: message for message in listed if message.client_ref}
    found = {row.row: by_ref[row.key].answer() for row in rows if row.key in by_ref}
    anonymous = [message for message in listed if not message.client_ref]
    for alike in _alike(row for row in rows if row.row not in found):
        row = alike[0]
        candidates = [message for message in anonymous if _fits(row, message)]
        if len(alike) == 1 and len(candidates) == 1:
            found[row.row] = candidates[0].answer()
    return found


async def _read(api: Lister, since: float, pages: list[Page]) -> Looked:
    """Read the list back to a time, as far as it can be read."""
    after: str | None = None
    while len(pages) < _PAGES_MAX:
        page = await api.messages(after)
        if isinstance(page, Looked):
            return page
        pages.append(page)
        if page.after is None or (page.messages and page.messages[-1].created < since):
            return Looked.THROUGH
        after = page.after
    return Looked.IN_PART


def _alike(rows: Iterable[RowInDoubt]) -> Iterable[Sequence[RowInDoubt]]:
    groups: dict[tuple[Recipient, str], list[RowInDoubt]] = {}
    for row in rows:
        groups.setdefault((row.recipient, row.text), []).append(row)
    return groups.values()


def _fits(row: RowInDoubt, message: Listed) -> bool:
    if "{{" in row.text:
        return False  # the list shows the API's own fields filled in: texts cannot be compared
    to = message.contact_id if isinstance(row.recipient, int) else message.number
    in_time = row.since - _NEAR_S <= message.created <= row.until + _NEAR_S
    return to == row.recipient and message.text == row.text and in_time
