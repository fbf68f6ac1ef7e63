"""Progress while a run goes on: a bar in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bulksend.cli import show
from bulksend.sending import Engine

_REDRAW_S = 0.1
_LINE_S = 10.0
_CAPS_S = 5.0  # the caps are looked at phone by phone, so not at each redraw


async def watch(engine: Engine, total: int, out: Console) -> None:
    """Show an engine's progress until cancelled.

    Args:
        engine: the engine at work.
        total: messages it is to send.
        out: where to; if that is no terminal, plain lines are written.
    """
    if out.is_terminal:
        await _watch_bar(engine, total, out)
    else:
        await _watch_lines(engine, total, out)


async def _watch_bar(engine: Engine, total: int, out: Console) -> None:
    columns = (
        TextColumn("sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    standing = _Standing(engine, total)
    with Progress(*columns, console=out, auto_refresh=False) as bar:
        task = bar.add_task("sending", total=total, note="")
        try:
            while True:
                done, note = standing.look()
                bar.update(task, completed=done, note=note, refresh=True)
                await asyncio.sleep(_REDRAW_S)
        finally:
            done, note = standing.look()
            bar.update(task, completed=done, note=note, refresh=True)


async def _watch_lines(engine: Engine, total: int, out: Console) -> None:
    standing = _Standing(engine, total)
    while True:
        await asyncio.sleep(_LINE_S)
        done, note = standing.look()
        out.print(f"{done:,} of {total:,} done, {note}", soft_wrap=True)


class _Standing:
    """How many messages are done with, and what there is to say."""

    def __init__(self, engine: Engine, total: int) -> None:
        self._engine = engine
        self._total = total
        self._started = time.monotonic()
        self._caps_until = self._caps_seen = 0.0

    def look(self) -> tuple[int, str]:
        """Messages done with, and a note."""
        progress, now = self._engine.progress, time.monotonic()
        done, sent = progress.sent + progress.not_sent, progress.sent
        seconds = max(now - self._started, 0.001)
        words = [f"{sent / seconds:,.0f}/s"]
        if bad := progress.not_sent:
            words.append(f"{bad:,} not sent")
        if progress.parked:
            words.append(f"{progress.parked:,} wait for their phone's cap")
        if now - self._caps_seen > _CAPS_S:
            self._caps_until, self._caps_seen = now + self._engine.caps_s, now
        if done:
            left = seconds_left(self._total - done - progress.parked, done / seconds, self._caps_until - now)
            words.append(f"{show.time_of(left)} left")
        return done, ", ".join(words)


def seconds_left(free: int, pace: float, caps_s: float) -> float:
    """How long a run still takes: its free messages at the pace so far, its parked ones as their caps allow."""
    return max(free / pace, caps_s, 0.0)
