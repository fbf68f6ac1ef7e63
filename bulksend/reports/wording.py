"""How a page words times and numbers; numbers of phones with most of their digits hidden, unless they are wanted."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bulksend.model import PhoneNumber, Recipient
from bulksend.runs import CUT_OFF, FINISHED, LIMITED, End
from bulksend.sms import phones
from bulksend.words import printable

_SHOWN_DIGITS = 3
_TEXT_MAX = 300
# A day is written with as many digits as a number: it stays. So does the row that a number stands in, and the name of a
# circular, such as NTC MC 03-03-2005.
_NUMBER = re.compile(
    r"(?P<kept>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:[\d:.]+)?|\b(?:row|line) [\d,]+|\bM[CO] \d\d-\d\d-\d{4}\b)"
    r"|\+?\d(?:[ ().-]{0,2}\d){6,}"
)


_WORDS = {
    FINISHED: "all was done that could be",
    LIMITED: "so many rows as were wanted were done",
    CUT_OFF: "it was cut off",
}


class Numbers:
    """Writes the numbers of phones.

    Args:
        are_shown: whether all digits are.
    """

    def __init__(self, *, are_shown: bool) -> None:
        self.are_shown = are_shown

    def of(self, recipient: Recipient | None) -> str:
        """A recipient; empty where none could be read."""
        if recipient is None:
            return ""
        if isinstance(recipient, int):
            return f"contact {recipient}"
        return recipient if self.are_shown else _hidden(recipient)

    def within(self, text: str, longest: int = _TEXT_MAX) -> str:
        """A text of foreign origin on one line, with the numbers in it."""
        if not self.are_shown:
            text = _NUMBER.sub(lambda found: found[0] if found["kept"] else _hidden(re.sub(r"\D", "", found[0])), text)
        return printable(text, longest)


def why_ended(end: End) -> str:
    """Why a send ended."""
    return printable(end.says) or _WORDS.get(end.reason, end.reason)


def moment(seconds: float) -> str:
    """A time to the minute, where the reader's clock matters."""
    then = local(seconds)
    return f"{day(seconds)}, {then:%H:%M}"


def day(seconds: float) -> str:
    """A day."""
    then = local(seconds)
    return f"{then.day} {then:%B %Y}"


def zone(seconds: float) -> str:
    """By which clock times are told, such as UTC+8."""
    hours, rest = divmod(round(ahead_s(seconds) / 60), 60)
    return f"UTC{hours:+}" + (f":{rest:02}" if rest else "") if hours or rest else "UTC"


def ahead_s(seconds: float) -> float:
    """By how many seconds the clock of this machine is then ahead of UTC."""
    return (local(seconds).utcoffset() or timedelta()).total_seconds()


def local(seconds: float) -> datetime:
    """A time by the clock of this machine."""
    return datetime.fromtimestamp(seconds).astimezone()


def share(part: int, whole: int) -> str:
    """A share in percent; one that is nearly none or nearly all is never told as that."""
    if not whole or part in {0, whole}:
        return "100\u00a0%" if part else "0\u00a0%"
    percent = 100 * part / whole
    return "under 0.1\u00a0%" if percent < 0.1 else "over 99.9\u00a0%" if percent > 99.9 else f"{percent:.1f}\u00a0%"


def _hidden(number: str) -> str:
    shown = phones.dialing_code(PhoneNumber(number)) or number[:2]
    rest = number[len(shown) :]
    kept = rest[-_SHOWN_DIGITS:] if len(rest) > 2 * _SHOWN_DIGITS else ""
    return shown + "•" * (len(rest) - len(kept)) + kept
