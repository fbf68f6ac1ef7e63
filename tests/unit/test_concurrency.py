"""How many may be under way: found out from answers, without a clock, a loop or a server."""

from __future__ import annotations

import random

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from bulksend.sending.concurrency import Concurrency, Why


class Play:
    """Plays a server of so many at once; whatever is more waits, and takes longer in proportion."""

    def __init__(self, takes: int, one: Concurrency, *, base_s: float = 0.1, jitter: float = 0.0) -> None:
        self.takes, self.one, self.base_s, self.jitter = takes, one, base_s, jitter
        self.now = 0.0
        self.rng = random.Random(7)

    def rounds(self, count: int, *, is_bound: bool = True) -> list[int]:
        """So many rounds of answers, and the limit after each."""
        limits = []
        for _ in range(count):
            for _ in range(max(self.one.limit, 24)):
                width = self.one.limit
                latency_s = self.base_s * max(1.0, width / self.takes)
                self.now += latency_s / width
                late_s = self.base_s * self.jitter * self.rng.uniform(-1, 1)
                self.one.answered(latency_s + late_s, self.now, is_bound=is_bound)
            limits.append(self.one.limit)
        return limits


def test_it_starts_gently_and_doubles_while_answers_are_as_quick() -> None:
    one = Concurrency(8, 512)
    seen = {one.limit}
    for step in range(600):
        one.answered(0.1, 0.1 + step * 0.001, is_bound=True)
        seen.add(one.limit)
    assert {8, 16, 32, 64, 128, 256} <= seen
    assert one.why is Why.ROOM


@pytest.mark.parametrize("takes", [6, 20, 100, 300])
@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_it_finds_what_the_server_takes_and_lets_little_wait(takes: int, jitter: float) -> None:
    play = Play(takes, Concurrency(8, 512), jitter=jitter)
    play.rounds(40)
    limits = play.rounds(60)
    assert sum(limits) / len(limits) >= 0.95 * takes
    assert max(limits) <= 3 * takes


def test_what_waits_a_few_milliseconds_waits_for_our_own_processor() -> None:
    play = Play(10, Concurrency(8, 512), base_s=0.001, jitter=0.5)
    play.rounds(40)
    assert min(play.rounds(60)) >= 32


@pytest.mark.parametrize("takes", [10_000])
def test_where_nothing_waits_it_goes_to_the_most(takes: int) -> None:
    play = Play(takes, Concurrency(8, 512), jitter=0.9)
    assert play.rounds(60)[-1] == 512


def test_a_round_in_which_something_else_held_the_run_back_is_no_evidence() -> None:
    play = Play(1000, Concurrency(8, 512))
    assert set(play.rounds(50, is_bound=False)) == {8}
    assert play.one.held == 0


def test_answers_that_take_longer_push_back_within_a_round() -> None:
    play = Play(100, Concurrency(8, 512))
    play.rounds(60)
    before, play.takes = play.one.limit, 20
    assert min(play.rounds(3)) <= 0.8 * before
    assert play.one.why is Why.SLOWER


def test_what_a_cut_does_not_change_is_the_servers_own_and_the_new_measure() -> None:
    play = Play(10_000, Concurrency(8, 256))
    play.rounds(20)
    play.base_s = 0.3  # a longer way, whatever is under way
    limits = play.rounds(30)
    assert min(limits) >= 256 // 4  # two cuts show that they change nothing
    assert limits[-1] == 256


def test_what_was_under_way_at_a_cut_is_no_evidence_any_more() -> None:
    one = Concurrency(64, 512)
    for _ in range(64):
        one.answered(0.1, 1.0, is_bound=True)
    for _ in range(128):
        one.answered(0.5, 2.0, is_bound=True)
    cut = one.limit
    for _ in range(500):
        one.answered(0.6, 2.05, is_bound=True)
    assert one.limit == cut < 128


def test_several_requests_without_an_answer_push_back_at_once_and_one_does_not() -> None:
    one = Concurrency(10, 512)
    one.silent(30.0, 40.0)
    assert one.limit == 10
    one.silent(30.0, 40.0)
    assert (one.limit, one.why) == (6, Why.SILENT)
    one.silent(30.0, 41.0)  # it was under way already
    one.silent(30.0, 41.0)
    assert one.limit == 6


def test_after_an_absence_it_begins_with_one_and_is_soon_as_wide_as_before() -> None:
    play = Play(100, Concurrency(8, 512))
    play.rounds(30)
    play.one.restart(1, play.now)
    assert (play.one.limit, play.one.why) == (1, Why.AWAY)
    assert max(play.rounds(8)) >= 100


def test_what_is_fixed_stays_however_long_answers_take() -> None:
    play = Play(10, Concurrency(32, 32, is_fixed=True))
    assert set(play.rounds(30)) == {32}
    play.one.silent(30.0, play.now + 40.0)
    play.one.silent(30.0, play.now + 40.0)
    assert play.one.limit == 32


def test_it_grows_beyond_a_bound_only_when_that_is_lifted() -> None:
    play = Play(10_000, Concurrency(8, 64))
    assert max(play.rounds(20)) == 64
    play.one.bound_to(512)
    assert play.rounds(20)[-1] == 512
    play.one.bound_to(64)
    assert play.one.limit == 64


@settings(max_examples=examples(100))
@given(
    st.integers(1, 64),
    st.integers(1, 512),
    st.lists(st.tuples(st.sampled_from(["answered", "silent", "restart"]), st.floats(0.001, 30), st.booleans())),
)
def test_something_may_always_go_and_never_more_than_the_most(
    start: int, most: int, moves: list[tuple[str, float, bool]]
) -> None:
    one, now = Concurrency(start, most), 0.0
    for move, latency_s, is_bound in moves:
        now += latency_s
        for _ in range(50):
            if move == "answered":
                one.answered(latency_s, now, is_bound=is_bound)
            elif move == "silent":
                one.silent(latency_s, now)
        if move == "restart":
            one.restart(1, now)
        assert 1 <= one.limit <= most
