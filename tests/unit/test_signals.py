"""A Ctrl-C that comes too late for the sending does not cost the results."""

from __future__ import annotations

import signal
import time
from contextlib import nullcontext

import pytest

from bulksend.cli import interrupts
from bulksend.cli.signals import ends_in_peace
from bulksend.errors import RunFileError, UsageError
from bulksend.patience import SILENT_S, Patience


def test_the_first_ctrl_c_is_told_and_the_next_is_as_ever() -> None:
    before, told, written = signal.getsignal(signal.SIGINT), [], []

    def write() -> None:
        with ends_in_peace(lambda: told.append(1)):
            signal.raise_signal(signal.SIGINT)
            written.append("the results")
            signal.raise_signal(signal.SIGINT)
            written.append("more")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert (told, written) == ([1], ["the results"])
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_what_was_there_before_is_there_again(handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with ends_in_peace(lambda: None):
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is handler
        with nullcontext() if handler is signal.SIG_IGN else pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_silence_is_waited_out_no_more_at_the_first_and_nothing_at_the_second(patience: Patience) -> None:
    long_ago_s = time.monotonic() - 3_600
    assert not patience.is_over(long_ago_s)
    with ends_in_peace(lambda: None):
        signal.raise_signal(signal.SIGINT)
    assert not patience.is_over(long_ago_s)
    assert not patience.is_over(time.monotonic() - SILENT_S - 1)
    patience.since_s -= SILENT_S
    assert patience.is_over(long_ago_s)
    assert not patience.is_over(time.monotonic())
    interrupts.hear(signal.SIGINT)
    assert patience.is_over(time.monotonic())


def test_of_a_run_that_was_not_waited_for_the_exit_code_is_the_signals() -> None:
    assert interrupts.code_of(RunFileError("it is away")) == 3
    interrupts.hear(signal.SIGTERM)
    assert interrupts.code_of(RunFileError("it is away")) == 143
    assert interrupts.code_of(UsageError("it cannot be read")) == 2
