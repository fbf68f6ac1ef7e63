"""How much of the pace may be used: pauses that were asked for, and a rate that is found by what is refused."""

from __future__ import annotations

import math

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from bulksend.sending import LastPace, Pace
from bulksend.sending.concurrency import Why
from bulksend.sending.throttle import Throttle


def throttle(concurrency: int | None = 32) -> Throttle:
    return Throttle.of(Pace(concurrency))


def test_nothing_is_spaced_as_long_as_nothing_is_refused() -> None:
    one = throttle()
    one.started(1000, 1000, 0.0)
    for _ in range(1000):
        one.answered(0.1, 1.0)
    assert (one.rate, one.next_at, one.free(0, 1.0)) == (math.inf, -math.inf, 32)
    assert not one.is_narrowed


def test_a_refusal_spaces_starts_by_what_got_through() -> None:
    one = throttle()
    for step in range(100):
        one.answered(0.1, 1.0 + step / 100)
    one.slowed(0.1, None, 2.0)
    assert 50 <= one.rate <= 100
    assert 0 < one.next_at - 2.0 <= 1 / 50
    assert one.is_narrowed
    assert one.why is Why.REFUSED


def test_where_answers_are_quick_half_of_the_width_starts_together_and_waits_for_that_only_briefly() -> None:
    one = throttle(8)
    for step in range(8):
        one.answered(0.001, 1.0 + step / 1000)
    one.started(5, 5, 2.0)
    assert 2.0 < one.together_at(5) <= 2.01
    assert one.together_at(4) == -math.inf
    for step in range(24):
        one.answered(0.1, 3.0 + step / 1000)
    assert one.together_at(5) == -math.inf


def test_what_was_under_way_at_a_refusal_is_part_of_it() -> None:
    one = throttle()
    for step in range(100):
        one.answered(0.1, 1.0 + step / 100)
    one.slowed(0.1, None, 2.0)
    rate = one.rate
    for _ in range(31):
        one.slowed(0.2, None, 2.1)
    assert one.rate == rate


def test_nothing_starts_before_the_time_is_over_that_was_asked_for() -> None:
    one = throttle()
    one.slowed(0.1, 20.0, 100.0)
    one.slowed(0.1, 5.0, 101.0)
    assert one.quiet_until == 120.0


def test_a_server_that_asks_for_hours_is_asked_again_in_minutes() -> None:
    one = throttle()
    one.slowed(0.1, 86_400.0, 0.0)
    assert one.quiet_until == 300.0


def test_a_server_that_lets_nothing_through_is_asked_ever_less_often() -> None:
    one, now, gaps = throttle(), 0.0, []
    for _ in range(20):
        one.slowed(0.0, None, now)
        gaps.append(one.next_at - now)
        now = one.next_at
    assert all(0 < gap <= 30 for gap in gaps)
    assert gaps[-1] >= 15


def test_where_keys_are_not_proven_fewer_are_under_way() -> None:
    one, now = throttle(None), 0.0
    for _ in range(3000):
        one.started(1, one.width, now)
        one.answered(0.1, now := now + 0.001)
    assert one.width == 64
    one.prove(is_proven=True)
    for _ in range(3000):
        one.started(1, one.width, now)
        one.answered(0.1, now := now + 0.001)
    assert one.width == 512
    one.prove(is_proven=False)
    assert one.width == 64


def test_who_says_how_many_at_most_says_it_for_both() -> None:
    one, now = Throttle.of(Pace(most=200, most_unproven=200)), 0.0
    for _ in range(3000):
        one.started(1, one.width, now)
        one.answered(0.1, now := now + 0.001)
    assert one.width == 200


def test_a_run_begins_near_what_held_the_last_time() -> None:
    assert Throttle.of(Pace().start_at(LastPace())).width == 8
    assert Throttle.of(Pace().start_at(LastPace(40))).width == 30
    assert Throttle.of(Pace().start_at(LastPace(400))).width == 64  # until the server has shown that it knows keys
    assert Pace().usual == 32
    assert Pace().start_at(LastPace(400)).usual == 300
    assert Pace(5).start_at(LastPace(400)).usual == 5


def test_a_run_begins_below_the_rate_that_was_let_through_the_last_time_and_tries_more_soon() -> None:
    one, now = Throttle.of(Pace().start_at(LastPace(40, 100.0))), 0.0
    assert one.rate == pytest.approx(90)
    assert one.last_pace == LastPace()  # this run has shown nothing yet
    for step in range(12_000):
        if one.next_at <= (now := step / 1000):
            one.started(1, 1, now)
            one.answered(0.001, now)
        if now <= 2:
            assert one.rate == pytest.approx(90)
    assert one.rate > 150  # more is allowed now
    one.slowed(0.001, None, now)
    assert one.last_pace.rate > 100


@settings(max_examples=examples(100))
@given(st.integers(1, 64), st.lists(st.sampled_from(["slowed", "asked", "answered", "silent", "narrow"]), max_size=200))
def test_something_may_always_go_and_never_more_than_was_asked_for(widest: int, moves: list[str]) -> None:
    one = throttle(widest)
    assert one.quiet_until == -math.inf
    for now, move in enumerate(moves):
        if move == "slowed":
            one.slowed(0.1, None, float(now))
        elif move == "asked":
            one.slowed(0.1, 10.0, float(now))
        elif move == "narrow":
            one.narrow(float(now))
        elif move == "answered":
            if now >= one.next_at:  # as whoever asks it does: nothing starts before
                one.started(1, one.width, float(now))
            one.answered(0.1, float(now))
        else:
            one.silent(0.1, float(now))
        assert 1 <= one.width <= widest
        assert one.quiet_until <= now + 10
        assert one.next_at <= now + 40
        assert 1 <= one.free(0, float(now)) <= one.width


@pytest.mark.parametrize("rate", [5, 20, 200])
@pytest.mark.parametrize("latency_s", [0.001, 0.2])
def test_a_server_that_allows_so_many_a_second_is_served_about_as_fast(rate: int, latency_s: float) -> None:
    """Its own pace, whatever that is, is found by being told to slow down."""
    burst = rate / 4
    one, now, under_way, tokens, seen, got, asked = throttle(), 0.0, list[tuple[float, float]](), burst, 0.0, 0, 0
    while got < 20 * rate:
        while len(under_way) < one.width and max(one.quiet_until, one.next_at) <= now:
            one.started(1, len(under_way) + 1, now)
            under_way.append((now + latency_s, now))
        now = min([at for at, _ in under_way] + [at for at in (one.next_at,) if at > now])
        if not under_way or min(under_way)[0] > now:
            continue
        under_way.remove(min(under_way))
        asked += 1
        tokens, seen = min(burst, tokens + (now - seen) * rate), now
        if tokens >= 1:
            tokens, got = tokens - 1, got + 1
            one.answered(latency_s, now)
        else:
            one.slowed(latency_s, None, now)
    assert now < 1.2 * 20 + 5
    assert asked < 1.4 * got
