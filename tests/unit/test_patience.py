"""A database that is away for a moment ends no worker, and one that is waited for keeps nobody who wants to go."""

from __future__ import annotations

import asyncio
import time

import pytest

from bulksend.campaign.patience import patiently
from bulksend.errors import RunFileError
from bulksend.sending import Stop, Stopping, StopReason

INTERRUPTED = Stop(StopReason.INTERRUPTED, "interrupted")


class Away:
    """What cannot be asked before a moment."""

    def __init__(self, seconds: float) -> None:
        self.asked = 0
        self._back_s = time.monotonic() + seconds

    def __call__(self, what: str) -> str:
        self.asked += 1
        if time.monotonic() < self._back_s:
            raise RunFileError("away")
        return f"answer to {what}"


async def test_a_question_is_asked_again_less_and_less_often_until_it_is_answered() -> None:
    away = Away(0.5)
    assert await patiently(Stopping(), 1.0, away, "one") == "answer to one"
    assert 3 <= away.asked <= 6


async def test_it_is_given_up_after_two_leases() -> None:
    began_s = time.monotonic()
    with pytest.raises(RunFileError, match="away"):
        await patiently(Stopping(), 0.1, Away(60.0), "one")
    assert 0.2 <= time.monotonic() - began_s < 10


async def test_an_interruption_ends_the_waiting_at_once() -> None:
    stopping = Stopping()
    asyncio.get_running_loop().call_later(0.8, stopping.ask, INTERRUPTED)
    began_s = time.monotonic()
    with pytest.raises(RunFileError, match="away"):
        await patiently(stopping, 60.0, Away(60.0), "one")
    assert 0.7 < time.monotonic() - began_s < 10


async def test_whoever_stops_for_another_reason_still_waits_between_two_tries() -> None:
    stopping, away = Stopping(), Away(0.4)
    stopping.ask(Stop(StopReason.WINDOW_CLOSED, "closed"))
    assert await patiently(stopping, 1.0, away, "one") == "answer to one"
    assert away.asked <= 6
