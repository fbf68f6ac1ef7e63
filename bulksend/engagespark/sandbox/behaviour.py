"""What can be set about a sandbox, and how a command line spells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bulksend.errors import UsageError
from bulksend.sms import Rates


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The settings of one sandbox.

    Attributes:
        token: the API key it takes.
        org_id: the one organization it knows; sends for another are refused with 400.
        latency_s: time from a send's acceptance to its answer.
        latency_jitter_s: each latency varies by up to this much either way, uniformly.
        fail: HTTP statuses and the probability that a send is answered with each and not accepted.
        lose_answers: probability that an accepted send's connection is cut and its answer never comes.
        undelivered: probability that an accepted message does not reach its phone, beside what the cap swallows.
        receipt_delay_s: time from a send's acceptance until its delivery receipt is in.
        balance_micro: what the organization can spend, in micro-USD.
        recharge_micro: what is added of itself whenever the balance does not suffice; 0: the account does not do so.
        legacy: be exactly the document: no clientDedup, clientRef, clientPushURL, balance or message lists.
        cap_count: SMS parts that one +63 mobile number gets in a window; more are accepted and lost.
        cap_window_s: the length of that rolling window.
        price_micro_per_part: the price of each SMS part, in micro-USD.
        rates: the prices of those to numbers with another one.
        seed: makes failures, lost answers and jitter the same every time.
        log_path: a file that gets one JSON line per send as it arrives.
    """

    token: str = "sandbox"  # noqa: S105 - a public default, no secret
    org_id: int = 1
    latency_s: float = 0.0
    latency_jitter_s: float = 0.0
    fail: tuple[tuple[int, float], ...] = ()
    lose_answers: float = 0.0
    undelivered: float = 0.0
    receipt_delay_s: float = 0.0
    balance_micro: int = 10_000_000_000
    recharge_micro: int = 0
    legacy: bool = False
    cap_count: int = 5
    cap_window_s: float = 60.0
    price_micro_per_part: int = 20_000
    rates: Rates = Rates({})  # noqa: RUF009 -- it is frozen
    seed: int | None = None
    log_path: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what no sandbox can do."""
        for status, probability in self.fail:
            _check_failure(status, probability)
        if sum(probability for _, probability in self.fail) > 1 + _ROUNDING:
            raise UsageError("the probabilities of all failures together are over 1: lower some of them")
        for probability, what in ((self.lose_answers, "lost answers"), (self.undelivered, "undelivered messages")):
            if not 0 <= probability <= 1:
                raise UsageError(f"{probability:g} is no probability of {what}: choose one from 0 to 1")
        for name in (
            "latency_s",
            "latency_jitter_s",
            "receipt_delay_s",
            "balance_micro",
            "recharge_micro",
            "cap_window_s",
            "price_micro_per_part",
        ):
            if not getattr(self, name) >= 0:
                raise UsageError(f"{name} is {getattr(self, name)}: choose 0 or more")
        if self.cap_count < 1:
            raise UsageError(f"cap_count is {self.cap_count}: choose 1 or more")


_ROUNDING = 1e-9
"""Ten times 0.1 may come to a little over 1."""

_FAIL = re.compile(r"(\d{3})=(\d*\.?\d+)", re.ASCII)
_LATENCY = re.compile(r"(\d*\.?\d+)(ms|s)?(?:(?:\+-|±)(\d*\.?\d+)(ms|s)?)?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, None: 1.0}


def parse_fail(text: str) -> tuple[int, float]:
    """Read ``500=0.01`` as an HTTP status and the probability that a send fails with it."""
    match = _FAIL.fullmatch(text.strip())
    if match is None:
        raise UsageError(f'"{text}" is no failure rate: write STATUS=PROBABILITY, such as 500=0.01')
    failure = int(match[1]), float(match[2])
    _check_failure(*failure)
    return failure


def parse_latency(text: str) -> tuple[float, float]:
    """Read ``0.1``, ``100ms`` or ``100ms+-50ms`` (also with ``±``) as latency and jitter in seconds."""
    match = _LATENCY.fullmatch(text.strip().replace(" ", ""))
    if match is None:
        raise UsageError(f'"{text}" is no latency: write seconds or milliseconds, such as 0.1, 100ms or 100ms+-50ms')
    latency, unit, jitter, jitter_unit = match.groups()
    return float(latency) * _SECONDS[unit], float(jitter or 0) * _SECONDS[jitter_unit]


def _check_failure(status: int, probability: float) -> None:
    if not 400 <= status <= 599:
        raise UsageError(f"{status} is no status of a failure: choose one from 400 to 599, such as 500=0.01")
    if not 0 <= probability <= 1:
        raise UsageError(f"{probability:g} is no probability of status {status}: choose one from 0 to 1, such as 0.01")
