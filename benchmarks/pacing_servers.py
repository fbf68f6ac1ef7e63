"""Servers of the simulation: when a request that arrives now is answered, and how. No sockets, virtual time."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from typing import NamedTuple


class Reply(NamedTuple):
    """What becomes of one request: when its answer is there, its status (0: none), and what it asks for."""

    at: float
    status: int
    retry_after_s: float | None = None
    waited_s: float = 0.0


Draw = Callable[[random.Random], float]
"""How long one request is worked on."""


class Workers:
    """So many requests at once, a queue before them, and what fits neither is refused.

    Args:
        many: how many are worked on at once, at a time.
        service: how long one takes.
        way_s: how long the way there and back is.
        queue: how many may wait.
        neighbour: requests a second of somebody else, at a time.
    """

    def __init__(
        self, many: Callable[[float], int], service: Draw, way_s: float = 0.0, queue: int = 10_000,
        neighbour: Callable[[float], float] | None = None, seed: int = 1,
    ) -> None:  # fmt: skip
        self._many, self._service, self._way_s, self._queue = many, service, way_s, queue
        self._neighbour = neighbour
        self._free = [0.0] * many(0.0)
        self._starts: list[float] = []  # of what waits
        self._rng = random.Random(seed)
        self._theirs_at = 0.0

    def post(self, now: float) -> Reply:
        if self._neighbour is not None:
            while self._theirs_at <= now:
                rate = self._neighbour(self._theirs_at)
                if rate:
                    self._take(self._theirs_at)
                    self._theirs_at += self._rng.expovariate(rate)
                else:
                    self._theirs_at += 0.1
        waits = self._take(now)
        if waits is None:
            return Reply(now + self._way_s + 0.001, 503, 1.0)
        return Reply(waits[1] + self._way_s, 200, None, waits[0] - now)

    def _take(self, now: float) -> tuple[float, float] | None:
        free, many = self._free, self._many(now)
        while len(free) > many:
            heapq.heappop(free)
        while len(free) < many:
            heapq.heappush(free, now)
        starts = self._starts
        while starts and starts[0] <= now:
            heapq.heappop(starts)
        if len(starts) >= self._queue:
            return None
        begins = max(now, heapq.heappop(free))
        ends = begins + self._service(self._rng)
        heapq.heappush(free, ends)
        if begins > now:
            heapq.heappush(starts, begins)
        return begins, ends


class Bucket:
    """So many requests a second, and some at once; what exceeds it is told 429."""

    def __init__(
        self, rate: float, size: float, service: Draw, retry_after_s: float | None = None, seed: int = 1
    ) -> None:
        self._rate, self._size, self._service, self._retry_after_s = rate, size, service, retry_after_s
        self._tokens, self._at = size, 0.0
        self._rng = random.Random(seed)

    def post(self, now: float) -> Reply:
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        takes_s = self._service(self._rng)
        if self._tokens < 1:
            return Reply(now + takes_s, 429, self._retry_after_s)
        self._tokens -= 1
        return Reply(now + takes_s, 200)


class Outage:
    """A server that is away for a while: what is sent meanwhile is not answered."""

    def __init__(self, server: Workers, start: float, end: float) -> None:
        self._server, self._start, self._end = server, start, end

    def post(self, now: float) -> Reply:
        if self._start <= now < self._end:
            return Reply(now + 0.05, 0)
        return self._server.post(now)

    def is_there(self, now: float) -> bool:
        return not self._start <= now < self._end


Server = Workers | Bucket | Outage


def steady(takes_s: float) -> Draw:
    return lambda _: takes_s


def between(low_s: float, high_s: float) -> Draw:
    return lambda rng: rng.uniform(low_s, high_s)


def tailed(middle_s: float, sigma: float, longest_s: float = 10.0) -> Draw:
    """A log-normal time: the larger sigma, the heavier its tail."""
    return lambda rng: min(longest_s, rng.lognormvariate(math.log(middle_s), sigma))


def changing(before: int, after: int, start: float, end: float) -> Callable[[float], int]:
    """Another capacity for a while."""
    return lambda now: after if start <= now < end else before


def warming(first: int, last: int, takes_s: float) -> Callable[[float], int]:
    """A capacity that grows for a while."""
    return lambda now: last if now >= takes_s else int(first + (last - first) * now / takes_s)
