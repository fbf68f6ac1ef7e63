"""Moments and durations, which a workbook keeps as days since its epoch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from bulksend.planning.reading.books.plain import plain

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_US = 86_400_000_000
_EPOCH_1900 = dt.datetime(1899, 12, 31)  # noqa: DTZ001 -- a sheet's time has no zone
_EPOCH_1904 = dt.datetime(1904, 1, 1)  # noqa: DTZ001 -- see above
_NO_LEAP_DAY = 60  # in the epoch of 1900, which takes that year for a leap year


def plain_date(value: float, *, is_duration: bool, since_1904: bool) -> str:
    """In ISO 8601: a date, a date with its time, a time of day; a duration in hours; the number if it is none."""
    if is_duration:
        try:
            return plain(dt.timedelta(days=value))
        except OverflowError:
            return plain(value)
    found = moment(value, since_1904=since_1904)
    if found is None:
        return plain(value)
    if 0 <= value < 1 and not since_1904:
        return plain(found.time())
    return plain(found if found.time() != dt.time() else found.date())


def moment(value: float, *, since_1904: bool, step_us: int = 1_000_000) -> dt.datetime | None:
    """The date and time, to the nearest step; None if there is none."""
    if value < 0:
        return None
    epoch = _EPOCH_1904 if since_1904 else _EPOCH_1900 if value < _NO_LEAP_DAY else _EPOCH_1900 - dt.timedelta(days=1)
    try:
        return epoch + dt.timedelta(microseconds=round(value * _DAY_US / step_us) * step_us)
    except OverflowError:
        return None


def shown(tokens: Sequence[tuple[str, str]], value: float, *, since_1904: bool) -> str | None:
    """What a format's tokens show of a number of days; None if that is not known."""
    decimals = _decimals(tokens)
    step_us = 10 ** (6 - min(decimals, 6))
    when = moment(value, since_1904=since_1904, step_us=step_us)
    if when is None:
        return None
    total = round(value * _DAY_US / step_us) * step_us  # in microseconds, for what counts beyond a day
    noon = any(kind == "noon" for kind, _ in tokens)
    pieces: list[str] = []
    skip = 0
    for place, (kind, text) in enumerate(tokens):
        if skip:
            skip -= 1
        elif kind == "clock":
            pieces.append(_clock(text, when, is_minute=_is_minute(tokens, place), noon=noon))
        elif kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[text[1]]
            pieces.append(f"{total // (unit * 1_000_000):0{len(text) - 2}}")
        elif kind == "noon":
            pieces.append(_half(text, when))
        elif text == "." and (digits := _zeros(tokens, place)):
            pieces.append("." + f"{when.microsecond:06}".ljust(digits, "0")[:digits])
            skip = digits
        elif kind in {"digit", "power", "general"} or text in {"@", "%"}:
            return None
        else:
            pieces.append(text)
    return "".join(pieces).strip()


def _clock(text: str, when: dt.datetime, *, is_minute: bool, noon: bool) -> str:
    letter, size = text[0], len(text)
    if letter == "y":
        return f"{when.year:04}" if size > 2 else f"{when.year % 100:02}"
    if letter == "m" and not is_minute:
        name = _MONTHS[when.month - 1]
        return {1: f"{when.month}", 2: f"{when.month:02}", 3: name[:3], 5: name[0]}.get(size, name)
    if letter == "d":
        name = _DAYS[when.weekday()]
        return {1: f"{when.day}", 2: f"{when.day:02}", 3: name[:3]}.get(size, name)
    hour = (when.hour + 11) % 12 + 1 if noon else when.hour
    number = {"h": hour, "m": when.minute, "s": when.second}[letter]
    return f"{number:02}" if size > 1 else f"{number}"


def _half(text: str, when: dt.datetime) -> str:
    half = "PM" if when.hour >= 12 else "AM"
    return half if len(text) > 3 else half[0]


def _is_minute(tokens: Sequence[tuple[str, str]], place: int) -> bool:
    """Whether an m stands for minutes: right after hours, or right before seconds."""
    letters = [(i, text.strip("[]")[0]) for i, (kind, text) in enumerate(tokens) if kind in {"clock", "elapsed"}]
    at = [i for i, _ in letters].index(place)
    before = letters[at - 1][1] if at else ""
    after = letters[at + 1][1] if at + 1 < len(letters) else ""
    return before == "h" or after == "s"


def _zeros(tokens: Sequence[tuple[str, str]], place: int) -> int:
    count = 0
    while place + 1 + count < len(tokens) and tokens[place + 1 + count] == ("digit", "0"):
        count += 1
    return count


def _decimals(tokens: Sequence[tuple[str, str]]) -> int:
    return max((_zeros(tokens, i) for i, (_, text) in enumerate(tokens) if text == "."), default=0)
