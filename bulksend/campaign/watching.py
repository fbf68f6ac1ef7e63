"""What is told of an engine for as long as it works."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bulksend.campaign.alongside import alongside
from bulksend.campaign.events import CutShort, PaceFound, Progressed, ServerAway, Slowed, StoppingEarly, Tell
from bulksend.campaign.meter import Meter, seconds_left
from bulksend.sending import NOTHING_DONE, Engine, Progress, Stop, Stopping

_LOOK_S = 0.1
_CAPS_LOOK_S = 5.0  # the caps are looked at phone by phone, so not as often


@asynccontextmanager
async def told(
    engine: Engine, stopping: Stopping, tell: Tell, *, rows: int, grace_s: float, before: Progress = NOTHING_DONE
) -> AsyncIterator[None]:
    """Tell how an engine gets on, for as long as it works.

    Args:
        engine: the engine.
        stopping: whether it is to end.
        tell: hears of it.
        rows: how many it is to send.
        grace_s: how long it waits for answers where somebody waits for its end.
        before: what engines before it have done of these rows.
    """
    async with alongside(_Watching(engine, stopping, tell, rows, grace_s, before).run()):
        yield


class _Watching:
    """Looks at one engine."""

    def __init__(
        self, engine: Engine, stopping: Stopping, tell: Tell, rows: int, grace_s: float, before: Progress
    ) -> None:
        self._before = before
        self._engine = engine
        self._stopping = stopping
        self._tell = tell
        self._rows = rows
        self._grace_s = grace_s
        self._began = time.monotonic()
        self._done, self._sent = Meter(self._began), Meter(self._began)
        self._caps_until = self._caps_seen = 0.0
        self._quiet_until = self._looks_at = 0.0
        self._told: Stop | None = None
        self._is_hurried = False
        stopping.tell(self._asked)
        self._found: PaceFound | None = None
        self._asked()

    async def run(self) -> None:
        """Tell of it until cancelled."""
        try:
            while True:
                mono_s = time.monotonic()
                self._tell_of_pauses(mono_s)
                self._tell_of_the_pace()
                self._tell(self._progress(mono_s))
                await asyncio.sleep(_LOOK_S)
        finally:
            self._tell(self._progress(time.monotonic()))

    def _tell_of_pauses(self, mono_s: float) -> None:
        engine = self._engine
        if engine.throttle.quiet_until > max(self._quiet_until, mono_s):
            self._quiet_until = engine.throttle.quiet_until
            self._tell(Slowed(self._quiet_until - mono_s))
        if engine.looks_at != self._looks_at:
            self._looks_at = engine.looks_at
            if self._looks_at < math.inf:
                self._tell(ServerAway(max(0.0, self._looks_at - mono_s)))

    def _tell_of_the_pace(self) -> None:
        """Tell what was found, but not each step of the search."""
        last, found = self._found, self._pace_found
        if found is None or found.why is None or found == last:
            return
        if last is None or last.why is not found.why or not 0.8 < found.at_once / last.at_once < 1.25:
            self._found = found
            self._tell(found)

    @property
    def _pace_found(self) -> PaceFound | None:
        throttle = self._engine.throttle
        if throttle.is_fixed and math.isinf(throttle.rate):
            return None
        return PaceFound(throttle.width, None if math.isinf(throttle.rate) else throttle.rate, throttle.why)

    def _asked(self) -> None:
        """Called whenever an end is asked for; what is under way is counted before it is given up."""
        why = self._stopping.why
        if why is not None and why is not self._told:
            self._told = why
            self._tell(StoppingEarly(why, self._in_flight, self._grace_s))
        if self._stopping.is_hurried and not self._is_hurried:
            self._is_hurried = True
            self._tell(CutShort(self._in_flight))

    @property
    def _in_flight(self) -> int:
        return self._engine.progress.in_flight

    def _progress(self, mono_s: float) -> Progressed:
        engine = self._engine
        now = self._before.and_then(engine.progress)
        done = now.sent + now.not_sent
        self._done.note(mono_s, done)
        self._sent.note(mono_s, now.sent)
        slowed_s = max(engine.throttle.quiet_until - mono_s, 0.0)
        away_s = max(engine.looks_at - mono_s, 0.0) if engine.looks_at < math.inf else None
        free = self._rows - done - now.parked
        return Progressed(
            now,
            seconds=mono_s - self._began,
            pace=self._sent.pace(mono_s, now.sent),
            mean=self._sent.mean(mono_s, now.sent),
            left_s=None if away_s is not None or self._stopping.why else self._left_s(now, free, mono_s, slowed_s),
            free_s=max(now.free_at - mono_s, 0.0) if now.free_at < math.inf else None,
            slowed_s=slowed_s,
            away_s=away_s,
            closes_s=max(asks_at - time.time(), 0.0) if (asks_at := self._stopping.asks_at) < math.inf else None,
            found=self._pace_found,
        )

    def _left_s(self, now: Progress, free: int, mono_s: float, slowed_s: float) -> float | None:
        done = now.sent + now.not_sent
        if now.parked and (mono_s > self._caps_until or mono_s - self._caps_seen > _CAPS_LOOK_S):
            self._caps_until, self._caps_seen = mono_s + self._engine.caps_s, mono_s
        # After a pause, what was measured lately is too slow.
        pace = max(self._done.pace(mono_s, done), self._done.mean(mono_s, done) if done else 0.0)
        return seconds_left(free, pace, self._caps_until - mono_s, slowed_s)
