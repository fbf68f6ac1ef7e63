from __future__ import annotations

import math
import random

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from bulksend.sending.throttle import Throttle


def throttle(widest: int = 32) -> Throttle:
    return Throttle(widest, random.Random(7))


def test_what_may_be_under_way_is_halved_once_for_all_that_is_under_way() -> None:
    one = throttle()
    one.slowed(31, None, 0.0)
    assert one.width == 16
    for others in range(30, -1, -1):
        one.slowed(others, None, 0.0)
    assert one.width == 16
    one.slowed(15, None, 0.0)
    assert one.width == 8


def test_what_was_under_way_when_it_was_halved_lets_nothing_grow() -> None:
    one = throttle()
    one.slowed(31, None, 0.0)
    widths = []
    for _ in range(31 + 16):
        one.ended(answered=True)
        widths.append(one.width)
    assert widths == [16] * (31 + 15) + [17]


def test_it_grows_by_one_after_as_many_answers_as_may_be_under_way() -> None:
    one = throttle()
    one.slowed(0, None, 0.0)
    widths = []
    for _ in range(16 + 17 + 18):
        one.ended(answered=True)
        widths.append(one.width)
    assert widths == [16] * 15 + [17] * 17 + [18] * 18 + [19]


def test_it_never_grows_beyond_what_was_asked_for() -> None:
    one = throttle(4)
    for _ in range(100):
        one.ended(answered=True)
    assert one.width == 4


def test_what_brings_no_answer_lets_nothing_grow() -> None:
    one = throttle()
    one.slowed(0, None, 0.0)
    for _ in range(100):
        one.ended(answered=False)
    assert one.width == 16


def test_after_an_absence_it_begins_with_one_and_is_soon_as_wide_as_before() -> None:
    one = throttle()
    one.narrow()
    assert one.width == 1
    for _ in range(31):
        one.ended(answered=True)
    assert one.width == 32


def test_nothing_starts_before_the_time_is_over_that_was_asked_for() -> None:
    one = throttle()
    one.slowed(31, 20.0, 100.0)
    one.slowed(30, 5.0, 101.0)
    assert one.quiet_until == 120.0


def test_a_server_that_asks_for_hours_is_asked_again_in_minutes() -> None:
    one = throttle()
    one.slowed(0, 86_400.0, 0.0)
    assert one.quiet_until == 300.0


def test_when_it_cannot_be_narrower_it_pauses_for_ever_longer() -> None:
    one, now, pauses = throttle(1), 0.0, []
    for _ in range(16):
        one.slowed(0, None, now)
        pauses.append(one.quiet_until - now)
        now = one.quiet_until
    assert all(0 < pause <= 30 for pause in pauses)
    assert pauses[-1] >= 15


@settings(max_examples=examples(100))
@given(st.integers(1, 64), st.lists(st.sampled_from(["slowed", "answered", "silent", "narrow"]), max_size=200))
def test_something_may_always_go_and_never_more_than_was_asked_for(widest: int, moves: list[str]) -> None:
    one = throttle(widest)
    assert one.quiet_until == -math.inf
    for now, move in enumerate(moves):
        if move == "slowed":
            one.slowed(now % 3, None, float(now))
        elif move == "narrow":
            one.narrow()
        else:
            one.ended(answered=move == "answered")
        assert 1 <= one.width <= widest
        assert one.quiet_until <= now + 30


@pytest.mark.parametrize("rate", [5, 20, 200])
@pytest.mark.parametrize("latency_s", [0.001, 0.2])
def test_a_server_that_allows_so_many_a_second_is_served_about_as_fast(rate: int, latency_s: float) -> None:
    """Its own pace, whatever that is, is found by being told to slow down."""
    burst = rate / 4
    one, now, under_way, tokens, seen, got, asked = throttle(), 0.0, list[float](), burst, 0.0, 0, 0
    while got < 20 * rate:
        while len(under_way) < one.width and one.quiet_until <= now:
            under_way.append(now + latency_s)
        now = max(now, min(under_way, default=max(one.quiet_until, now)))
        if not under_way:
            continue
        under_way.remove(min(under_way))
        asked += 1
        tokens, seen = min(burst, tokens + (now - seen) * rate), now
        if tokens >= 1:
            tokens, got = tokens - 1, got + 1
            one.ended(answered=True)
        else:
            one.slowed(len(under_way), None, now)
    assert now < 2 * 20 + 5
    assert asked < 4 * got
