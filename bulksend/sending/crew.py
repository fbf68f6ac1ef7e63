"""The workers of one run: hired when there is work, and never more than may be under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Crew:
    """Works message by message, with as many tasks as that needs.

    Args:
        group: owns the tasks.
        step: waits for a message and works on it.
        most: how many may be under way now.
    """

    __slots__ = ("_group", "_most", "_step", "_tasks")

    def __init__(
        self, group: asyncio.TaskGroup, step: Callable[[], Coroutine[Any, Any, None]], most: Callable[[], int]
    ) -> None:
        self._group = group
        self._step = step
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    def hire(self, wanted: int) -> None:
        """Have so many at work, as far as they may be."""
        for _ in range(len(self._tasks), min(wanted, self._most())):
            self._tasks.add(self._group.create_task(self._work()))

    def dismiss(self) -> None:
        """End all, whatever they are at."""
        for task in self._tasks:
            task.cancel()

    async def _work(self) -> None:
        while len(self._tasks) <= max(1, self._most()):
            await self._step()
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)
