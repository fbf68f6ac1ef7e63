from __future__ import annotations

import asyncio

import pytest

from bulksend.cli.advice import stop_words
from bulksend.cli.codes import ExitCode, of_stop
from bulksend.sending import ErrorLimit, Stop, Stopping, StopReason

POOR = Stop(StopReason.OUT_OF_FUNDS, "the account is out of funds")
INTERRUPTED = Stop(StopReason.INTERRUPTED, "interrupted")
TERMINATED = Stop(StopReason.TERMINATED, "terminated")


def test_the_first_reason_counts() -> None:
    stopping = Stopping()
    assert stopping.why is None
    stopping.ask(POOR)
    stopping.ask(Stop(StopReason.STORE_FAILED, "the disk is full"))
    assert stopping.why is POOR
    assert not stopping.is_interrupted


def test_an_interruption_is_always_heard_and_the_first_one_counts() -> None:
    stopping = Stopping()
    for stop in (POOR, INTERRUPTED, TERMINATED, POOR):
        stopping.ask(stop)
    assert stopping.why is INTERRUPTED
    assert stopping.is_interrupted


async def test_others_can_wait_for_it_and_are_told_each_time() -> None:
    stopping, told = Stopping(), []
    stopping.tell(lambda: told.append(stopping.why))
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    stopping.ask(POOR)
    stopping.ask(INTERRUPTED)
    async with asyncio.timeout(5):
        await waiting
    assert told == [POOR, INTERRUPTED]


@pytest.mark.parametrize("reason", StopReason)
def test_every_reason_has_its_exit_code_and_its_words_on_the_command_line(reason: StopReason) -> None:
    stop = Stop(reason, "it {ended}", 11, 20, ErrorLimit(10, is_percent=False))
    assert of_stop(stop) in {ExitCode.STOPPED, ExitCode.OWNED, ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    assert "it {ended}" in stop_words(stop) or "--max-" in stop_words(stop)


def test_the_command_line_speaks_of_its_own_flags() -> None:
    stop = Stop(StopReason.TOO_MANY_ERRORS, "", 11, 110, ErrorLimit(10, is_percent=True))
    assert stop_words(stop) == (
        "11 of 110 rows could not be sent, more than --max-errors 10%: it goes on only with a higher one"
    )
    assert stop_words(POOR) == "the account is out of funds: top it up, then run the same command again"
