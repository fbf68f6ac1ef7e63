"""Questions to a database that is away for a moment, as while its server begins anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from bulksend.errors import RunFileError
from bulksend.sending import Stopping

T = TypeVar("T")

_LENGTHS = 2  # so many leases' lengths a question is asked again, as outcomes are
_PAUSE_S = 0.05  # between two tries, first
_PAUSE_MAX_S = 1.0


async def patiently(stopping: Stopping, length_s: float, question: Callable[..., T], *about: object) -> T:
    """Ask a database, in a thread, something that may be asked twice: again for a while where it cannot be reached.

    Args:
        stopping: whoever interrupts it ends the waiting, too.
        length_s: a lease's length.
        question: what is asked.
        about: what it is called with.

    Raises:
        RunFileError: it could not be reached for too long, or until the interruption.
    """
    until_s, pause_s = time.monotonic() + _LENGTHS * length_s, _PAUSE_S
    while True:
        try:
            return await asyncio.to_thread(question, *about)
        except RunFileError:
            if stopping.is_interrupted or time.monotonic() > until_s:
                raise
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await stopping.wait_for_interruption()
        pause_s = min(2 * pause_s, _PAUSE_MAX_S)
