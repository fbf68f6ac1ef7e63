"""From when to when a run is sent, as far as that can be told before."""

from __future__ import annotations

import time
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from bulksend.campaign.choices import SendOptions
from bulksend.planning import Crowd, Overview, crowd_seconds, min_seconds
from bulksend.runs import Address, Where, last_pace
from bulksend.when import Schedule, Span

ANSWER_S = 0.25
"""What the API is taken to need for an answer, as long as nothing is known."""

_CROWDS = 3
_CROWDED = 10  # a phone that takes a tenth of the longest time is not worth a word


class Slowest(StrEnum):
    """What takes longest of a send."""

    CAPS = "caps"
    """A phone gets so many that its cap decides."""
    RATE = "rate"
    """The account's rate."""
    ANSWERS = "answers"
    """The API's answers, each taken to need `ANSWER_S`."""


class Taking(NamedTuple):
    """How long sending is likely to take.

    Attributes:
        seconds: so long; by caps or rate it is at least that.
        by: what decides.
        crowds: the phones that take longest, where the caps decide.
    """

    seconds: float
    by: Slowest
    crowds: tuple[Crowd, ...] = ()


def as_last(options: SendOptions, address: Address, where: Where = None) -> SendOptions:
    """The same, beginning near what the server of an account that lives somewhere took well the last time."""
    return replace(options, pace=options.pace.start_at(last_pace(where, address, time.time())))


def least_s(overview: Overview, options: SendOptions) -> float:
    """How long sending takes at least, in seconds, by the account's rate and the phones' caps."""
    return max(min_seconds(overview, options.pace.rate, options.caps.of, by_parts=options.by_parts))


def expected_s(overview: Overview, options: SendOptions) -> float:
    """How long sending is likely to take, in seconds."""
    return taking(overview, options).seconds


def taking(overview: Overview, options: SendOptions) -> Taking:
    """The same, and what decides."""
    by_rate, by_caps = min_seconds(overview, options.pace.rate, options.caps.of, by_parts=options.by_parts)
    by_answers = overview.rows / options.pace.usual * ANSWER_S
    if by_caps and by_caps >= max(by_rate, by_answers):
        return Taking(by_caps, Slowest.CAPS, _slowest(overview, options))
    if by_rate >= by_answers:
        return Taking(by_rate, Slowest.RATE)
    return Taking(by_answers, Slowest.ANSWERS)


def span_of(overview: Overview, options: SendOptions, schedule: Schedule, now_s: float) -> Span:
    """When what is left of a run is likely to be sent, if whoever sends it goes on when a window opens again."""
    return schedule.span(now_s, expected_s(overview, options))


def _slowest(overview: Overview, options: SendOptions) -> tuple[Crowd, ...]:
    timed = [(crowd_seconds(crowd, options.caps.of, by_parts=options.by_parts), crowd) for crowd in overview.crowds]
    slowest = sorted(timed, key=lambda each: -each[0])[:_CROWDS]
    return tuple(crowd for seconds, crowd in slowest if seconds * _CROWDED >= slowest[0][0])
