"""What happens to a plan, noted durably in its file: a group of notes is one commit with ``synchronous=FULL``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from bulksend.errors import RunFileError
from bulksend.runs.committing import GroupJournal, Job
from bulksend.runs.sqlite.log import Names
from bulksend.runs.sqlite.notes import Notes


class SqliteJournal(GroupJournal):
    """The journal in the run file itself.

    Every call raises RunFileError if its group could not be committed; then none of the group was.

    Args:
        notes: takes the notes.
        names: of the file and its log, under which they must be found.
        on_close: is called when nothing can be noted any more.
    """

    sharing = None
    """A file has one process at a time."""

    def __init__(self, notes: Notes, names: Names, on_close: Callable[[], None] = lambda: None) -> None:
        self._file = notes
        self._names = names
        super().__init__(notes, self._commit, on_close)

    def _commit(self, group: Sequence[Job[Any]]) -> None:
        """Commit a group, but for its intents if nobody will find them under the file's name.

        Raises:
            OwnedError: somebody else has the run.
            RunFileError: it could not be written.
        """
        allowed = self._allowed(group)
        if not allowed:
            return
        notes = self._file
        try:
            notes.db.execute("BEGIN IMMEDIATE")  # a read that became a write could find the file changed
            notes.check_epoch()
            for job in allowed:
                job.result = job.work()
            notes.db.execute("COMMIT")
            notes.committed()
        except sqlite3.Error as error:
            self._roll_back()
            raise RunFileError(f"{notes.path}: the run file could not be written ({error})") from error
        except BaseException:
            self._roll_back()
            raise

    def _allowed(self, group: Sequence[Job[Any]]) -> Sequence[Job[Any]]:
        beginning = [job for job in group if job.begins]
        if not beginning or self._names.hold:
            return group
        failure = RunFileError(
            f"{self._file.path}: this run file, or its log, was moved, removed or replaced while it was sent: put it "
            "back before you go on"
        )
        for job in beginning:
            job.failure = failure
        return [job for job in group if not job.begins]

    def _roll_back(self) -> None:
        self._file.rolled_back()
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself, or the file is lost
            self._file.db.execute("ROLLBACK")
