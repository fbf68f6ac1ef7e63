"""How history takes in what runs sent, whatever it is written in: see `bulksend.runs.outliving.History`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from bulksend.runs.finding import found_again, key_of
from bulksend.runs.hashes import Hashes
from bulksend.runs.outliving import Command
from bulksend.runs.places import place_of
from bulksend.runs.store import Run
from bulksend.runs.telling import Arrived

AT_ONCE = 20_000  # messages


class Begun(NamedTuple):
    """A command of a run that history takes in.

    Attributes:
        number: its number.
        sends_since: since when it had the account, in seconds since 1970.
        is_open: whether it is not known yet what it sent.
    """

    number: int
    sends_since: float
    is_open: int


Taken = tuple[int, int, int, int, int]
"""A message as history keeps it: hashes of phone and text, number of the command, row, whether in doubt."""


class Absorbing(Protocol):
    """As much of a history as catches up."""

    def open_commands(self) -> list[Command]:
        """The commands of which it is not known here yet what they sent."""

    def absorb(self, run: Run, *, since_s: float | None = None, closes: bool = True, other: Run | None = None) -> None:
        """See `History.absorb`."""


def absorbed_since(commands: Sequence[Begun], since_s: float | None) -> float | None:
    """Since when to take in; None for nothing."""
    first = min((since for _, since, is_open in commands if is_open), default=since_s)
    return first if commands else None


def arrivals(
    run: Run, since_s: float, *, closes: bool, other: Run | None
) -> Generator[tuple[list[Arrived], int], None, None]:
    """What a run sent that is to be taken in, some at a time, and how many were looked at; see `History.absorb`."""
    arrived = run.arrived(since_s)
    while some := list(islice(arrived, AT_ONCE)):
        doubts = [(each.row, each.started_at) for each in some if each.in_doubt]
        settled = other.knows(doubts) if other and closes else {row for row, _ in doubts if not closes}
        yield [each for each in some if not (each.in_doubt and each.row in settled)], len(some)


def taken(some: Sequence[Arrived], commands: Sequence[Begun], hashes: Hashes) -> list[Taken]:
    """Messages as they are kept, each of the command that had the account when it was tried."""
    if not some:
        return []
    rows, recipients, texts, started, doubts = zip(*some, strict=True)
    begun = [since for _, since, _ in commands]
    of = (commands[max(0, bisect_right(begun, at_s) - 1)].number for at_s in started)
    return list(zip(hashes.of_phones(recipients), hashes.of_texts(texts), of, rows, doubts, strict=True))


def catch_up(history: Absorbing, own: Run, *, closes: bool) -> list[Command]:
    """See `History.catch_up`."""
    own_key, own_plan, lost = key_of(own), own.facts.plan_id, []
    for command in history.open_commands():
        if command.key == own_key:
            continue
        with found_again(command.key, place_of(command.run)) as run:
            if run is not None:
                history.absorb(run, closes=closes, other=own if command.plan_id == own_plan else None)
            elif command.plan_id != own_plan:  # or else it is most likely this file, under another number
                lost.append(command)
    return lost
