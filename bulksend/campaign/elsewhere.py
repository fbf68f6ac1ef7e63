"""Somebody elsewhere may ask that a send end: it is looked for before anything leaves, and each second from then on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bulksend.campaign.alongside import alongside
from bulksend.errors import OwnedError, RunFileError, StoppedError
from bulksend.runs import OwnRun, asked_words
from bulksend.sending import Journal, Stop, Stopping, StopReason

_LOOK_S = 1.0


@asynccontextmanager
async def heeded(journal: Journal, stopping: Stopping) -> AsyncIterator[None]:
    """Ask for a send's end when somebody elsewhere does, for as long as it works."""
    await _look(journal, stopping)
    async with alongside(_look_on(journal, stopping)):
        yield


def check_not_asked(run: OwnRun) -> None:
    """See that nobody has asked for the end while nothing was sent yet.

    Raises:
        StoppedError: somebody has.
    """
    at_s = run.asked_at
    if at_s is not None:
        raise StoppedError(f"{run.place}: nothing was sent: {asked_words(at_s)}")


async def _look_on(journal: Journal, stopping: Stopping) -> None:
    while True:
        await asyncio.sleep(_LOOK_S)
        await _look(journal, stopping)


async def _look(journal: Journal, stopping: Stopping) -> None:
    with suppress(RunFileError, OwnedError):  # whoever notes something next hears of it
        at_s = await journal.asked_at()
        if at_s is not None and stopping.why is None:
            stopping.ask(Stop(StopReason.ASKED, asked_words(at_s)))
