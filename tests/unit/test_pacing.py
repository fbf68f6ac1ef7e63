"""What the pace that finds itself is to reach, on a few of the bench's servers that take little to simulate.

All of them are measured by ``python benchmarks/pacing.py``.
"""

from __future__ import annotations

import statistics

import pytest
from pacing import KINDS, Kind, auto, fixed, once, shared

FEW = {"capacity 8, 100 ms": 16, "capacity 16, 1-5 ms": 16, "429 over 20/s, 20 ms": 16, "429, Retry-After, 20/s": 2}
"""With the fixed number that is best there, found by search."""


def kind(name: str) -> Kind:
    return next(each for each in KINDS if each.name == name)


@pytest.mark.parametrize("name", FEW)
def test_it_takes_hardly_longer_than_the_best_fixed_number_and_no_longer_than_32(name: str) -> None:
    one = kind(name)
    auto_s, _ = once(one, lambda seed: auto(one.rows, seed), range(1))
    best_s, _ = once(one, lambda seed: fixed(one.rows, FEW[name], seed), range(1))
    usual_s, _ = once(one, lambda seed: fixed(one.rows, 32, seed), range(1))
    assert auto_s <= 1.10 * best_s
    assert auto_s <= 1.01 * usual_s


@pytest.mark.parametrize("name", [name for name in FEW if "429" in name])
def test_once_it_has_settled_hardly_anything_is_refused(name: str) -> None:
    one = kind(name)
    _, runs = once(one, lambda seed: auto(one.rows, seed), range(3))
    assert 0 < sum(run.late_refused for run in runs) <= 0.01 * sum(run.late_requests for run in runs)


def test_little_waits_at_the_server() -> None:
    one = kind("capacity 8, 100 ms")
    _, (run,) = once(one, lambda seed: auto(one.rows, seed), range(1))
    assert run.waited / run.done <= 1.5 * one.base_s


@pytest.mark.parametrize("name", ["capacity 8, 100 ms", "429, Retry-After, 20/s"])
@pytest.mark.parametrize("apart_s", [0.0, 10.0])
def test_two_runs_share_a_server(name: str, apart_s: float) -> None:
    assert statistics.median(shared(kind(name), seed, apart_s) for seed in range(7)) >= 0.4
