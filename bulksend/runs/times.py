"""What a run keeps of time: when it is to be sent, and until when whoever has it sleeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from bulksend.when import Moment, Schedule, Window, WindowEnd, Windows


class Times(Protocol):
    """For reading. Everything raises RunFileError if it cannot be read."""

    @property
    def schedule(self) -> Schedule:
        """When its messages may leave, as it was told last; any time if nobody said anything."""

    @property
    def waits_until(self) -> float | None:
        """Until when its owner sleeps, in seconds since 1970; None if it does not."""


class OwnTimes(Times, Protocol):
    """Of a run that this process may write."""

    def keep(self, schedule: Schedule) -> None:
        """Note when its messages may leave, from now on."""

    def wait(self, until_s: float | None) -> None:
        """Note until when its owner sleeps, in seconds since 1970; None if it is awake."""


class Timed(Protocol):
    """What has times."""

    @property
    def times(self) -> Times:
        """When it is to be sent."""


class OwnTimed(Timed, Protocol):
    """What this process may give other times."""

    @property
    def times(self) -> OwnTimes:
        """When it is to be sent, and until when this process sleeps."""


def kept_of(schedule: Schedule) -> list[object]:
    """A schedule, to be kept as JSON."""
    windows = [[sorted(each.days), each.opens, each.closes, each.zone] for each in schedule.windows.each]
    start = None if schedule.start is None else list(schedule.start)
    return [start, windows, schedule.at_end, schedule.zone]


def schedule_of(kept: Sequence[Any]) -> Schedule:
    """What was kept."""
    start, windows, at_end, zone = kept
    each = tuple(Window(frozenset(days), opens, closes, where) for days, opens, closes, where in windows)
    return Schedule(None if start is None else Moment(*start), Windows(each), WindowEnd(at_end), zone)
