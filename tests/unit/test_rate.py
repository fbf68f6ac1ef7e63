"""The account's rate, as a clock sees it that passes by itself whenever everybody waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bulksend.sending import Stopping
from bulksend.sending.pace import OwnRate, grant, limiter


class Waiting(selectors.SelectSelector):
    """Waits in no time; not even a glance takes none, or rounding could keep a waiter where it is for ever."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now_s += max(timeout or 0.0, 1e-7)
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time is what was waited for."""

    def __init__(self) -> None:
        self.waiting = Waiting()
        super().__init__(self.waiting)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self.waiting.now_s


async def granted(rate: float, asked: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """When how many were let go, where so many wanted to after each pause."""
    bucket = limiter(rate)
    assert bucket is not None
    own, stopping, loop = OwnRate(bucket), Stopping(), asyncio.get_running_loop()
    found = []
    for pause_s, wanted in asked:
        await asyncio.sleep(pause_s)
        left = wanted
        while left:
            count = await grant(own, left, stopping)
            assert 1 <= count <= left
            found.append((loop.time(), count))
            left -= count
    return found


@given(
    rate=st.one_of(st.floats(0.05, 50), st.sampled_from([1, 20, 33.3, 100, 1_000, 12_345])),
    asked=st.lists(st.tuples(st.one_of(st.just(0.0), st.floats(0, 3)), st.integers(1, 40)), min_size=1, max_size=12),
)
def test_no_window_sees_more_than_the_rate_times_its_length_and_one_burst(
    rate: float, asked: list[tuple[float, int]]
) -> None:
    """A token bucket: in any window of t seconds at most rate * t + burst, where burst = max(1, rate / 20)."""
    loop = Loop()
    try:
        found = loop.run_until_complete(granted(rate, asked))
    finally:
        loop.close()
    burst = max(1.0, rate / 20)
    for first, (began_s, _) in enumerate(found):
        total = 0
        for ended_s, count in found[first:]:
            total += count
            assert total <= rate * (ended_s - began_s) + burst + 1e-6
    # And it is used: one that is always asked lets the rate through.
    total, whole_s = sum(count for _, count in found), found[-1][0]
    assert whole_s <= total / rate + sum(pause_s for pause_s, _ in asked) + 1e-3
