"""Somebody elsewhere looks on while a run is sent: the sending process notes where it stands, and others read that.

Whoever looks on only reads, and lets go of the run between two looks: its owner must be able to end, and to put another
plan in its place, as if nobody looked.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import orjson

from bulksend.campaign.alongside import alongside
from bulksend.campaign.counting import Counting
from bulksend.campaign.events import CampaignEvent, PaceFound, Progressed, Started, StoppingEarly, Tell
from bulksend.errors import BulksendError, OwnedError, RunFileError
from bulksend.model import Status
from bulksend.runs import Owner, Place, Run, Shared, Spell, Standing, open_run, stand_of
from bulksend.sending import Journal, Progress, Stop, StopReason, Why

_LOOK_S = 1.0
_FIRST_S = 0.1
_UNREAD_MAX = 5  # looks: a file that is just ending, or being replaced, can be read at the next


@dataclass(frozen=True, slots=True)
class View:
    """Where a send stands, as the sending process noted it.

    Attributes:
        at_s: when, in seconds since 1970.
        began: what is sent.
        seen: where it stands.
        stop: why it is ending; None if it is not.
    """

    at_s: float
    began: Started
    seen: Progressed
    stop: Stop | None = None

    def words(self) -> str:
        """The same, to be noted."""
        return orjson.dumps(self, option=orjson.OPT_NON_STR_KEYS).decode()

    @classmethod
    def read(cls, words: str) -> View | None:
        """What was noted; None if another version noted it, whose words are not known here."""
        with suppress(KeyError, TypeError, ValueError):
            found = orjson.loads(words)
            stop = found["stop"] and Stop(StopReason(found["stop"]["reason"]), found["stop"]["says"])
            return cls(found["at_s"], Started(**found["began"]), _progressed(found["seen"]), stop)
        return None

    def aged(self, seconds: float) -> View:
        """The same, so many seconds later."""
        seen = self.seen

        def later(left_s: float | None) -> float | None:
            return None if left_s is None else max(left_s - seconds, 0.0)

        seen = replace(
            seen,
            left_s=later(seen.left_s),
            free_s=later(seen.free_s),
            slowed_s=later(seen.slowed_s) or 0.0,
            away_s=later(seen.away_s),
            closes_s=later(seen.closes_s),
        )
        return replace(self, seen=seen)


class Look(NamedTuple):
    """What one look at a run shows.

    Attributes:
        owner: who has the run; None if nobody has, or whoever had it is gone.
        shared: the workers that it is left to; None if it is to none.
        spell: from when to when it was sent; while it is sent, the end is that of the time before.
        view: where the send stands; None if none is under way, or it has told nothing yet.
        silent_s: how long ago it told that.
    """

    owner: Owner | None
    spell: Spell
    view: View | None = None
    silent_s: float = 0.0
    shared: Shared | None = None

    @property
    def is_held(self) -> bool:
        """Whether somebody has the run, or it is left to workers."""
        return self.owner is not None or self.shared is not None


class Onlookers:
    """Notes where a send stands, each second, for whoever looks on.

    Args:
        tell: hears every event, as if there were no onlookers.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._began: Started | None = None
        self._seen: Progressed | None = None
        self._stop: Stop | None = None

    def hear(self, event: CampaignEvent) -> None:
        """Remember it, and pass it on."""
        match event:
            case Started():
                self._began = event
            case Progressed():
                self._seen = event
            case StoppingEarly(stop):
                self._stop = stop
            case _:
                pass
        self._tell(event)

    def shown(self, journal: Journal) -> AbstractAsyncContextManager[None]:
        """Let them see it, for as long as it works."""
        return alongside(self._show_on(journal))

    async def _show_on(self, journal: Journal) -> None:
        while True:
            await asyncio.sleep(_LOOK_S if self._seen else _FIRST_S)
            if self._began and self._seen:
                view = View(time.time(), self._began, self._seen, self._stop)
                with suppress(RunFileError, OwnedError):  # whoever notes something next hears of it
                    await journal.note_progress(view.words())


def looks(place: Place, pause: Callable[[float], None] = time.sleep) -> Iterator[Look]:
    """Look at a run about once a second, until whoever sends it has ended.

    As long as nobody sends it, it is waited for; a run of which nothing is left to send is not looked at at all.

    Args:
        place: the run's.
        pause: waits so many seconds.

    Raises:
        UsageError: there is none, or it is of a newer version.
        RunFileError: it cannot be read.
    """
    counting = Counting()
    with open_run(place) as run:
        first = look = _look(run, counting)
    was_sent, was_held = False, True
    while True:
        if not look.is_held and (was_sent or look.spell != first.spell or (was_held and _is_through(place))):
            return
        was_sent, was_held = was_sent or look.view is not None, look.is_held
        yield look
        pause(_LOOK_S)
        look = _look_again(place, counting, pause)


def _is_through(place: Place) -> bool:
    """Whether nothing is left to send; looks at all rows."""
    with open_run(place) as run:
        return stand_of(run).standing in {Standing.FINISHED, Standing.IN_DOUBT}


def _look_again(place: Place, counting: Counting, pause: Callable[[float], None]) -> Look:
    for unread in range(1, _UNREAD_MAX + 1):
        try:
            with open_run(place) as run:
                return _look(run, counting)
        except BulksendError:
            if unread == _UNREAD_MAX:
                raise
        pause(_LOOK_S)
    raise AssertionError


def _look(run: Run, counting: Counting) -> Look:
    spell, owner = run.spell, run.owner  # in this order: an end between the two shows at the next look
    if owner is not None and owner.is_gone:
        owner = None
    shared = run.shared
    if shared is not None and (owner is None or len(shared.here) > 1):  # else whoever sends it alone tells more
        counted = counting.count(run) if shared.here else None
        return Look(None, spell, counted and View(time.time(), *counted), shared=shared)
    words = None if owner is None else run.progress
    view = None if words is None else View.read(words)
    if view is None:
        return Look(owner, spell)
    silent_s = max(time.time() - view.at_s, 0.0)
    return Look(owner, spell, view.aged(silent_s), silent_s)


def _progressed(found: dict[str, Any]) -> Progressed:
    now = found.pop("now")
    ends = {Status(status): rows for status, rows in now.pop("ends").items()}
    free_at = now.pop("free_at")  # by the clock of the sending process, where "nobody can tell" is no number
    pace = found.pop("found")
    return Progressed(
        Progress(ends, free_at=math.inf if free_at is None else free_at, **now),
        **found,
        found=pace and PaceFound(pace["at_once"], pace["rate"], pace["why"] and Why(pace["why"])),
    )
