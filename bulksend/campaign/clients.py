"""The provider's client, as every use case speaks to it, and what can be asked of it without a run."""

from __future__ import annotations

from bulksend import __version__
from bulksend.engagespark import Balance, Looked, SmsApi, Target
from bulksend.sending import Stop, StopReason

KEY_REFUSED = Stop(StopReason.KEY_REFUSED, "the API refused the key (401), when it was asked for the balance")
"""What is known before the first message leaves."""

_BALANCE_S = 20.0


def client(target: Target, timeout_s: float) -> SmsApi:
    """A client that says which program and version it belongs to."""
    return SmsApi(target, timeout_s=timeout_s, user_agent=f"bulksend/{__version__}")


async def balance(target: Target) -> Balance | Looked:
    """What the account holds, or why that is not told."""
    async with client(target, _BALANCE_S) as api:
        return await api.balance()
