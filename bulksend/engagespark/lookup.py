"""What became of rows that may have been accepted: they are looked for in the API's own list of messages.

A message that is found was accepted. One that is not found proves nothing: the list may lag behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from bulksend.model import Answer, Doubtful, Listed, Page, Recipient

_SLACK_S = 120.0  # the list is read back so much further, for the server's clock may differ from ours
_NEAR_S = 15.0  # without a clientRef, a message this close in time is taken for the row's
_PAGES_MAX = 200


class Lister(Protocol):
    """What a look-up needs of the API."""

    async def messages(self, after: str | None) -> Page | None:
        """A page of the account's messages; None if the server has no such list, or does not answer."""


async def look_up(
    api: Lister, rows: Sequence[Doubtful], taken: Collection[str], patience_s: float
) -> dict[int, Answer]:
    """Look for rows in the API's list.

    Args:
        api: the API.
        rows: those that may have been accepted.
        taken: messageIds that are known to be of other rows.
        patience_s: how long to look at most.

    Returns:
        What the list says of the rows found.
    """
    listed: list[Listed] = []
    if rows:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await _read(api, min(row.since for row in rows) - _SLACK_S, listed)
    return match(rows, [message for message in listed if message.message_id not in taken])


def match(rows: Sequence[Doubtful], listed: Sequence[Listed]) -> dict[int, Answer]:
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


async def _read(api: Lister, since: float, listed: list[Listed]) -> None:
    """Read the list back to a time, as far as it can be read."""
    after: str | None = None
    for _ in range(_PAGES_MAX):
        page = await api.messages(after)
        if page is None:
            return
        listed.extend(page.messages)
        if page.after is None or (page.messages and page.messages[-1].created < since):
            return
        after = page.after


def _alike(rows: Iterable[Doubtful]) -> Iterable[Sequence[Doubtful]]:
    groups: dict[tuple[Recipient, str], list[Doubtful]] = {}
    for row in rows:
        groups.setdefault((row.recipient, row.text), []).append(row)
    return groups.values()


def _fits(row: Doubtful, message: Listed) -> bool:
    if "{{" in row.text:
        return False  # the list shows the API's own fields filled in: texts cannot be compared
    to = message.contact_id if isinstance(row.recipient, int) else message.number
    in_time = row.since - _NEAR_S <= message.created <= row.until + _NEAR_S
    return to == row.recipient and message.text == row.text and in_time
