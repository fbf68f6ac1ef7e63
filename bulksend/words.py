"""Words made fit to show: foreign ones, and how many there are of something."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Control characters, and those that turn the direction of what follows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


def printable(text: str, longest: int = 300) -> str:
    """The text on one line of at most ``longest`` characters, with nothing a terminal would obey."""
    if len(text) <= longest and text.isprintable():
        return text.strip()
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def many(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things, in words; more than one of them end in an s, unless it is said how."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def figure(value: float) -> str:
    """A measured number, to three digits where it has so many before its point, and never as a power of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def listed(things: Sequence[str]) -> str:
    """Things one after the other, such as: red, green and blue."""
    return " and ".join(filter(None, (", ".join(things[:-1]), *things[-1:])))


def time_of(seconds: float) -> str:
    """A duration for people."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
