"""A Ctrl-C that comes too late for the sending does not cost the results."""

from __future__ import annotations

import signal
from contextlib import nullcontext

import pytest

from bulksend.cli.signals import ends_in_peace


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
