"""Progress while a run goes on: a bar in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bulksend.engine import Engine
from bulksend.model import Status

_REDRAW_S = 0.1
_LINE_S = 10.0


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
    with Progress(*columns, console=out, auto_refresh=False) as bar:
        task = bar.add_task("sending", total=total, note="")
        started = time.monotonic()
        try:
            while True:
                done, note = _standing(engine, started)
                bar.update(task, completed=done, note=note, refresh=True)
                await asyncio.sleep(_REDRAW_S)
        finally:
            done, note = _standing(engine, started)
            bar.update(task, completed=done, note=note, refresh=True)


async def _watch_lines(engine: Engine, total: int, out: Console) -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(_LINE_S)
        done, note = _standing(engine, started)
        out.print(f"{done:,} of {total:,} done, {note}", soft_wrap=True)


def _standing(engine: Engine, started: float) -> tuple[int, str]:
    """How many messages are done with, and what there is to say; one look at the engine, which counts its lanes."""
    progress = engine.progress
    done, sent = sum(progress.done.values()), progress.done[Status.SENT]
    words = [f"{sent / max(time.monotonic() - started, 0.001):,.0f}/s"]
    if bad := done - sent:
        words.append(f"{bad:,} not sent")
    if progress.parked:
        words.append(f"{progress.parked:,} wait for their phone's cap")
    return done, ", ".join(words)
