"""Why a run takes no more messages before its end."""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """Why a run ends early."""

    OUT_OF_FUNDS = "out of funds"
    KEY_REFUSED = "key refused"
    NO_ENDPOINT = "no such endpoint"
    REDIRECTED = "redirected"
    """The server sends us elsewhere, where the key does not go."""
    BLOCKED = "blocked"
    """Somebody before the API refuses."""
    UNTRUSTED = "not trusted"
    """The server's certificate is."""
    FOREIGN_KEY = "key of another message"
    """The server knows a message's dedup key, as another message's."""
