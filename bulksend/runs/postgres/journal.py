"""What happens to a plan in a database, noted durably: a group of notes is one transaction.

A connection may be lost at any moment, and with it the answer to a COMMIT. Then the whole group is noted anew over
another one. Outcomes name the intents that they are of, so that they change nothing where they have arrived. Intents
that may have arrived have not left, for nobody was told of them: they are taken back first, in the same transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from bulksend.errors import OwnedError, RunFileError, UsageError
from bulksend.patience import OURS
from bulksend.runs.committing import Job
from bulksend.runs.postgres.connecting import Db, explained, is_given_way, limit_standstill, transaction
from bulksend.runs.postgres.installing import connect_anew
from bulksend.runs.postgres.notes import Notes

_LENGTHS_MORE = 2  # so many leases' lengths after the end of the last one it is still tried to note outcomes
_PAUSE_S = 0.05  # between two tries to reach the database, first
_PAUSE_MAX_S = 1.0


class Commits:
    """Carries out groups of jobs, over as many connections as it takes.

    Args:
        notes: takes the notes; the connection of its run is replaced when it is lost.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._known: Db | None = None  # the connection that is set up
        self._is_given_up = threading.Event()

    def __call__(self, group: Sequence[Job[Any]]) -> None:
        """Commit a group.

        Raises:
            OwnedError: somebody else has the run.
            RunFileError: it could not be written.
        """
        begins = any(job.begins for job in group)
        self._commit(lambda: _do(group), begins=begins)

    def give_up(self) -> None:
        """Try nothing more than once from now on."""
        self._is_given_up.set()

    def cut_off(self) -> None:
        """Of what is under way and could not be noted the end is not known.

        Raises:
            OwnedError: somebody else has the run.
            RunFileError: it could not be written; whoever has the run next notes it.
        """
        if self._notes.is_unsettled:
            self._commit(self._notes.cut_off, begins=False)

    def end(self) -> None:
        """Nothing is under way any more, and nothing shared: of what could not be noted the end is not known."""
        with suppress(OwnedError, RunFileError):
            self.cut_off()
        if self._notes.commons:
            self._notes.commons.close()

    def _commit(self, work: Callable[[], None], *, begins: bool) -> None:
        pause_s = _PAUSE_S
        while True:
            try:
                self._connect()
                if begins and not self._notes.lease.is_held:
                    self._notes.lease.renew()  # as after a sleep of the machine, if nobody else has it by now
                self._carry_out(work, begins=begins)
            except UsageError as error:  # it is not worth another try; whoever asks next hears what to do
                raise RunFileError(f"{error}") from error
            except RunFileError as error:
                if not (is_given_way(error) or self._is_worth_a_try) or self._is_given_up.wait(pause_s):
                    raise
                pause_s = min(2 * pause_s, _PAUSE_MAX_S)
            else:
                return

    def _carry_out(self, work: Callable[[], None], *, begins: bool) -> None:
        notes = self._notes
        try:
            with explained(notes.of.place), transaction(notes.of.db):
                notes.check(begins=begins)
                notes.take_back()
                work()
        except BaseException:
            notes.rolled_back()
            raise
        notes.committed()

    @property
    def _is_worth_a_try(self) -> bool:
        """Whether the database was not reached, and has not been away for too long: what it refused it would again."""
        lease = self._notes.lease
        is_away = self._notes.of.db.closed or not lease.is_held
        return is_away and not OURS.is_lost and lease.ends_in_s > -_LENGTHS_MORE * lease.length_s

    def _connect(self) -> None:
        of = self._notes.of
        if of.db.closed:
            of.db = connect_anew(of.place.database)
        if of.db is not self._known:
            with explained(of.place):
                limit_standstill(of.db, self._notes.lease.length_s)
            self._known = of.db


def _do(group: Sequence[Job[Any]]) -> None:
    for job in group:
        job.result = job.work()
