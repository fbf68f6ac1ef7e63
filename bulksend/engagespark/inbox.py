"""What people sent: the incoming messages in the API's own list.

The document does not speak of incoming messages; the newer page has them in the list of messages, told apart by their
direction. Taken for incoming is only what says that it is, and its phone is the sender's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bulksend.engagespark.account import Listed, Looked, Page
from bulksend.engagespark.paging import read_back


class Receiver(Protocol):
    """What reading the inbox needs of the API."""

    async def received(self, after: str | None) -> Page | Looked:
        """A page of the incoming messages, the one behind the cursor ``after``; or why there is none to read."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """Incoming messages, as far as they could be seen.

    Attributes:
        messages: each once, oldest first; ``number`` is the sender's, and empty where that is no phone.
        looked: how the looking went; only of what was looked through can it be said that there are no others.
    """

    messages: Sequence[Listed]
    looked: Looked


async def read_inbox(api: Receiver, since_s: float, patience_s: float) -> Inbox:
    """Read what came at ``since_s`` (since 1970) or later.

    Args:
        api: the API.
        since_s: what is older is not asked for.
        patience_s: how long to look at most.
    """
    pages: list[Page] = []
    try:
        async with asyncio.timeout(patience_s):
            looked = await read_back(api.received, since_s, pages)
    except TimeoutError:
        looked = Looked.NOT_REACHED
    if pages and (looked is not Looked.THROUGH or not all(page.is_whole for page in pages)):
        looked = Looked.IN_PART
    found = {each.message_id: each for page in pages for each in page.messages if each.created >= since_s}
    messages = [*found.values()]
    messages.reverse()  # what came at the same moment stands in the list with the newest first, too
    return Inbox(sorted(messages, key=lambda each: each.created), looked)
