"""Signals: the first one ends a run in order, the second does not wait for answers, and a third ends the process.

A Ctrl-C that was meant for the sending, and comes when that is over, must not cost the results.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from bulksend.cli import codes, interrupts
from bulksend.sending import Stop, Stopping, StopReason

_STOPS = {
    signal.SIGINT: Stop(StopReason.INTERRUPTED, "interrupted"),
    signal.SIGTERM: Stop(StopReason.TERMINATED, "terminated"),
    signal.SIGHUP: Stop(StopReason.HUNG_UP, "its terminal was closed"),
}

_AT_ONCE = 2  # signals, behind which nothing is waited for: not for the event loop either


@contextmanager
def stop_on_signals(stopping: Stopping, on_leave: Callable[[], None]) -> Iterator[None]:
    """Ask for a run's end on the first signal, and not to wait for what is under way on the second.

    Args:
        stopping: whom to ask.
        on_leave: called before a third signal ends the process at once.
    """
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _STOPS}
    heard = [number for number in _STOPS if before[number] is not signal.SIG_IGN]  # as nohup has it
    said, is_hurried = 0, False

    def on_signal(number: signal.Signals) -> None:
        nonlocal is_hurried
        if stopping.is_interrupted:
            is_hurried = True
            stopping.hurry()
        stopping.ask(_STOPS[number])

    def at_signal(given: int, _frame: FrameType | None) -> None:
        nonlocal said
        number, said = signal.Signals(given), said + 1
        if is_hurried or said > _AT_ONCE:
            on_leave()
            os._exit(codes.of_stop(_STOPS[number]))  # the write-ahead intents make it safe
        interrupts.hear(number)  # here, for the loop itself may wait for a database
        loop.call_soon_threadsafe(on_signal, number)

    for number in heard:
        signal.signal(number, at_signal)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


@contextmanager
def as_loops_know_it() -> Iterator[None]:
    """Let an event loop hear Ctrl-C in its own way, which heeds Python's own handler alone."""
    before = signal.getsignal(signal.SIGINT)
    if before is not interrupts.interrupted:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def ends_in_peace(tell: Callable[[], None]) -> Iterator[None]:
    """Let what follows a send come to its end: of the first Ctrl-C it is told, the next one is as ever.

    Args:
        tell: called at the first one.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:  # as nohup has it
        yield
        return

    def once(number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        interrupts.hear(number)
        tell()

    signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
