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

from bulksend.cli import codes
from bulksend.sending import Stop, Stopping, StopReason

_STOPS = {
    signal.SIGINT: Stop(StopReason.INTERRUPTED, "interrupted"),
    signal.SIGTERM: Stop(StopReason.TERMINATED, "terminated"),
    signal.SIGHUP: Stop(StopReason.HUNG_UP, "its terminal was closed"),
}


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

    def at_once(number: int, _frame: FrameType | None) -> None:
        on_leave()
        os._exit(codes.of_stop(_STOPS[signal.Signals(number)]))  # the write-ahead intents make it safe

    def on_signal(number: signal.Signals) -> None:
        if stopping.is_interrupted:
            for known in heard:
                loop.remove_signal_handler(known)
                signal.signal(known, at_once)
            stopping.hurry()
        stopping.ask(_STOPS[number])

    for number in heard:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])


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

    def once(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        tell()

    signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
