"""The workers of one run: hired when there is work, and never more than may be under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Crew:
    """Works message by message, with as many tasks as that needs.

    Args:
        group: owns the tasks.
        work: waits for messages and works on them, as long as what it is given says that this worker is needed.
        most: how many may be under way now.
    """

    __slots__ = ("_group", "_most", "_tasks", "_work")

    def __init__(
        self,
        group: asyncio.TaskGroup,
        work: Callable[[Callable[[], bool]], Coroutine[Any, Any, None]],
        most: Callable[[], int],
    ) -> None:
        self._group = group
        self._work = work
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    def hire(self, wanted: int) -> None:
        """Have so many at work, as far as they may be."""
        for _ in range(len(self._tasks), min(wanted, self._most())):
            self._tasks.add(self._group.create_task(self._work(self._is_needed)))

    def dismiss(self) -> None:
        """End all, whatever they are at."""
        for task in self._tasks:
            task.cancel()

    def _is_needed(self) -> bool:
        """Asked by a worker of itself; it leaves if not, at once, so that the next that asks may stay."""
        if len(self._tasks) <= max(1, self._most()):
            return True
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)
        return False
