"""What the program's exit tells a script."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from bulksend.errors import BulksendError, OwnedError, RunFileError, StoppedError
from bulksend.model import Status
from bulksend.sending import Stop, StopReason

if TYPE_CHECKING:
    from bulksend.campaign import Ended
    from bulksend.planning import Tally
    from bulksend.runs import Deliveries


class ExitCode(IntEnum):
    """The numbers are fixed."""

    OK = 0
    """Every row sent, or left out on purpose."""
    NOT_ALL_SENT = 1
    """Finished, some rows were not sent: invalid, rejected, failed or unknown."""
    USAGE = 2
    """Usage or configuration: nothing was sent."""
    STOPPED = 3
    """Stopped early, or rows were tried and none was accepted; the same command goes on."""
    OWNED = 4
    """Another process owns the run file."""
    INTERRUPTED = 130
    """SIGINT; the same command goes on."""
    TERMINATED = 143
    """SIGTERM; the same command goes on."""


_OF_REASON = {
    StopReason.INTERRUPTED: ExitCode.INTERRUPTED,
    StopReason.TERMINATED: ExitCode.TERMINATED,
    StopReason.HUNG_UP: ExitCode.TERMINATED,
    StopReason.TAKEN_OVER: ExitCode.OWNED,
    StopReason.ACCOUNT_BUSY: ExitCode.OWNED,
}
"""Every other reason is STOPPED."""


def of_error(error: BulksendError) -> ExitCode:
    """The exit code that an error ends the program with."""
    if isinstance(error, OwnedError):
        return ExitCode.OWNED
    return ExitCode.STOPPED if isinstance(error, RunFileError | StoppedError) else ExitCode.USAGE


def of_stop(stop: Stop) -> ExitCode:
    """The exit code of a run that ended early."""
    return _OF_REASON.get(stop.reason, ExitCode.STOPPED)


def of_end(ended: Ended, *, leaves_out: bool = False) -> ExitCode:
    """What a run's end is to a script; a test send leaves the rest pending on purpose.

    Args:
        ended: how it ended.
        leaves_out: whether what history holds is left out on purpose.
    """
    if ended.stop is not None:
        return of_stop(ended.stop)
    if ended.is_in_vain:
        return ExitCode.STOPPED
    return ExitCode.OK if ended.is_complete(leaves_out=leaves_out) else ExitCode.NOT_ALL_SENT


def of_receipts(known: Deliveries, *, could_look: bool) -> ExitCode:
    """What is to be told of delivery receipts alone; STOPPED if some are not known that could not be asked for."""
    if known.open and not could_look:
        return ExitCode.STOPPED
    return ExitCode.NOT_ALL_SENT if known.open or known.failed else ExitCode.OK


def of_resolve(tally: Tally, *, could_look: bool) -> ExitCode:
    """What is to be told of rows in doubt alone; STOPPED if rows are left that could not be looked up."""
    if not tally.statuses[Status.UNKNOWN]:
        return ExitCode.OK
    return ExitCode.NOT_ALL_SENT if could_look else ExitCode.STOPPED
