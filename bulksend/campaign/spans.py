"""From when to when a run is sent, as far as that can be told before."""

from __future__ import annotations

import time
from dataclasses import replace

from bulksend.campaign.choices import SendOptions
from bulksend.planning import Overview, min_seconds
from bulksend.runs import Address, Where, held
from bulksend.when import Schedule, Span

ANSWER_S = 0.25
"""What the API is taken to need for an answer, as long as nothing is known."""


def as_last(options: SendOptions, address: Address, where: Where = None) -> SendOptions:
    """The same, beginning near what the server of an account that lives somewhere took well the last time."""
    return replace(options, pace=options.pace.start_at(held(where, address, time.time())))


def least_s(overview: Overview, options: SendOptions) -> float:
    """How long sending takes at least, in seconds, by the account's rate and the phones' caps."""
    return max(min_seconds(overview, options.pace.rate, options.caps.of, by_parts=options.by_parts))


def expected_s(overview: Overview, options: SendOptions) -> float:
    """How long sending is likely to take, in seconds."""
    return max(least_s(overview, options), overview.rows / options.pace.usual * ANSWER_S)


def span_of(overview: Overview, options: SendOptions, schedule: Schedule, now_s: float) -> Span:
    """When what is left of a run is likely to be sent, if whoever sends it goes on when a window opens again."""
    return schedule.span(now_s, expected_s(overview, options))
