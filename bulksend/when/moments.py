"""A moment as people write it, such as ``tomorrow 09:00``, made an instant once and for all."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from bulksend.errors import UsageError
from bulksend.when.zones import instant, local

_WRITTEN = re.compile(
    r"(?:(?P<day>today|tomorrow|\d{4}-\d\d-\d\d)(?: |t))?(?P<time>\d\d?:\d\d(?P<second>:\d\d)?) ?"
    r"(?P<offset>z|[+-]\d\d:?\d\d)?"
)
_YEARS = 1  # ahead; further away is a slip
_MINUTE_S, _DAY_S = 60.0, 86_400.0


class Moment(NamedTuple):
    """When a run begins.

    Attributes:
        at_s: in seconds since 1970.
        words: how somebody wrote it.
        zone: by the clock of which zone.
    """

    at_s: float
    words: str
    zone: str


def parse_moment(text: str, now_s: float, zone: str) -> Moment:
    """A moment that is written now.

    Args:
        text: ``18:30``, ``tomorrow 09:00``, ``2026-12-24 09:00`` or ``2026-12-24T09:00``, with an offset such as
            ``+08:00`` or ``Z`` or without.
        now_s: in seconds since 1970.
        zone: whose clock is meant where there is no offset.

    Raises:
        UsageError: it is none, it has passed, or it is more than a year away.
    """
    words = normalised(text)
    found = _WRITTEN.fullmatch(words)
    if found is None:
        raise UsageError(_is_none(text))
    ahead = _offset(found["offset"], text) if found["offset"] else None
    here = local(now_s, zone) if ahead is None else datetime.fromtimestamp(now_s, UTC) + ahead
    try:
        day = _day(found["day"], here.date())
        hour, minute, second = (int(each) for each in f"{found['time']}:00".split(":")[:3])
        wall = datetime.combine(day, time(hour, minute, second))
    except ValueError as error:
        raise UsageError(_is_none(text)) from error
    if wall.year - here.year > _YEARS:
        raise UsageError(f"{text}: that is more than a year away")
    at_s = instant(wall, zone) if ahead is None else (wall - ahead).replace(tzinfo=UTC).timestamp()
    if at_s + (0.0 if found["second"] else _MINUTE_S) <= now_s:  # 18:30 has not passed as long as it is 18:30
        raise UsageError(_has_passed(text, found["day"], at_s, now_s, zone))
    return Moment(at_s, " ".join(text.split()), zone)


def check_written(text: str) -> None:
    """See that a text is written as a moment is.

    Raises:
        UsageError: it is not.
    """
    if not _WRITTEN.fullmatch(normalised(text)):
        raise UsageError(_is_none(text))


def check_recent(kept: Moment, now_s: float) -> None:
    """See that words without a date are not said again days later, when nobody can mean that moment any more.

    Raises:
        UsageError: they are.
    """
    found = _WRITTEN.fullmatch(normalised(kept.words))
    is_dated = found is None or (found["day"] or "")[:1].isdigit()
    if not is_dated and now_s - kept.at_s > _DAY_S:
        then = local(kept.at_s, kept.zone)
        raise UsageError(
            f"{kept.words} meant {then:%Y-%m-%d %H:%M} ({kept.zone}) when this run was planned, and nothing of it was "
            "sent then: say `now`, or another time with its date"
        )


def normalised(text: str) -> str:
    """The same words, however they are spaced and capitalised."""
    return " ".join(text.lower().split())


def _day(said: str | None, today: date) -> date:
    if said is None or said == "today":
        return today
    return today + timedelta(days=1) if said == "tomorrow" else date.fromisoformat(said)


def _offset(text: str, whole: str) -> timedelta:
    if text == "z":
        return timedelta()
    digits = text[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if ahead >= timedelta(days=1):
        raise UsageError(_is_none(whole))
    return -ahead if text[0] == "-" else ahead


def _is_none(text: str) -> str:
    return f"{text!r} is no time: write it as 18:30, tomorrow 09:00, 2026-12-24 09:00 or 2026-12-24T09:00+08:00"


def _has_passed(text: str, day: str | None, at_s: float, now_s: float, zone: str) -> str:
    now = local(now_s, zone)
    is_today = local(at_s, zone).date() == now.date()
    it_is = f"{now:%H:%M}" if is_today else f"{now:%Y-%m-%d %H:%M}"
    instead = f": say `tomorrow {text}`" if day is None else ""
    return f"{text} has passed (it is {it_is} in {zone}){instead}"
