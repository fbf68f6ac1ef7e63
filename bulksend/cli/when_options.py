"""The options that say when a run is sent."""

from __future__ import annotations

import math
from typing import NamedTuple

import click

from bulksend.cli.groups import Group
from bulksend.cli.settings import option
from bulksend.cli.values import DURATION
from bulksend.when import Wanted, WindowEnd


class _Lines(click.types.StringParamType):
    """A text that may hold commas: in the environment there is one a line."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [line for line in rv.splitlines() if line.strip()]


class WhenSettings(NamedTuple):
    """When a run is sent, as far as it is said."""

    start_at: str | None
    window: tuple[str, ...]
    window_end: str | None
    tz: str | None

    def wanted(self) -> Wanted:
        """What is said of it.

        Raises:
            UsageError: it cannot be read.
        """
        wanted = Wanted(self.start_at, self.window, WindowEnd(self.window_end) if self.window_end else None, self.tz)
        wanted.check()
        return wanted


class PatienceSettings(NamedTuple):
    """How long a command may sleep."""

    wait_limit: float | None

    @property
    def limit_s(self) -> float:
        """For so many seconds at most."""
        return math.inf if self.wait_limit is None else self.wait_limit


WHEN = Group(
    "timed",
    WhenSettings,
    (
        option(
            "--start-at",
            metavar="TIME",
            help="Sleep until then and send: `18:30`, `tomorrow 09:00`, `2026-12-24 09:00`, `2026-12-24T09:00+08:00`; "
            "`now` takes it back.",
        ),
        option(
            "--window",
            metavar="HOURS",
            type=_Lines(),
            multiple=True,
            help="Send only then: `08:00-20:00`, `mon-fri 08:00-20:00`, `20:00-06:00`, or `ph` (08:00-20:00) and `ntc` "
            "(07:00-21:00), both by Manila's clock; `always` takes it back. Repeatable.",
        ),
        option(
            "--window-end",
            type=click.Choice([each.value for each in WindowEnd]),
            help="When a window ends first: stop (exit 3; the same command goes on), or pause until it opens again.  "
            "[default: stop]",
        ),
        option("--tz", metavar="ZONE", help="By which clock, such as Asia/Manila.  [default: this machine's]"),
    ),
)
PATIENCE = Group(
    "patient",
    PatienceSettings,
    (
        option(
            "--wait-limit",
            metavar="TIME",
            type=DURATION,
            help="Sleep no longer before sending begins, else exit 3; 0s is not at all.  [default: as long as needed]",
        ),
    ),
)
