"""The engine of one send, whoever sends: a process that has the run for itself, or a worker beside others."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Protocol

from bulksend.campaign.choices import SendOptions
from bulksend.campaign.doubts import look_up_doubts
from bulksend.engagespark import SmsApi
from bulksend.errors import OwnedError, RunFileError
from bulksend.runs import Earlier, Facts, OptedOut
from bulksend.sending import Budget, Engine, Errors, Journal, Listener, Pace, Past, Stopping, assemble


class Sendable(Protocol):
    """A run of which something is sent."""

    @property
    def facts(self) -> Facts:
        """What it was planned of."""

    @property
    def turn(self) -> int:
        """How far the turns of `bulksend.sending.Proof` have come."""

    @property
    def behind_s(self) -> float:
        """By so much its attempts may be older than their times say."""


def engine_of(
    run: Sendable,
    journal: Journal,
    api: SmsApi,
    options: SendOptions,
    pace: Pace,
    stopping: Stopping,
    past: Past,
    budget: Budget | None,
    errors: Errors | None,
    optouts: OptedOut | None,
    listener: Listener | None,
) -> Engine:
    """The parts of one send put together: what the campaign decided, and what is known of the time before."""
    return assemble(
        journal,
        api,
        stopping,
        options.caps,
        pace,
        keys=run.facts.keys if options.dedup else None,
        turn=run.turn,
        past=past,
        budget=budget,
        errors=errors,
        optouts=optouts,
        listener=listener,
        rng=random.SystemRandom(),
    )


def past_of(run: Sendable, options: SendOptions, earlier: Earlier, repeats: int | None, proof: int = 0) -> Past:
    """What an account knows of the time before, as an engine takes it."""
    sends = [(who, parts if options.by_parts else messages, at) for who, parts, messages, at in earlier.sends]
    return Past(sends, options.caps.longest_window_s if earlier.blind else 0.0, repeats, run.behind_s, proof)


async def look_up(journal: Journal, api: SmsApi, stopping: Stopping) -> None:
    """Look up what is in doubt of a run, unless that is interrupted."""
    looking = asyncio.create_task(look_up_doubts(journal, api))
    interrupted = asyncio.create_task(stopping.wait_for_interruption())
    with stopping.if_the_store_fails():
        await asyncio.wait((looking, interrupted), return_when=asyncio.FIRST_COMPLETED)
        interrupted.cancel()
        if looking.done():
            looking.result()
    looking.cancel()
    with suppress(asyncio.CancelledError, RunFileError, OwnedError):
        await looking
