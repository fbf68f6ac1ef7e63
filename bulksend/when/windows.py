"""Windows: the hours in which messages may leave, by weekday and by the clock of a zone; when they open and close."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from bulksend.errors import UsageError
from bulksend.when.moments import normalised
from bulksend.when.zones import instant, local

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ALL = frozenset(range(7))
_DAY_MIN = 24 * 60
_PRESETS = {"ph": ("08:00-20:00", "Asia/Manila"), "ntc": ("07:00-21:00", "Asia/Manila")}
_EN_DASH = "\u2013"
_HOURS = re.compile(r"(\d\d?):(\d\d) ?- ?(\d\d?):(\d\d)")
_BLOCK = 10  # days that are looked at in one go: more than a week, so what repeats each week is seen whole
_BLOCKS = 6  # a window that a change of the clock swallows opens a week later
_HOW = "write one such as 08:00-20:00, mon-fri 08:00-20:00 or ph"


class Window(NamedTuple):
    """Hours that come back each week.

    Attributes:
        days: the weekdays on which they begin, Monday is 0.
        opens: in minutes after midnight.
        closes: the same; on the next day if it is not after ``opens``.
        zone: by whose clock.
    """

    days: frozenset[int]
    opens: int
    closes: int
    zone: str

    def __str__(self) -> str:
        """As it is written, without the zone."""
        hours = f"{_clock(self.opens)}-{_clock(self.closes)}"
        return hours if self.days == _ALL else f"{_named(self.days)} {hours}"

    def on(self, day: date) -> tuple[float, float] | None:
        """From when to when it is open that begins on a day, in seconds since 1970; None if it is not."""
        if day.weekday() not in self.days:
            return None
        opens = instant(_at(day, self.opens), self.zone)
        closes = instant(_at(day, self.closes + (_DAY_MIN if self.closes <= self.opens else 0)), self.zone)
        return (opens, closes) if opens < closes else None


class Windows(NamedTuple):
    """All the windows of a run; without any, messages may leave whenever they like."""

    each: tuple[Window, ...] = ()

    def opens_at(self, at_s: float) -> float:
        """From when on messages may leave, not before an instant; ``math.inf`` if never. In seconds since 1970."""
        if not self.each:
            return at_s
        for block in range(_BLOCKS):
            for opens, closes in self._open_from(at_s + block * (_BLOCK - 2) * 86_400.0):
                if at_s < closes:
                    return max(opens, at_s)
        return math.inf

    def closes_at(self, at_s: float) -> float:
        """Until when messages may leave that may at an instant; that instant if they may not, ``math.inf`` if always.

        What closes and opens at the same moment stays open.
        """
        if not self.each:
            return math.inf
        end = next((closes for opens, closes in self._open_from(at_s) if opens <= at_s < closes), at_s)
        return math.inf if end - at_s > (_BLOCK - 2) * 86_400.0 else end

    def is_open(self, at_s: float) -> bool:
        """Whether messages may leave."""
        return self.opens_at(at_s) <= at_s

    def _open_from(self, at_s: float) -> list[tuple[float, float]]:
        """When they are open from about an instant on, in order; what touches is one."""
        merged: list[tuple[float, float]] = []
        for opens, closes in sorted(self._openings(at_s)):
            if merged and opens <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
            else:
                merged.append((opens, closes))
        return merged

    def _openings(self, at_s: float) -> Iterator[tuple[float, float]]:
        for window in self.each:
            today = local(at_s, window.zone).date()
            for ahead in range(-2, _BLOCK):
                if found := window.on(today + timedelta(days=ahead)):
                    yield found


def parse_windows(texts: tuple[str, ...], zone: str) -> Windows:
    """Windows as people write them.

    Args:
        texts: each one or several, separated by commas; weekdays hold until others are named.
        zone: by whose clock those are that name none themselves.

    Raises:
        UsageError: one cannot be read, or never opens.
    """
    found = dict.fromkeys(window for text in texts for window in _parse(text, zone))
    return Windows(tuple(found))


def _parse(text: str, zone: str) -> Iterator[Window]:
    days, named = _ALL, frozenset[int]()
    is_pending = True
    for part in normalised(text).replace(_EN_DASH, "-").split(","):
        before, hours = _split(part.strip())
        if before:
            named |= _days(before, text)
        is_pending = not hours
        if hours:
            days, named = named or days, frozenset()
            yield _window(days, hours, text, zone)
    if is_pending:
        raise UsageError(f"{text!r} is no window: {_HOW}")


def _split(part: str) -> tuple[str, str]:
    """The weekdays of a part, and its hours or the name of a preset."""
    head, _, tail = part.rpartition(" ") if not (hours := _HOURS.search(part)) else (part[: hours.start()], "", "")
    if hours:
        return head.strip(), part[hours.start() :]
    return (head, tail) if tail in _PRESETS else (part, "")


def _window(days: frozenset[int], hours: str, text: str, zone: str) -> Window:
    written, zone = _PRESETS.get(hours, (hours, zone))
    found = _HOURS.fullmatch(written)
    if found is None:
        raise UsageError(f"{text!r} is no window: {_HOW}")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    opens, closes = hour * 60 + minute, to_hour * 60 + to_minute
    if minute > 59 or to_minute > 59 or opens >= _DAY_MIN or closes > _DAY_MIN:
        raise UsageError(f"{text!r} is no window: there is no such time of day")
    if opens == closes:
        raise UsageError(f"{text!r} never opens: it ends when it begins; for the whole day write 00:00-24:00")
    return Window(days, opens, closes, zone)


def _days(text: str, whole: str) -> frozenset[int]:
    first, dash, last = (each.strip() for each in text.partition("-"))
    try:
        begin = _day(first)
        end = _day(last) if dash else begin
    except ValueError as error:
        raise UsageError(f"{whole!r} is no window: {_HOW}") from error
    return frozenset((begin + each) % 7 for each in range((end - begin) % 7 + 1))


def _day(name: str) -> int:
    return _DAYS.index(name) if name in _DAYS else _LONG.index(name)


def _named(days: frozenset[int]) -> str:
    """Weekdays in few words: those that follow each other as a range."""
    ranges: list[list[int]] = []
    for day in sorted(days):
        if ranges and ranges[-1][-1] == day - 1:
            ranges[-1].append(day)
        else:
            ranges.append([day])
    return ",".join(_DAYS[each[0]] if len(each) == 1 else f"{_DAYS[each[0]]}-{_DAYS[each[-1]]}" for each in ranges)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)
