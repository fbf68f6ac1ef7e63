"""A run is closed: what it has not sent, it does not send any more, so that it can be sent from a sheet of its own."""

from __future__ import annotations

import time

from bulksend.runs import Place, own_run


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
