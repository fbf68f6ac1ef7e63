"""The cycle collector comes less often while messages pass: it is the process's, and several sends may share that."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_COLLECTED_AFTER = 20_000  # objects
_lock = threading.Lock()
_before: list[tuple[int, int, int]] = []  # how often it came, once for each send that is under way


@contextmanager
def rare_collector() -> Iterator[None]:
    """Let the cycle collector pass over what stays, and come less often: the messages that pass form few cycles.

    The last of several sends puts it back as it was before the first.
    """
    with _lock:
        if not _before:
            gc.freeze()
        _before.append(_before[0] if _before else gc.get_threshold())
        gc.set_threshold(_COLLECTED_AFTER, *_before[0][1:])
    try:
        yield
    finally:
        with _lock:
            before = _before.pop()
            if not _before:
                gc.set_threshold(*before)
                gc.unfreeze()
