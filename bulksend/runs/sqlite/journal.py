"""What happens to a plan, noted durably: the engine's side of the run file.

One thread owns the only connection that writes. Whatever waits for it is committed as one group with
``synchronous=FULL``: under load one commit serves many messages, and alone it serves one at once.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from bulksend.errors import RunFileError
from bulksend.model import Answer, Attempt, Outcome, Queued, Recipient
from bulksend.runs.sqlite.store import RunStore

T = TypeVar("T")


class Journal(Protocol):
    """All that the engine asks of a run file; another store can stand behind it.

    Calls take effect in the order in which they are made, whether or not they are awaited yet.
    """

    def claim(self, after: int, limit: int) -> Awaitable[list[Queued]]:
        """The next rows to send behind row ``after``, in input order, without the crowded ones."""

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> Awaitable[list[Queued]]:
        """The rows of recipients for which ``is_crowded(recipient, slots of all its rows)`` holds."""

    def unresolved(self, since: float) -> Awaitable[list[Queued]]:
        """Rows that may or may not have been accepted, by an attempt that began at ``since`` or later."""

    def recent_sends(self, since: float, now: float) -> Awaitable[list[tuple[Recipient, int, float]]]:
        """(recipient, slots, time) of attempts that ended at ``since`` or later.

        An attempt whose end nobody saw is taken to end ``now``.
        """

    def begin(self, rows: Sequence[int], now: float) -> Awaitable[list[Attempt]]:
        """Commit the intents to send these rows; only then may their POSTs leave."""

    def settle(self, outcomes: Sequence[Outcome], *, dedup_proven: bool) -> Awaitable[None]:
        """Commit outcomes, and whether the server has shown that it knows clientDedup."""


class SqliteJournal:
    """The journal in the run file itself: an asyncio face on a thread that commits in groups.

    Every call raises RunFileError if its group could not be committed; then none of the group was.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def claim(self, after: int, limit: int) -> Awaitable[list[Queued]]:
        """See `Journal.claim`."""
        return self._do(lambda: self._store.claim(after, limit))

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> Awaitable[list[Queued]]:
        """See `Journal.crowded`."""
        return self._do(lambda: self._store.crowded(is_crowded))

    def unresolved(self, since: float) -> Awaitable[list[Queued]]:
        """See `Journal.unresolved`."""
        return self._do(lambda: self._store.unresolved(since))

    def recent_sends(self, since: float, now: float) -> Awaitable[list[tuple[Recipient, int, float]]]:
        """See `Journal.recent_sends`."""
        return self._do(lambda: self._store.recent_sends(since, now))

    def begin(self, rows: Sequence[int], now: float) -> Awaitable[list[Attempt]]:
        """See `Journal.begin`."""
        return self._do(lambda: self._store.begin(rows, now))

    def settle(self, outcomes: Sequence[Outcome], *, dedup_proven: bool) -> Awaitable[None]:
        """See `Journal.settle`."""
        return self._do(lambda: self._store.settle(outcomes, dedup_proven=dedup_proven))

    def found(self, answers: Mapping[int, Answer], now: float) -> Awaitable[None]:
        """Note that rows in doubt were accepted after all."""
        return self._do(lambda: self._store.found(answers, now))

    def close(self) -> None:
        """Commit what waits, end the thread and close the file."""
        self._jobs.put(None)
        self._thread.join()
        self._store.close()

    def _do(self, work: Callable[[], T]) -> Awaitable[T]:
        job = _Job(work, asyncio.get_running_loop())
        self._jobs.put(job)
        return job.done

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            stop = False
            while not self._jobs.empty():
                more = self._jobs.get()
                if more is None:
                    stop = True
                    break
                group.append(more)
            self._commit(group)
            if stop:
                return

    def _commit(self, group: Sequence[_Job[Any]]) -> None:
        db = self._store.db
        failure: Exception | None = None
        try:
            db.execute("BEGIN IMMEDIATE")  # a read that became a write could find the file changed
            self._store.check_epoch()
            for job in group:
                job.result = job.work()
            db.execute("COMMIT")
        except sqlite3.Error as error:
            failure = RunFileError(f"{self._store.path}: the run file could not be written ({error})")
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers must hear of it, or they wait forever
            failure = error
        if failure is not None and db.in_transaction:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself, or the file is lost
                db.execute("ROLLBACK")
        # The loop is woken once for the whole group.
        loop = group[0].loop
        loop.call_soon_threadsafe(_tell, group, failure)


class _Job(Generic[T]):
    """A piece of work for the journal's thread, and the future that tells its caller of the commit."""

    __slots__ = ("done", "loop", "result", "work")

    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.done: asyncio.Future[T] = loop.create_future()
        self.result: T


def _tell(group: Sequence[_Job[Any]], failure: Exception | None) -> None:
    for job in group:
        if job.done.done():
            continue  # its caller was cancelled
        if failure is None:
            job.done.set_result(job.result)
        else:
            job.done.set_exception(failure)
            job.done.exception()  # seen: who shields the future and is called off meanwhile asks the next one
