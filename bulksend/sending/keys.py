"""The dedup keys by which a server knows a message again: they name the message, not its place in the input."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import orjson

from bulksend.model import Message

_SHOWN = 32  # characters of the campaign's id that stand in front, for who reads a list of messages
_DIGEST = 16  # bytes: of 2**64 messages, two would share one
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


class Keys(NamedTuple):
    """Makes the keys of one run; the same message has the same key wherever and whenever it is sent.

    Attributes:
        campaign: what keeps one campaign's keys apart from another's.
        is_shared: whether somebody gave the campaign's id, so that another run may have used its keys.
        by_row: whether a key is made of the row's number, as it was in runs that began before format 3.
    """

    campaign: str
    is_shared: bool
    by_row: bool = False

    def of(self, message: Message) -> str:
        """A message's key: at most 65 characters that need no quoting in a URL, except by row."""
        if self.by_row:
            return f"{self.campaign}-{message.row}"
        named = (self.campaign, message.recipient, message.sender, message.text, message.copy)
        digest = blake2b(orjson.dumps(named), digest_size=_DIGEST).hexdigest()
        return f"{_shown(self.campaign)}-{digest}"


@lru_cache(maxsize=4)
def _shown(campaign: str) -> str:
    return _ODD.sub("_", campaign)[:_SHOWN]
