"""Planning and sending in processes of their own, so that the page answers meanwhile.

A send lives as long as the page's server does, whatever becomes of the tab. When the server ends, the send ends in
order, as after Ctrl-C, and its run goes on when somebody says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

from bulksend.processes import command, own_environment
from bulksend.web.jobs import Job, Send, written
from bulksend.web.told import Moved, Refused, Told, told_in
from bulksend.web.wording import say, spoken

_CHILD = "bulksend.web.child"
_LINE_MAX = 1 << 24  # bytes


async def do(job: Job) -> Told:
    """Have a job done; what comes of it."""
    last: Told = Refused(say("mishap.broken"))
    try:
        process = await _begun(job)
    except OSError:  # there is no room for another process
        return last
    try:
        async for told in _told(process):
            last = told
    finally:
        if process.returncode is None:
            _close(process)
        await process.wait()
    return last


class Sending:
    """A send that is under way, or was.

    Args:
        rows: messages that are to be sent.
        before: of its run, so many rows were sent before, and so many will not be.

    Attributes:
        now: what was last told of it.
        end: how it ended; None as long as it has not.
    """

    def __init__(self, rows: int, before: tuple[int, int]) -> None:
        self._before = before
        self.now = Moved("begins", rows).after(*before)
        self.end: Told | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether somebody has asked for its end."""
        return self._is_stopping

    def begin(self, job: Send) -> None:
        """Begin it."""
        self._task = asyncio.create_task(self._run(job))

    def stop(self) -> None:
        """Have it end in order."""
        self._is_stopping = True
        if self._process is not None:
            _close(self._process)

    async def ended(self) -> None:
        """Wait until it has ended."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def steps(self) -> AsyncIterator[Moved]:
        """Where it stands, whenever that changes, until it has ended."""
        seen: Moved | None = None
        while self.end is None:
            if self.now is not seen:
                seen = self.now
                yield seen
            async with self._changed:
                await self._changed.wait_for(partial(self._is_news, seen))

    def _is_news(self, seen: Moved | None) -> bool:
        return self.now is not seen or self.end is not None

    async def _run(self, job: Send) -> None:
        end: Told = Refused(say("mishap.broken"))
        try:
            self._process = await _begun(job)
            if self._is_stopping:
                _close(self._process)
            async for told in _told(self._process):
                if isinstance(told, Moved):
                    await self._tell(told)
                else:
                    end = told
            await self._process.wait()
        except OSError:  # there is no room for another process: it broke off
            pass
        finally:
            self.end = end
            async with self._changed:
                self._changed.notify_all()

    async def _tell(self, told: Moved) -> None:
        if told.says and not told.sent + told.not_sent:  # what it says alone: the figures stay
            self.now = self.now.saying(told.says, told.until_s, told.zone)
        else:
            self.now = told.after(*self._before)
        async with self._changed:
            self._changed.notify_all()


class Sends:
    """The sends of this server, by the keys of their drafts."""

    def __init__(self) -> None:
        self._all: dict[str, Sending] = {}

    def of(self, key: str) -> Sending | None:
        """The last send of a draft; None if there was none since the server began."""
        return self._all.get(key)

    def under_way(self, key: str) -> Sending | None:
        """The send of a draft that has not ended; None if there is none."""
        found = self._all.get(key)
        return found if found and found.end is None else None

    def begin(self, key: str, job: Send, sending: Sending) -> None:
        """Send a draft's run, unless that is under way."""
        if self.under_way(key) is None:
            self._all[key] = sending
            sending.begin(job)

    def forget(self, key: str) -> None:
        """Know no more of how the last send of a draft ended."""
        self._all.pop(key, None)

    async def end(self) -> None:
        """Have all of them end in order."""
        for sending in self._all.values():
            if sending.end is None:
                sending.stop()
        await asyncio.gather(*(sending.ended() for sending in self._all.values()))


async def _begun(job: Job) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *command(_CHILD),
        spoken(),
        env=own_environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_MAX,
        start_new_session=True,  # Ctrl-C at the terminal is for the server, which ends it in order
    )
    if process.stdin:
        process.stdin.write(written(job))
        with suppress(ConnectionError):
            await process.stdin.drain()
    return process


async def _told(process: asyncio.subprocess.Process) -> AsyncIterator[Told]:
    if process.stdout:
        async for line in process.stdout:
            yield told_in(line)


def _close(process: asyncio.subprocess.Process) -> None:
    if process.stdin:
        process.stdin.close()
