"""Where a worker works, and its being there: whatever becomes of its work, it leaves in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from bulksend import runs  # of which a worker is loaded only by whoever becomes one: it needs the extra `postgres`
from bulksend.campaign.company import NotGivenBack
from bulksend.engagespark import Target
from bulksend.errors import BulksendError
from bulksend.runs import Address

if TYPE_CHECKING:
    from bulksend.runs import Worker


class Post(NamedTuple):
    """Where a worker works, by its own settings and nobody else's.

    Attributes:
        database: the address of the account's.
        target: where messages go.
        length_s: how long its shards are its own unless it says so again.
        until_done: whether it ends when no run is left to be sent.
    """

    database: str
    target: Target
    length_s: float
    until_done: bool = False

    @property
    def address(self) -> Address:
        """The account."""
        return Address(self.target.org_id, self.target.base_url)


@asynccontextmanager
async def manned(post: Post, tell: Callable[[NotGivenBack], None]) -> AsyncIterator[Worker]:
    """Be a worker, for as long as the block lasts; how that ends stays as it is, though what it had is not given back.

    Raises:
        UsageError: the database cannot be used.
        RunFileError: it cannot be reached.
    """
    worker = await asyncio.to_thread(runs.Worker, post.database, post.address, post.length_s)
    try:
        yield worker
    finally:
        try:
            await asyncio.to_thread(worker.close)
        except BulksendError as error:
            tell(NotGivenBack(str(error), post.length_s))
