"""Messages whose intents are committed, until a worker takes them: first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque

from bulksend.model import Attempt, Queued

Ready = tuple[Queued, Attempt]


class Outbox:
    """A queue that any number of workers wait for; its length is what waits in it for one of them.

    asyncio's own costs a message as much as all that is decided of it.
    """

    __slots__ = ("_idle", "_loop", "_ready")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None  # that of all who wait: to ask for it is a system call
        self._ready: deque[Ready] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()  # of workers that wait

    def __len__(self) -> int:
        return len(self._ready)

    def put(self, ready: Ready) -> None:
        """Add a message, and wake a worker for it if one waits."""
        self._ready.append(ready)
        while self._idle:
            worker = self._idle.popleft()
            if not worker.done():  # or it was cancelled meanwhile
                worker.set_result(None)
                return

    def take(self) -> Ready | None:
        """The next message; None if there is none."""
        return self._ready.popleft() if self._ready else None

    async def filled(self) -> None:
        """Wait until a message may be there; somebody else may still have taken it."""
        if not self._ready:
            self._loop = self._loop or asyncio.get_running_loop()
            worker = self._loop.create_future()
            self._idle.append(worker)
            await worker
