"""What the processes share that send one run together: what one has seen of the server holds for all."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from bulksend.sending.absence import Absence
from bulksend.sending.pace import Rate
from bulksend.sending.stop import Stop
from bulksend.sending.stopping import Stopping
from bulksend.sending.throttle import Throttle


class ForAll(NamedTuple):
    """What holds for all processes of a run, as of the last commit of this one.

    Attributes:
        stop: why the run ends; None if it goes on.
        quiet_s: for so many seconds no message is to start.
        absences: how often any of them found the server away.
    """

    stop: Stop | None = None
    quiet_s: float = 0.0
    absences: int = 0


class Sharing(Protocol):
    """What a journal keeps for all processes of a run. It is asked in the event loop, and comes back at once.

    What is noted is committed with what the journal commits next, and what is told came with what it committed last.
    """

    @property
    def limits_errors(self) -> bool:
        """Whether it is said how many rows may end unsent: then they are counted, whatever they have in common."""

    def waits(self, row: int) -> bool:
        """Whether a row did not begin because there is no money for it as things are: it is asked for again."""

    def told(self) -> ForAll:
        """What holds for all."""

    def note_stop(self, stop: Stop) -> None:
        """The run is to end, for all; the first reason counts."""

    def note_quiet(self, pause_s: float) -> None:
        """The server asks to be left alone for so long."""

    def note_absence(self) -> None:
        """The server is away."""

    def rate(self, per_s: float) -> Rate:
        """The account's rate, of messages per second that all its processes start together; no more for this one."""


class Shares:
    """Has one process's engine heed what the others of its run tell, and tells them what it has seen itself.

    Args:
        sharing: what is shared; None if a process has the run alone.
        stopping: is asked for the end that holds for all, and heard for one of this process.
        throttle: knows when the server asked for quiet.
        absence: knows whether the server is away; has this process find out for itself where others say so.
    """

    __slots__ = ("_absence", "_absences", "_quiet_until", "_sharing", "_stopping", "_throttle", "_was_away")

    def __init__(
        self, sharing: Sharing | None, stopping: Stopping, throttle: Throttle, absence: Absence
    ) -> None:  # fmt: skip
        self._sharing = sharing
        self._stopping = stopping
        self._throttle = throttle
        self._absence = absence
        self._was_away = False
        self._absences = 0 if sharing is None else sharing.told().absences
        self._quiet_until = -math.inf  # as the server asked this process
        if sharing is not None:
            stopping.tell(lambda: self._tell_stop(sharing))

    def heed(self, mono_s: float) -> None:
        """Heed what is told by now, and tell what is new; before messages start."""
        sharing = self._sharing
        if sharing is None:
            return
        self._tell(sharing, mono_s)
        told = sharing.told()
        if told.stop is not None and self._stopping.why is None:
            self._stopping.ask(told.stop)
        self._throttle.pause(mono_s + told.quiet_s)
        if told.absences > self._absences and not self._absence.is_away:
            self._absence.told(mono_s)
            self._throttle.narrow(mono_s)
            self._was_away = True  # as others told: it is no news to them
        self._absences = told.absences

    def _tell(self, sharing: Sharing, mono_s: float) -> None:
        asked_until = self._throttle.asked_until
        if asked_until > max(self._quiet_until, mono_s):
            sharing.note_quiet(asked_until - mono_s)
            self._quiet_until = asked_until
        is_away, was_away = self._absence.is_away, self._was_away
        self._was_away = is_away
        if is_away and not was_away:
            sharing.note_absence()

    def _tell_stop(self, sharing: Sharing) -> None:
        why = self._stopping.why
        if why is not None and why.reason.is_of_run:
            sharing.note_stop(why)
