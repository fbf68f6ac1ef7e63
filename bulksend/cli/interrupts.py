"""That a signal asks for the program's end: whoever waits for an answer that may never come hears of it at once."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

from bulksend.cli import codes
from bulksend.cli.codes import ExitCode
from bulksend.errors import BulksendError, RunFileError
from bulksend.patience import OURS

_CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}
_heard: list[ExitCode] = []


def hear(number: int) -> None:
    """Somebody wants the end."""
    OURS.end_wanted()
    _heard.append(_CODES[signal.Signals(number)])


def interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    """End at Ctrl-C, where nothing else hears it."""
    hear(number)
    raise KeyboardInterrupt


def terminated(number: int, _frame: FrameType | None) -> NoReturn:
    """End at another signal, where nothing else hears it."""
    hear(number)
    raise SystemExit(ExitCode.TERMINATED)


def code_of(error: BulksendError) -> ExitCode:
    """The exit code that an error ends the program with: of a run that was not waited for, the signal's."""
    return _heard[-1] if _heard and isinstance(error, RunFileError) else codes.of_error(error)
