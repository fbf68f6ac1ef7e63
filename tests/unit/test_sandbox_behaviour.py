from __future__ import annotations

import pytest

from bulksend.engagespark.sandbox import SandboxOptions, parse_fail, parse_latency
from bulksend.errors import UsageError


def test_a_failure_rate_is_a_status_and_a_probability() -> None:
    assert parse_fail("500=0.01") == (500, 0.01)
    assert parse_fail(" 429=1 ") == (429, 1.0)
    assert parse_fail("503=.5") == (503, 0.5)


@pytest.mark.parametrize("text", ["", "500", "500:0.01", "500=1%", "500=-0.1", "50=0.1", "five=0.1", "500=nan"])
def test_an_unreadable_failure_rate_is_shown_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_fail(text)
    assert str(caught.value) == f'"{text}" is no failure rate: write STATUS=PROBABILITY, such as 500=0.01'


@pytest.mark.parametrize("text", ["200=0.1", "399=0.1", "600=0.1", "500=1.01"])
def test_a_failure_rate_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"choose one from \d"):
        parse_fail(text)


@pytest.mark.parametrize(
    ("text", "latency_s", "jitter_s"),
    [
        ("0.1", 0.1, 0.0),
        ("0", 0.0, 0.0),
        ("2s", 2.0, 0.0),
        ("100ms", 0.1, 0.0),
        ("100ms+-50ms", 0.1, 0.05),
        ("100ms±50ms", 0.1, 0.05),
        ("100ms ± 50ms", 0.1, 0.05),
        ("1+-.5", 1.0, 0.5),
    ],
)
def test_a_latency_is_read_in_seconds_or_milliseconds(text: str, latency_s: float, jitter_s: float) -> None:
    assert parse_latency(text) == pytest.approx((latency_s, jitter_s))


@pytest.mark.parametrize("text", ["", "fast", "-1", "100 m", "100ms+50ms", "100ms+-", "1e3", "inf"])
def test_an_unreadable_latency_is_shown_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_latency(text)
    assert str(caught.value).startswith(f'"{text}" is no latency: write seconds or milliseconds, such as')


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: SandboxOptions(fail=((500, 0.6), (503, 0.6))), "together are over 1"),
        (lambda: SandboxOptions(fail=((200, 0.6),)), "200 is no status of a failure"),
        (lambda: SandboxOptions(lose_answers=1.5), "1.5 is no probability of lost answers"),
        (lambda: SandboxOptions(latency_s=-1.0), "latency_s is -1.0: choose 0 or more"),
        (lambda: SandboxOptions(cap_count=0), "cap_count is 0: choose 1 or more"),
    ],
)
def test_options_that_no_sandbox_can_keep_are_refused(make: type[SandboxOptions], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        make()


def test_ten_failures_of_a_tenth_each_are_certain_and_allowed() -> None:
    assert len(SandboxOptions(fail=tuple((500 + i, 0.1) for i in range(10))).fail) == 10
