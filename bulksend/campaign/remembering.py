"""What an account is told of a run that a worker sends, and tells of what its runs sent before."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from bulksend.campaign.choices import SendOptions
from bulksend.errors import RunFileError
from bulksend.runs import Account, Clock, Earlier

if TYPE_CHECKING:
    from bulksend.runs import WorkedRun  # needs the extra `postgres`


def recall(account: Account, run: WorkedRun, options: SendOptions, *, is_first: bool) -> Earlier:
    """What the account's runs sent lately; the first time the run is begun there."""
    wall_s, how = time.time(), options.repeating
    run.reconnect()
    earlier = account.begin(
        run, since_s=wall_s - options.caps.longest_window_s, wall_s=wall_s, clock=Clock.now(wall_s),
        began_at=how.began_at, is_remembered=is_first, repeat_after_s=None if how.repeat else how.repeat_after_s,
    )  # fmt: skip
    run.learn_known()
    return earlier


def remember(account: Account, run: WorkedRun, options: SendOptions) -> None:
    """Have the account remember what the run sent, as far as this worker knows."""
    wall_s = time.time()
    with suppress(RunFileError):  # then the account cannot be told, either, and the run itself knows
        run.reconnect()
    account.end(run, since_s=wall_s - options.caps.longest_window_s, wall_s=wall_s, clock=Clock.now(wall_s))
