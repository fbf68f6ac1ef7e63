"""What `bulksend.send` tells while it works: each is a frozen dataclass, and `CampaignEvent` is any of them.

What `Progressed` counts is on the disk. `Ended` comes last, and also stands in what `bulksend.send` returns.
"""

from __future__ import annotations

from bulksend.campaign import (
    AccountBusy,
    CampaignEvent,
    CutShort,
    Ended,
    Excluded,
    HistoryGone,
    LeftOut,
    NotGivenBack,
    OthersAtWork,
    PaceFound,
    Progressed,
    SandboxClosed,
    ServerAway,
    Slowed,
    Started,
    StillAwaited,
    StoppingEarly,
    Waiting,
)

__all__ = [
    "AccountBusy",
    "CampaignEvent",
    "CutShort",
    "Ended",
    "Excluded",
    "HistoryGone",
    "LeftOut",
    "NotGivenBack",
    "OthersAtWork",
    "PaceFound",
    "Progressed",
    "SandboxClosed",
    "ServerAway",
    "Slowed",
    "Started",
    "StillAwaited",
    "StoppingEarly",
    "Waiting",
]
