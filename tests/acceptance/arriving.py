"""What reached phones under several names, judged by what whoever sent it could know.

A contact is a name of a phone that only an answer tells. The server's log shows what was answered, but not whether
whoever asked lived to note it: that stands in the run's database, with the time of the commit. Before, nobody can know;
soon after, everybody has to.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from hostile import parts_of
from judging import CAP, WINDOW_S, name_of

HEARD_S = 0.6
"""So long after it was noted whose phone a contact is, nothing leaves that was begun before, on a busy machine too."""

_NOTED = """
SELECT contact, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM bulksend.number
WHERE current_setting('track_commit_timestamp')::boolean
"""


class Arrival(NamedTuple):
    """An SMS at its phone.

    Attributes:
        contact: to whom it was sent; 0 if to the number.
        parts: so many SMS it is.
        asked_at: when it was sent, by the server's clock.
        at: when it was accepted.
        text: what it says.
    """

    contact: int
    parts: int
    asked_at: float
    at: float
    text: str


class Crowd(NamedTuple):
    """More SMS within a window than a phone may get.

    Attributes:
        phone: whose.
        arrivals: the SMS, in order; the last is the one too many.
        is_known: whether whoever sent that one could know of so many others that it was one too many.
    """

    phone: str
    arrivals: tuple[Arrival, ...]
    is_known: bool

    def __str__(self) -> str:
        last = self.arrivals[-1]
        others = ", ".join(
            f"{each.contact or 'number'} {each.at - last.at:.3f} s ({each.text[:12]}, {each.parts})"
            for each in self.arrivals
        )
        return f"{self.phone} got {sum(each.parts for each in self.arrivals)} parts: {others}"


def noted(database: str) -> dict[int, float]:
    """When the run in a database had noted whose phones its contacts are, by the clock of a server's log.

    Of a server that was not told to keep the times of commits nothing is known.
    """
    ahead_s = time.time() - time.monotonic()
    with psycopg.connect(database) as db:
        return {contact: at - ahead_s for contact, at in db.execute(_NOTED)}


def crowds(
    records: Sequence[Mapping[str, Any]], noted_at: Mapping[int, float], window_s: float = WINDOW_S
) -> Iterator[Crowd]:  # fmt: skip
    """Where more parts reached a capped phone within a window than the telcos let through, whatever it was called.

    Args:
        records: what a server saw.
        noted_at: see `noted`.
        window_s: the cap's.
    """
    for phone, arrivals in _arrivals(records).items():
        for place, last in enumerate(arrivals):
            within = [each for each in arrivals[:place] if last.at - each.at < window_s]
            if not within or _parts([*within, last]) <= CAP:
                continue
            known = [each for each in within if _is_known(each, last, noted_at)]
            is_known = _is_known(last, last, noted_at) and bool(known) and _parts([*known, last]) > CAP
            yield Crowd(phone, (*within, last), is_known)


def _arrivals(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Arrival]]:
    """What reached each capped phone, in order."""
    found: dict[str, list[Arrival]] = defaultdict(list)
    asked_at: dict[object, float] = {}
    for record in records:
        which = name_of(record), record["key"]
        if record["what"] == "request":
            asked_at[which] = record["at"]
        elif record["what"] == "accepted" and record["to"].startswith("63"):
            text = record["text"]
            arrival = Arrival(record["contact"], parts_of(text), asked_at[which], record["at"], text)
            found[record["to"]].append(arrival)
    return found


def _is_known(arrival: Arrival, last: Arrival, noted_at: Mapping[int, float]) -> bool:
    """Whether an SMS was known to be the phone's when the last one was sent."""
    if not arrival.contact:
        return True
    return arrival.contact in noted_at and noted_at[arrival.contact] + HEARD_S < last.asked_at


def _parts(arrivals: Sequence[Arrival]) -> int:
    return sum(each.parts for each in arrivals)
