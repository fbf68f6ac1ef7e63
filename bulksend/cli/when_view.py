"""When a run is sent, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console

from bulksend import campaign
from bulksend.campaign import SendOptions, Waiting
from bulksend.planning import Overview
from bulksend.when import Schedule, Span, WindowEnd, Windows, local
from bulksend.words import many, time_of

_MINUTE_S = 60


def plan_rows(schedule: Schedule, overview: Overview, how: SendOptions, now_s: float) -> Iterator[tuple[str, str]]:
    """What a plan shows of time: each a heading and its words."""
    if schedule.is_any_time or not overview.rows:
        return
    yield "starts", _starts(schedule, now_s)
    if schedule.windows.each:
        at_end = "pauses until it opens again" if schedule.at_end is WindowEnd.PAUSE else "stops"
        yield "window", f"{window_words(schedule.windows)}; at its end it {at_end}"
    yield "ends", _ends(schedule, overview, how, now_s)


def from_words(schedule: Schedule, now_s: float) -> str:
    """From when on, as it stands in a question; empty if that is at once."""
    opens_s = schedule.opens_at(now_s)
    return f" from {_day(opens_s, now_s, schedule.zone)}{_clock(opens_s, schedule.zone)} on" if opens_s > now_s else ""


def window_words(windows: Windows) -> str:
    """Windows, with the zones by whose clocks they are."""
    zones = list(dict.fromkeys(each.zone for each in windows.each))
    each = [f"{', '.join(str(one) for one in windows.each if one.zone == zone)} ({zone})" for zone in zones]
    return "; ".join(each)


def waiting_words(waiting: Waiting) -> str:
    """Until when a command sleeps."""
    until = moment_words(waiting.until_s, waiting.now_s, waiting.zone)
    return f"Waiting until {until}, in {_in(waiting.until_s - waiting.now_s)}. Nothing is sent before."


def moment_words(at_s: float, now_s: float, zone: str) -> str:
    """A moment, such as: tomorrow, 26 Nov 2026 09:00 (Asia/Manila)."""
    then = local(at_s, zone)
    return f"{_day(at_s, now_s, zone, dated=True)}{then:%H:%M} ({zone})"


def kept_words(schedule: Schedule, waits_until: float | None, now_s: float) -> list[str]:
    """What a run was told of time, for whoever asks where it stands."""
    if waits_until is not None:
        until = moment_words(waits_until, now_s, schedule.zone)
        return [f"It waits until {until}, in {_in(waits_until - now_s)}."]
    start = schedule.start
    lines = []
    if start and start.at_s > now_s:
        begins = moment_words(start.at_s, now_s, schedule.zone)
        lines.append(f"It is to begin {begins}; not by itself: the same command waits for it.")
    if schedule.windows.each:
        lines.append(f"It is sent only in its window: {window_words(schedule.windows)}.")
    return lines


def tell_changed(out: Console, kept: Schedule, schedule: Schedule, now_s: float) -> None:
    """That a run is sent at another time than it was told before, if so it is."""
    if kept.is_any_time or (kept.start, kept.windows, kept.at_end) == (
        schedule.start,
        schedule.windows,
        schedule.at_end,
    ):
        return
    was, now = (_told(each, now_s) for each in (kept, schedule))
    out.print(f"Told anew when it is sent: {now}; before, {was}.", soft_wrap=True)


def begins_words(schedule: Schedule, now_s: float) -> str:
    """That sending begins though it slept."""
    return f"It is {_clock(now_s, schedule.zone)} ({schedule.zone}): sending begins."


def too_long_words(schedule: Schedule, now_s: float, limit_s: float) -> str:
    """That it would have to sleep longer than it may."""
    opens_s = schedule.opens_at(now_s)
    when = moment_words(opens_s, now_s, schedule.zone)
    return (
        f"it would begin {when}, in {_in(opens_s - now_s)}, which is longer than it may wait ({_in(limit_s)}): "
        "nothing was sent; the same command later begins it"
    )


def _told(schedule: Schedule, now_s: float) -> str:
    start, windows = schedule.start, schedule.windows
    words = [f"from {moment_words(start.at_s, now_s, schedule.zone)} on" if start else "at once"]
    if windows.each:
        words.append(f"in the window {window_words(windows)}, at whose end it {schedule.at_end.value}s")
    return ", ".join(words)


def _starts(schedule: Schedule, now_s: float) -> str:
    opens_s = schedule.opens_at(now_s)
    if opens_s > now_s:
        return f"{moment_words(opens_s, now_s, schedule.zone)}, in {_in(opens_s - now_s)}"
    start = schedule.start
    came = f": its moment, {moment_words(start.at_s, now_s, schedule.zone)}, has come" if start else ""
    return f"at once{came}"


def _ends(schedule: Schedule, overview: Overview, how: SendOptions, now_s: float) -> str:
    span, seconds = campaign.span_of(overview, how, schedule, now_s), campaign.expected_s(overview, how)
    closes_s = schedule.closes_at(span.begins)
    if span.ends <= closes_s:
        return f"about {moment_words(span.ends, now_s, schedule.zone)}"
    left = math.ceil(overview.rows * (1 - (closes_s - span.begins) / seconds))
    closes = moment_words(closes_s, now_s, schedule.zone)
    after = _goes_on(schedule, span, now_s)
    return f"the window closes {closes}: about {many(left, 'message')} of {overview.rows:,} are left for then{after}"


def _goes_on(schedule: Schedule, span: Span, now_s: float) -> str:
    if span.ends == math.inf:
        return ", and the windows are too few to tell an end"
    end = moment_words(span.ends, now_s, schedule.zone)
    by = "it" if schedule.at_end is WindowEnd.PAUSE else "the same command"
    return f"; if {by} goes on when it opens, all would end {end}"


def _day(at_s: float, now_s: float, zone: str, *, dated: bool = False) -> str:
    then, today = local(at_s, zone), local(now_s, zone).date()
    if then.date() == today:
        return ""
    date = f"{then:%a} {then.day} {then:%b %Y}"
    if then.date() == today + timedelta(days=1):
        return f"tomorrow, {date} " if dated else "tomorrow "
    return f"{date} "


def _clock(at_s: float, zone: str) -> str:
    return f"{local(at_s, zone):%H:%M}"


def _in(seconds: float) -> str:
    """A time to go: by the second only where that is soon."""
    if seconds < _MINUTE_S:
        return f"{math.ceil(seconds)} s"
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:.0f} days"
    return time_of(math.ceil(seconds))
