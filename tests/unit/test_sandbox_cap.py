from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bulksend.engagespark.sandbox.cap import PhoneCap

PHONE = "639123456789"
T0 = 1_563_896_665.0


def arrivals(cap: PhoneCap, *times: float, number: str = PHONE, parts: int = 1) -> list[bool]:
    return [cap.loses(number, parts, T0 + at) for at in times]


def test_the_sixth_sms_within_a_minute_is_lost() -> None:
    assert arrivals(PhoneCap(5, 60), 0, 1, 2, 3, 4, 59) == [False] * 5 + [True]


def test_the_sixth_sms_exactly_a_minute_after_the_first_is_still_lost() -> None:
    assert arrivals(PhoneCap(5, 60), 0, 1, 2, 3, 4, 60) == [False] * 5 + [True]


def test_the_sixth_sms_just_over_a_minute_after_the_first_passes() -> None:
    assert arrivals(PhoneCap(5, 60), 0, 1, 2, 3, 4, 60.001, 60.5) == [False] * 6 + [True]


def test_lost_sms_take_no_room_in_the_window() -> None:
    assert arrivals(PhoneCap(5, 60), 0, 0, 0, 0, 0, 30, 40, 50, 61, 61) == [False] * 5 + [True] * 3 + [False] * 2


def test_every_part_is_an_sms() -> None:
    assert arrivals(PhoneCap(5, 60), 0, 1, parts=3) == [False, True]
    assert arrivals(PhoneCap(6, 60), 0, 1, 2, parts=3) == [False, False, True]


def test_a_message_longer_than_the_cap_passes_only_alone() -> None:
    cap = PhoneCap(5, 60)
    assert arrivals(cap, 0, parts=7) == [False]
    assert arrivals(cap, 1, 61, parts=1) == [True, False]
    assert arrivals(cap, 62, parts=7) == [True]


def test_each_phone_has_a_window_of_its_own() -> None:
    cap = PhoneCap(1, 60)
    assert arrivals(cap, 0) == [False]
    assert arrivals(cap, 1, 2, number="639000000001") == [False, True]


def test_other_countries_and_philippine_landlines_have_no_cap() -> None:
    cap = PhoneCap(1, 60)
    assert not any(arrivals(cap, *[0] * 50, number="6328123456"))
    assert not any(arrivals(cap, *[0] * 50, number="4915112345678"))
    assert cap.worst == 0


def test_worst_counts_what_came_for_one_phone_in_a_window_lost_or_not() -> None:
    cap = PhoneCap(5, 60)
    arrivals(cap, 0, 0, 0, 0, 0, 10, 20)
    arrivals(cap, 100, 100, number="639000000001")
    assert cap.worst == 7


def test_memory_holds_only_the_window() -> None:
    cap = PhoneCap(5, 60)
    for i in range(1000):
        cap.loses(f"639{i:09d}", 1, T0 + i)
    assert len(cap._arrivals) == len(cap._phones) == 61


EVENTS = st.lists(
    st.tuples(st.integers(0, 25), st.sampled_from(["639000000001", "639000000002"]), st.integers(1, 7)),
    max_size=60,
)


@given(EVENTS)
def test_the_running_sums_agree_with_a_count_of_every_window(events: list[tuple[int, str, int]]) -> None:
    cap, now = PhoneCap(5, 60), 0
    came: list[tuple[int, str, int]] = []
    delivered: list[tuple[int, str, int]] = []
    worst = 0
    for gap, number, parts in events:
        now += gap
        room = sum(p for at, n, p in delivered if n == number and now - at <= 60)
        lost = cap.loses(number, parts, now)
        assert lost == (room > 0 and room + parts > 5)
        came.append((now, number, parts))
        if not lost:
            delivered.append((now, number, parts))
        worst = max(worst, sum(p for at, n, p in came if n == number and now - at <= 60))
    assert cap.worst == worst
