"""What happens to a plan, noted durably: the engine's journal in a run file.

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
from typing import Any, Generic, TypeVar

from bulksend.errors import RunFileError
from bulksend.model import Answer, Attempt, Outcome, Queued, Recipient, RowInDoubt
from bulksend.runs.sqlite.log import Names
from bulksend.runs.sqlite.notes import Notes
from bulksend.runs.sqlite.queries import in_doubt, message_ids, rivals

T = TypeVar("T")


class SqliteJournal:
    """The journal in the run file itself: an asyncio face on a thread that commits in groups.

    Every call raises RunFileError if its group could not be committed; then none of the group was.
    """

    sharing = None
    """A file has one process at a time."""

    def __init__(self, notes: Notes, names: Names, on_close: Callable[[], None] = lambda: None) -> None:
        self._notes = notes
        self._names = names
        self._on_close = on_close
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def claim(self, after: int, limit: int) -> Awaitable[list[Queued]]:
        """See `Journal.claim`."""
        return self._do(lambda: self._notes.claim(after, limit))

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> Awaitable[list[Queued]]:
        """See `Journal.crowded`."""
        return self._do(lambda: self._notes.crowded(is_crowded))

    def undecided(self, since_s: float, proof: int) -> Awaitable[list[Queued]]:
        """See `Journal.undecided`."""
        return self._do(lambda: self._notes.undecided(since_s, proof))

    def recent_sends(self, since_s: float, wall_s: float) -> Awaitable[list[tuple[Recipient, int, float]]]:
        """See `Journal.recent_sends`."""
        return self._do(lambda: self._notes.recent_sends(since_s, wall_s))

    def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> Awaitable[list[Attempt]]:
        """See `Journal.begin`."""
        return self._do(lambda: self._notes.begin(rows, wall_s, proof), begins=True)

    def leaves(self, attempt: Attempt) -> bool:
        """See `Journal.leaves`: a file's lock is held until the run is closed."""
        self._notes.leaves(attempt)
        return True

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> Awaitable[None]:
        """See `Journal.settle`."""
        return self._do(lambda: self._notes.settle(outcomes, turn=turn))

    def in_doubt(self, limit: int) -> Awaitable[list[RowInDoubt]]:
        """See `Journal.in_doubt`."""
        return self._do(lambda: in_doubt(self._notes.db, limit))

    def message_ids(self, since_s: float) -> Awaitable[set[str]]:
        """See `Journal.message_ids`."""
        return self._do(lambda: message_ids(self._notes.db, since_s))

    def rivals(self, since_s: float) -> Awaitable[list[tuple[Recipient, str]]]:
        """See `Journal.rivals`."""
        return self._do(lambda: rivals(self._notes.db, since_s))

    def found(self, answers: Mapping[int, Answer], wall_s: float) -> Awaitable[None]:
        """See `Journal.found`."""
        return self._do(lambda: self._notes.found(answers, wall_s))

    def asked_at(self) -> Awaitable[float | None]:
        """See `Journal.asked_at`."""
        return self._do(self._notes.asked_at)

    def note_progress(self, words: str) -> Awaitable[None]:
        """See `Journal.note_progress`."""
        return self._do(lambda: self._notes.note_progress(words))

    def close(self) -> None:
        """See `Journal.close`; the run's connection is its owner's again."""
        self._jobs.put(None)
        self._thread.join()
        self._on_close()

    def _do(self, work: Callable[[], T], *, begins: bool = False) -> Awaitable[T]:
        job = _Job(work, asyncio.get_running_loop(), begins=begins)
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
            self._commit(self._allowed(group))
            if stop:
                return

    def _allowed(self, group: Sequence[_Job[Any]]) -> Sequence[_Job[Any]]:
        """What may be noted: all of it, or no more intents if nobody will find them under the file's name."""
        beginning = [job for job in group if job.begins]
        if not beginning or self._names.hold:
            return group
        failure = RunFileError(
            f"{self._notes.path}: this run file, or its log, was moved, removed or replaced while it was sent: put it "
            "back before you go on"
        )
        beginning[0].loop.call_soon_threadsafe(_tell, beginning, failure)
        return [job for job in group if not job.begins]

    def _commit(self, group: Sequence[_Job[Any]]) -> None:
        if not group:
            return
        db = self._notes.db
        failure: Exception | None = None
        try:
            db.execute("BEGIN IMMEDIATE")  # a read that became a write could find the file changed
            self._notes.check_epoch()
            for job in group:
                job.result = job.work()
            db.execute("COMMIT")
            self._notes.committed()
        except sqlite3.Error as error:
            failure = RunFileError(f"{self._notes.path}: the run file could not be written ({error})")
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers must hear of it, or they wait forever
            failure = error
        if failure is not None:
            self._notes.rolled_back()
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself, or the file is lost
                db.execute("ROLLBACK")
        # The loop is woken once for the whole group.
        loop = group[0].loop
        loop.call_soon_threadsafe(_tell, group, failure)


class _Job(Generic[T]):
    """A piece of work for the journal's thread, and the future that tells its caller of the commit."""

    __slots__ = ("begins", "done", "loop", "result", "work")

    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop, *, begins: bool) -> None:
        self.work = work
        self.begins = begins
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
