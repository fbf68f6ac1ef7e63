"""The provider's client, as every use case speaks to it."""

from __future__ import annotations

from bulksend import __version__
from bulksend.engagespark import SmsApi, Target


def client(target: Target, timeout_s: float) -> SmsApi:
    """A client that says which program and version it belongs to."""
    return SmsApi(target, timeout_s=timeout_s, user_agent=f"bulksend/{__version__}")
