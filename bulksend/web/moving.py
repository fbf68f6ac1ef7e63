"""What the page shows of a send that is under way, whoever sends it."""

from __future__ import annotations

from dataclasses import replace

from bulksend.campaign import (
    AccountBusy,
    CampaignEvent,
    Look,
    Progressed,
    ServerAway,
    Slowed,
    Started,
    StoppingEarly,
    Waiting,
)
from bulksend.model import Status
from bulksend.web.told import Moved


def moved_by(event: CampaignEvent, rows: int) -> Moved | None:
    """Where a send of so many rows stands after an event; None if that shows nothing new."""
    match event:
        case Started(rows):
            return Moved(rows=rows)
        case Progressed():
            return _moved(rows, event)
        case AccountBusy():
            return Moved("busy")
        case Slowed():
            return Moved("slowed", rows)
        case ServerAway():
            return Moved("away", rows)
        case StoppingEarly():
            return Moved("stopping", rows)
        case Waiting(until_s, _, zone):
            return Moved("waiting", until_s=until_s, zone=zone)
        case _:
            return None


def moved_elsewhere(look: Look) -> Moved:
    """Where a send of another process stands, as that noted it, or of workers."""
    workers = 0 if look.shared is None else len(look.shared.here)
    sends = "elsewhere" if look.shared is None else "workers" if workers else "no_worker"
    if look.view is None:
        return Moved(sends, workers=workers)
    moved = replace(_moved(look.view.began.rows, look.view.seen), workers=workers)
    return moved if moved.says else moved.saying("stopping" if look.view.stop else sends)


def _moved(rows: int, event: Progressed) -> Moved:
    ends = event.now.ends
    sent = ends.get(Status.SENT, 0)
    says = "away" if event.away_s is not None else "slowed" if event.slowed_s else ""
    return Moved(says, rows, sent, sum(ends.values()) - sent, event.pace, event.left_s)
