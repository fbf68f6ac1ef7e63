"""A journal's thread: whatever waits for it is committed as one group.

Under load one commit serves many messages, and alone it serves one at once. Whichever store stands behind it, one
thread owns the connection that writes.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from bulksend.model import Answer, Attempt, Outcome, Queued, Recipient, RowInDoubt
from bulksend.sending import News, Sharing

T = TypeVar("T")


class Notes(Protocol):
    """What a journal notes, call by call, inside a transaction; see `bulksend.sending.Journal`."""

    def claim(self, after: int, limit: int) -> list[Queued]:
        """See `Journal.claim`."""

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> list[Queued]:
        """See `Journal.crowded`."""

    def undecided(self, since_s: float, proof: int) -> list[Queued]:
        """See `Journal.undecided`."""

    def recent_sends(self, since_s: float, wall_s: float) -> list[tuple[Recipient, int, float]]:
        """See `Journal.recent_sends`."""

    def news(self) -> News | None:
        """See `Journal.news`."""

    def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> list[Attempt]:
        """See `Journal.begin`."""

    def leaves(self, attempt: Attempt) -> bool:
        """See `Journal.leaves`."""

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> None:
        """See `Journal.settle`."""

    def in_doubt(self, limit: int) -> list[RowInDoubt]:
        """See `Journal.in_doubt`."""

    def message_ids(self, since_s: float) -> set[str]:
        """See `Journal.message_ids`."""

    def rivals(self, since_s: float) -> list[tuple[Recipient, str]]:
        """See `Journal.rivals`."""

    def found(self, answers: Mapping[int, Answer], wall_s: float) -> None:
        """See `Journal.found`."""

    def asked_at(self) -> float | None:
        """See `Journal.asked_at`."""

    def note_progress(self, words: str) -> None:
        """See `Journal.note_progress`."""


class Job(Generic[T]):
    """A piece of work for the thread, and the future that tells its caller of the commit.

    Attributes:
        work: does it, inside the group's transaction.
        begins: whether it notes intents.
        result: what came of it.
        failure: why it was left out of its group; None if it was not.
    """

    __slots__ = ("begins", "done", "failure", "loop", "result", "work")

    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop, *, begins: bool) -> None:
        self.work = work
        self.begins = begins
        self.loop = loop
        self.done: asyncio.Future[T] = loop.create_future()
        self.result: T
        self.failure: Exception | None = None


class GroupJournal:
    """An asyncio face on a thread that commits in groups; see `bulksend.sending.Journal`.

    Args:
        notes: takes the notes.
        commit: carries out the jobs of a group in one transaction. Whatever it raises is told to all their callers;
            what it leaves out has a failure of its own.
        on_close: is called when nothing can be noted any more.
        on_give_up: is called when nobody waits any longer for what cannot be committed.
        sharing: what is kept for all processes that send the run; None if this one has it alone.

    Attributes:
        sharing: the same.
    """

    def __init__(
        self, notes: Notes, commit: Callable[[Sequence[Job[Any]]], None], on_close: Callable[[], None] = lambda: None,
        on_give_up: Callable[[], None] = lambda: None, *, sharing: Sharing | None = None,
    ) -> None:  # fmt: skip
        self.sharing = sharing
        self._notes = notes
        self._carry_out = commit
        self._on_close = on_close
        self._on_give_up = on_give_up
        self._jobs: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
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

    def news(self) -> Awaitable[News | None]:
        """See `Journal.news`."""
        return self._do(self._notes.news)

    def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> Awaitable[list[Attempt]]:
        """See `Journal.begin`."""
        return self._do(lambda: self._notes.begin(rows, wall_s, proof), begins=True)

    def leaves(self, attempt: Attempt) -> bool:
        """See `Journal.leaves`."""
        return self._notes.leaves(attempt)

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> Awaitable[None]:
        """See `Journal.settle`."""
        return self._do(lambda: self._notes.settle(outcomes, turn=turn))

    def in_doubt(self, limit: int) -> Awaitable[list[RowInDoubt]]:
        """See `Journal.in_doubt`."""
        return self._do(lambda: self._notes.in_doubt(limit))

    def message_ids(self, since_s: float) -> Awaitable[set[str]]:
        """See `Journal.message_ids`."""
        return self._do(lambda: self._notes.message_ids(since_s))

    def rivals(self, since_s: float) -> Awaitable[list[tuple[Recipient, str]]]:
        """See `Journal.rivals`."""
        return self._do(lambda: self._notes.rivals(since_s))

    def found(self, answers: Mapping[int, Answer], wall_s: float) -> Awaitable[None]:
        """See `Journal.found`."""
        return self._do(lambda: self._notes.found(answers, wall_s))

    def asked_at(self) -> Awaitable[float | None]:
        """See `Journal.asked_at`."""
        return self._do(self._notes.asked_at)

    def note_progress(self, words: str) -> Awaitable[None]:
        """See `Journal.note_progress`."""
        return self._do(lambda: self._notes.note_progress(words))

    def give_up(self) -> None:
        """See `Journal.give_up`."""
        self._on_give_up()

    def close(self) -> None:
        """See `Journal.close`; the connection is the run's owner's again."""
        self._jobs.put(None)
        self._thread.join()
        self._on_close()

    def _do(self, work: Callable[[], T], *, begins: bool = False) -> Awaitable[T]:
        job = Job(work, asyncio.get_running_loop(), begins=begins)
        self._jobs.put(job)
        return job.done

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            is_last = False
            while not self._jobs.empty():
                more = self._jobs.get()
                if more is None:
                    is_last = True
                    break
                group.append(more)
            failure: Exception | None = None
            try:
                self._carry_out(group)
            except Exception as error:  # noqa: BLE001 -- the callers must hear of whatever it is, or wait forever
                failure = error
            # The loop is woken once for the whole group.
            group[0].loop.call_soon_threadsafe(_tell, group, failure)
            if is_last:
                return


def _tell(group: Sequence[Job[Any]], failure: Exception | None) -> None:
    for job in group:
        if job.done.done():
            continue  # its caller was cancelled
        if (why := job.failure or failure) is None:
            job.done.set_result(job.result)
        else:
            job.done.set_exception(why)
            job.done.exception()  # seen: who shields the future and is called off meanwhile asks the next one
