"""Work in a thread of its own, whose event loop is its own as well, so that a caller's loop never waits for a disk.

Who cancels the task that waits for it has it end in order, as Ctrl-C has a command: it is waited for until it has.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from bulksend.campaign import loop_factory
from bulksend.sending import Stop, Stopping, StopReason

T = TypeVar("T")
E = TypeVar("E")

_CANCELLED = Stop(StopReason.INTERRUPTED, "the task that sent it was cancelled")


async def work_on(job: Callable[[Work[E]], T], on_event: Callable[[E], None] | None = None) -> T:
    """Have something done in a thread; what it comes to.

    Args:
        job: does it.
        on_event: hears how it goes, in the loop of the caller, and must come back at once. What it raises ends the work
            in order, and is raised then.
    """
    if inspect.iscoroutinefunction(on_event):
        raise TypeError("on_event is called and not awaited: give it a plain function, such as a queue's put_nowait")
    work = Work(asyncio.get_running_loop(), on_event)
    done = work.begin(job)
    is_cancelled = False
    while not done.done():
        try:
            await asyncio.wait([done])
        except asyncio.CancelledError:
            is_cancelled = True
            work.stop()
        except BaseException:  # nobody waits any more: the loop is closed
            work.stop()
            raise
    result = done.result()
    if is_cancelled:
        raise asyncio.CancelledError
    if work.fault is not None:
        raise work.fault
    return result()


class Work(Generic[E]):
    """What a job in its thread may use of the caller's loop, and of its own.

    Attributes:
        fault: what the caller's listener raised; None if it did not.
    """

    def __init__(self, home: asyncio.AbstractEventLoop, on_event: Callable[[E], None] | None) -> None:
        self.fault: BaseException | None = None
        self._home = home
        self._on_event = on_event
        self._lock = threading.Lock()
        self._stops = 0
        self._end: Callable[[], object] | None = None  # asks whatever is under way to end; from any thread

    def begin(self, job: Callable[[Work[E]], T]) -> asyncio.Future[Callable[[], T]]:
        """Begin, in the caller's context; what comes of it is to be called, and raises what the job raised."""
        done: asyncio.Future[Callable[[], T]] = self._home.create_future()

        def run() -> None:
            try:
                result = job(self)
            except BaseException as error:  # noqa: BLE001 -- whoever waits for it hears of it
                came = _raises(error)
            else:
                came = _returns(result)
            with suppress(RuntimeError):  # the caller's loop is closed
                self._home.call_soon_threadsafe(done.set_result, came)

        threading.Thread(target=copy_context().run, args=(run,), name="bulksend").start()
        return done

    def stop(self) -> None:
        """Have it end in order; a second time, without waiting for answers that are under way."""
        with self._lock:
            self._stops += 1
            end = self._end
        if end is not None:
            with suppress(RuntimeError):  # it has ended meanwhile
                end()

    # ---- from here on: in the thread ----

    def check(self) -> None:
        """Go no further, if nobody waits for it any more."""
        if self._stops:
            raise asyncio.CancelledError

    def tell(self, event: E) -> None:
        """Let the caller hear of something."""
        if self._on_event is not None:
            try:
                self._home.call_soon_threadsafe(self._hear, event)
            except RuntimeError:  # its loop is closed
                self.stop()

    def tell_unless_stopped(self, event: E) -> None:
        """The same, where that is the time to go no further."""
        self.check()
        self.tell(event)

    def send(self, make: Callable[[Stopping], Coroutine[Any, Any, T]]) -> T:
        """Run what ends in order by itself when it is asked to."""

        async def run() -> T:
            loop, stopping = asyncio.get_running_loop(), Stopping()

            def ask() -> None:
                if stopping.is_interrupted:
                    stopping.hurry()
                stopping.ask(_CANCELLED)

            with self._ending_by(lambda: loop.call_soon_threadsafe(ask)):
                return await make(stopping)

        return self._run(run())

    def ask(self, asking: Coroutine[Any, Any, T]) -> T:
        """Run what can be broken off anywhere."""

        async def run() -> T:
            loop, task = asyncio.get_running_loop(), asyncio.ensure_future(asking)
            with self._ending_by(lambda: loop.call_soon_threadsafe(task.cancel)):
                return await task

        return self._run(run())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(work)

    @contextmanager
    def _ending_by(self, end: Callable[[], object]) -> Iterator[None]:
        """As long as it is entered, whatever is under way can be asked to end."""
        with self._lock:
            self._end = end
            stops = self._stops
        for _ in range(stops):
            end()
        try:
            yield
        finally:
            with self._lock:
                self._end = None

    def _hear(self, event: E) -> None:
        if self._on_event is None or self.fault is not None:
            return
        try:
            self._on_event(event)
        except Exception as error:  # noqa: BLE001 -- it is raised when the work has ended in order
            self.fault = error
            self.stop()


def _returns(result: T) -> Callable[[], T]:
    return lambda: result


def _raises(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail
