"""A run is closed: what it has not sent, it does not send any more, so that it can be sent from a sheet of its own.

A plan that nobody wants any more is removed instead.
"""

from __future__ import annotations

import time

from bulksend.runs import Place, holds_run, is_open_to_workers, own_run


def close_run(place: Place) -> None:
    """Close a run: its pending and failed rows are skipped for good. What is in doubt stays to be settled.

    Raises:
        UsageError: there is no such run.
        OwnedError: another process is at work on it.
        RunFileError: it cannot be written.
    """
    now = time.time()
    day = time.localtime(now)
    when = f"{day.tm_mday} {time.strftime('%B %Y, %H:%M', day)}"
    with own_run(place, now) as run:
        run.close_rows(f"not sent: the run was closed on {when}", now)


def remove_plan(place: Place) -> bool:
    """Remove a plan of which nothing was ever sent, and that is left to no workers; whether it did.

    Raises:
        OwnedError: another process is at work on it.
        RunFileError: it cannot be read or written.
    """
    if not holds_run(place) or is_open_to_workers(place):
        return False
    with own_run(place, time.time()) as run:
        is_plan = not run.has_begun and run.spell.started_at is None  # nor was it opened at this very moment
        if is_plan:
            run.remove()
    return is_plan
