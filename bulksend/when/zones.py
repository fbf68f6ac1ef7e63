"""Zones by their names, and what a clock on a wall there shows: which instant is meant, and the other way round."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from bulksend.errors import UsageError

_LINK, _NAME = Path("/etc/localtime"), Path("/etc/timezone")


@cache
def zone_named(name: str) -> ZoneInfo:
    """A zone by its name in the IANA database.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a name with a slash too many is a folder or outside of it
        near = get_close_matches(name, _places(), n=1)
        hint = f"did you mean {near[0]}?" if near else "write one such as Asia/Manila"
        raise UsageError(f"there is no time zone {name!r}: {hint}") from error


def _places() -> list[str]:
    """The zones that are named for a place.

    No other is meant by PST, which Manila has as well as Los Angeles, nor by GMT+8, for Etc/GMT+8 is behind UTC.
    """
    return [name for name in available_timezones() if "/" in name and not name.startswith("Etc/")]


def machine_zone(*, link: Path = _LINK, file: Path = _NAME) -> str:
    """The name of this machine's zone.

    Args:
        link: where the machine links to its zone's rules.
        file: where some machines write its name.

    Raises:
        UsageError: the machine tells none.
    """
    name = os.environ.get("TZ", "").removeprefix(":").partition("zoneinfo/")
    said = name[2] or name[0]
    if not said and link.is_symlink():
        said = str(link.resolve()).partition("zoneinfo/")[2]
    if not said and file.is_file():
        said = file.read_text(encoding="utf-8", errors="replace").strip()
    if not said and not link.exists():
        said = "UTC"  # as the C library has it
    try:
        return zone_named(said).key
    except UsageError as error:
        raise UsageError("this machine does not tell the name of its time zone: say which is meant") from error


def local(at_s: float, zone: str) -> datetime:
    """An instant, in seconds since 1970, by the clock of a zone."""
    return datetime.fromtimestamp(at_s, zone_named(zone))


def instant(wall: datetime, zone: str) -> float:
    """When the clock of a zone shows this, in seconds since 1970.

    Where it shows it twice the first time is meant; where it leaves it out, the instant at which it leaps over it.
    """
    there = zone_named(zone)
    late = wall.replace(tzinfo=there, fold=0).timestamp()
    if datetime.fromtimestamp(late, there).replace(tzinfo=None) == wall:
        return late
    early = wall.replace(tzinfo=there, fold=1).timestamp()  # before the leap, for by then the clock is ahead
    return _change_between(early, late, there)


def _change_between(before_s: float, after_s: float, zone: ZoneInfo) -> float:
    """When a zone's clock is set, between two instants; to the second, as all of them are."""
    low, high = int(before_s), int(after_s)
    old = _ahead(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _ahead(middle, zone) == old:
            low = middle
        else:
            high = middle
    return float(high)


def _ahead(at_s: float, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset()
