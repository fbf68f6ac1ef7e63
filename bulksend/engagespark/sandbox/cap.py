"""The telcos' cap: 5 SMS per Philippine mobile number and minute, what comes above is lost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

CAPPED_PREFIX = "639"
"""Mobile numbers of the Philippines."""


class PhoneCap:
    """An exact rolling window for each capped number, over the times at which SMS arrive.

    Every part of a message is one SMS. A message that does not fit beside what the phone got within the
    window is lost as a whole. Lost messages take no room: the telco passes on 5 a minute, however many
    come. A message longer than the cap passes if it comes alone. The window is closed: what came exactly
    ``window_s`` ago still counts, so a 6th SMS passes only *over* a minute after the 1st.

    Memory follows the traffic of one window. ``wall_s`` must not go back.

    Attributes:
        worst: the most SMS that came for one number within any window, lost ones too.
    """

    __slots__ = ("_arrivals", "_count", "_phones", "_window_s", "worst")

    def __init__(self, count: int, window_s: float) -> None:
        self._count = count
        self._window_s = window_s
        self._arrivals: deque[_Arrival] = deque()
        self._phones: dict[str, _Phone] = {}
        self.worst = 0

    def loses(self, number: str, parts: int, wall_s: float) -> bool:
        """Let a message arrive, and tell whether its phone's cap swallows it."""
        if not number.startswith(CAPPED_PREFIX):
            return False
        self._expire(wall_s)
        phone = self._phones.setdefault(number, _Phone())
        lost = phone.delivered > 0 and phone.delivered + parts > self._count
        phone.came += parts
        phone.delivered += 0 if lost else parts
        self._arrivals.append(_Arrival(wall_s, number, parts, 0 if lost else parts))
        self.worst = max(self.worst, phone.came)
        return lost

    def _expire(self, wall_s: float) -> None:
        while self._arrivals and wall_s - self._arrivals[0].at > self._window_s:
            gone = self._arrivals.popleft()
            phone = self._phones[gone.number]
            phone.came -= gone.parts
            phone.delivered -= gone.delivered
            if not phone.came:
                del self._phones[gone.number]


@dataclass(slots=True)
class _Phone:
    """SMS of one number within the window that ends now."""

    came: int = 0
    delivered: int = 0


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: float
    number: str
    parts: int
    delivered: int
