"""What somebody says of time, and what that is to a run that was told before: the same words mean the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bulksend.when.moments import Moment, check_recent, check_written, normalised, parse_moment
from bulksend.when.schedule import Schedule, WindowEnd
from bulksend.when.windows import Windows, parse_windows
from bulksend.when.zones import machine_zone, zone_named

NOW = "now"
"""Instead of a moment: at once, whatever was said before."""
ALWAYS = "always"
"""Instead of windows: at any time, whatever was said before."""


class Wanted(NamedTuple):
    """What somebody says of when a run is sent; what is not said stays as the run was told before.

    Attributes:
        start: the moment as it is written; None where nothing is said.
        windows: the windows as they are written; empty where nothing is said.
        at_end: what happens when one ends; None where nothing is said.
        zone: by whose clock; None for the machine's.
    """

    start: str | None = None
    windows: tuple[str, ...] = ()
    at_end: WindowEnd | None = None
    zone: str | None = None

    def check(self) -> None:
        """See that it can be read, before anything is known of the run.

        Raises:
            UsageError: something of it cannot.
        """
        zone = "UTC" if self.zone is None else zone_named(self.zone).key
        if self.start is not None and normalised(self.start) != NOW:
            check_written(self.start)
        self._windows(Windows(), zone)

    def settled(
        self, kept: Schedule, now_s: float, machine: Callable[[], str] = machine_zone, *, has_begun: bool = False
    ) -> Schedule:  # fmt: skip
        """When the run is sent.

        Args:
            kept: what it was told before.
            now_s: in seconds since 1970.
            machine: tells the machine's zone; it is asked only if need be.
            has_begun: whether anything of it was sent, so that its moment has come for good.

        Raises:
            UsageError: something cannot be read, the moment has passed, or messages never may leave.
        """
        if self.zone is not None:
            zone_named(self.zone)
        if self.start is None and not self.windows and kept.is_any_time:
            return kept
        zone = self.zone or kept.zone or machine()
        schedule = Schedule(
            self._moment(kept.start, now_s, zone, has_begun=has_begun),
            self._windows(kept.windows, zone),
            self.at_end or kept.at_end,
            zone,
        )
        if schedule.is_any_time:
            return Schedule()
        if (schedule.start, schedule.windows, schedule.at_end) != (kept.start, kept.windows, kept.at_end):
            schedule.check(now_s)
        return schedule

    def _moment(self, kept: Moment | None, now_s: float, zone: str, *, has_begun: bool) -> Moment | None:
        if self.start is None:
            return kept
        words = normalised(self.start)
        if words == NOW:
            return None
        if kept is not None and normalised(kept.words) == words and self.zone in {None, kept.zone}:
            if not has_begun:
                check_recent(kept, now_s)
            return kept
        return parse_moment(self.start, now_s, zone)

    def _windows(self, kept: Windows, zone: str) -> Windows:
        if not self.windows:
            return kept
        if any(normalised(each) == ALWAYS for each in self.windows):
            return Windows()
        return parse_windows(self.windows, zone)
