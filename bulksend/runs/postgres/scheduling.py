"""What the owner of a run in a database keeps of time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from bulksend.runs.postgres import kept
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.times import PostgresTimes
from bulksend.runs.times import kept_of
from bulksend.when import Schedule


class OwnPostgresTimes(PostgresTimes):
    """See `bulksend.runs.times.OwnTimes`. They are points in time that people name, and kept as these.

    Args:
        of: the run.
        writing: a transaction of its owner.
        epoch: under which that has it.
    """

    def __init__(self, of: Reader, writing: Callable[[], AbstractContextManager[Reader]], epoch: int) -> None:
        super().__init__(of)
        self._writing = writing
        self._epoch = epoch

    def keep(self, schedule: Schedule) -> None:
        """See `OwnTimes.keep`."""
        with self._writing():
            kept.note(self._reader.db, self._reader.run, "schedule", kept_of(schedule))

    def wait(self, until_s: float | None) -> None:
        """See `OwnTimes.wait`."""
        with self._writing():
            if until_s is None:
                kept.forget(self._reader.db, self._reader.run, "waits until")
            else:
                kept.note(self._reader.db, self._reader.run, "waits until", [self._epoch, until_s])
