"""Something that goes on for as long as something else is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def alongside(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Let a coroutine work until the block has ended, and then cancel it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
