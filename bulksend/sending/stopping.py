"""Whether a run is to end early, and why: whoever wants that asks here, and everybody looks here."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from bulksend.errors import OwnedError, RunFileError
from bulksend.sending.stop import Stop, StopReason

T = TypeVar("T")


class Stopping:
    """Whether a run takes no more messages: whoever wants its end asks for it, whoever works on it looks here.

    It belongs to one event loop, and may be made before that runs.

    Attributes:
        why: the reason; None as long as the run goes on.
        is_hurried: whether what is under way is not waited for any more.
        asks_at: when the end is asked for by itself, in seconds since 1970; ``math.inf`` if never.
    """

    __slots__ = ("_asked", "_interrupted", "_later", "_listeners", "asks_at", "is_hurried", "why")

    def __init__(self) -> None:
        self.why: Stop | None = None
        self.is_hurried = False
        self._asked, self._interrupted = asyncio.Event(), asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self._later: Stop | None = None
        self.asks_at = math.inf

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody waits for the end: what is under way gets only some time more."""
        return self.why is not None and self.why.reason.is_interruption

    def ask(self, stop: Stop) -> None:
        """Take no more messages; those under way end. The first reason counts, but an interruption is always heard."""
        if self.why is None or (stop.reason.is_interruption and not self.why.reason.is_interruption):
            self.why = stop
        self._asked.set()
        if self.is_interrupted:
            self._interrupted.set()
        for listener in self._listeners:
            listener()

    def ask_at(self, wall_s: float, stop: Stop) -> None:
        """Ask for the end when somebody looks at that time or later, in seconds since 1970."""
        self.asks_at, self._later = wall_s, stop

    def look(self, wall_s: float) -> Stop | None:
        """Why no message may leave at this time; None if it may."""
        if wall_s >= self.asks_at and self.why is None and self._later is not None:
            self.ask(self._later)
        return self.why

    def hurry(self) -> None:
        """Wait for nothing that is under way: it is in doubt."""
        self.is_hurried = True
        for listener in self._listeners:
            listener()

    def tell(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever an end is asked for, or is to come at once."""
        self._listeners.append(listener)

    async def wait(self) -> None:
        """Wait until an end is asked for."""
        await self._asked.wait()

    async def unless(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What some work comes to; None if an end is asked for meanwhile."""
        working, asked = asyncio.ensure_future(work), asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait((working, asked), return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() and self.why is None else None
        finally:
            working.cancel()
            asked.cancel()

    async def wait_for_interruption(self) -> None:
        """Wait until somebody wants the end at once."""
        await self._interrupted.wait()

    @contextmanager
    def if_the_store_fails(self) -> Iterator[None]:
        """What cannot be noted must not be sent: ask for the end if the journal fails in here."""
        try:
            yield
        except OwnedError as error:
            self.ask(Stop(StopReason.TAKEN_OVER, str(error)))
        except RunFileError as error:
            self.ask(Stop(StopReason.STORE_FAILED, str(error)))
