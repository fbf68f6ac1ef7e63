"""A cell's value in plain letters, whatever its format: 639171234567, not 6.39E+11; dates in ISO 8601."""

from __future__ import annotations

import datetime as dt

_EXACT = 1e16  # whole numbers below it are exact in a float


def plain(value: object) -> str:
    """A value as text."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _EXACT:
            return str(int(value))
        return f"{value:.15g}"  # as many digits as Excel and LibreOffice show: 0.3, not 0.30000000000000004
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)
