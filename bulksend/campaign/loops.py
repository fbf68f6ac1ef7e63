"""The event loop in which a campaign is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the fastest event loop there is; None for asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 -- not on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
