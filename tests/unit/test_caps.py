from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.errors import UsageError
from bulksend.model import ContactId, PhoneNumber
from bulksend.sending import Cap, Caps
from bulksend.sending.caps import Window

MANILA = PhoneNumber("639171234567")


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("63=5/60", Cap("63", 5, 60.0)),
        ("+63917=1/0.5", Cap("63917", 1, 0.5)),
        (" 1=100000/86400 ", Cap("1", 100_000, 86_400.0)),
    ],
)
def test_a_cap_is_read_as_prefix_count_and_seconds(text: str, cap: Cap) -> None:
    assert Cap.parse(text) == cap


@pytest.mark.parametrize(
    "text",
    [
        *("", "63", "63=5", "63=5/", "=5/60", "63=5/60/1", "63 = 5/60", "sixty=5/60"),
        *("063=5/60", "1234567890123456=5/60"),
        *("63=0/60", "63=-5/60", "63=5.5/60"),
        *("63=5/0", "63=5/0.0", "63=5/-1", "63=5/1e3", "63=5/nan"),
    ],
)
def test_another_text_is_no_cap_and_the_error_shows_how_one_looks(text: str) -> None:
    with pytest.raises(UsageError, match="such as 63=5/60"):
        Cap.parse(text)


@pytest.mark.parametrize("text", ["6\u0663=5/60", "63=5\u0663/60", "63=5/6\u0660"])
def test_a_caps_digits_are_ascii(text: str) -> None:
    with pytest.raises(UsageError):
        Cap.parse(text)


@given(st.from_regex(r"[1-9][0-9]{0,4}=[1-9][0-9]{0,2}/[1-9][0-9]{0,3}", fullmatch=True))
def test_a_caps_text_reads_back_the_same(text: str) -> None:
    assert str(Cap.parse(text)) == text


def test_philippine_numbers_get_five_a_minute_and_others_are_free() -> None:
    caps = Caps()
    assert caps.of(MANILA) == Cap("63", 5, 60.0)
    assert caps.of(PhoneNumber("4915112345678")) is None
    assert caps.of(PhoneNumber("16391712345")) is None
    assert list(caps) == [Cap("63", 5, 60.0)]


def test_the_longest_prefix_wins_however_the_caps_are_ordered() -> None:
    given_caps = [Cap("6", 9, 9), Cap("63917", 1, 60), Cap("639", 3, 60)]
    for order in (given_caps, given_caps[::-1]):
        caps = Caps(order)
        assert caps.of(MANILA) == Cap("63917", 1, 60)
        assert caps.of(PhoneNumber("639181234567")) == Cap("639", 3, 60)
        assert caps.of(PhoneNumber("6328123456")) == Cap("63", 5, 60.0)
        assert caps.of(PhoneNumber("6591234567")) == Cap("6", 9, 9)


def test_a_given_cap_replaces_the_known_one_of_its_prefix() -> None:
    caps = Caps([Cap("63", 50, 30)])
    assert caps.of(MANILA) == Cap("63", 50, 30)
    assert list(caps) == [Cap("63", 50, 30)]


def test_the_longest_window_of_all_caps_is_how_far_back_a_send_counts() -> None:
    assert Caps().longest_window_s == 60
    assert Caps([Cap("44", 1000, 3600)]).longest_window_s == 3600
    assert Caps([Cap("44", 1, 1)]).longest_window_s == 60


def test_a_contact_of_unknown_number_is_under_the_only_cap() -> None:
    assert Caps().of(ContactId(63)) is not None
    contacts = Caps().of(ContactId(1))
    assert contacts is not None
    assert (contacts.count, contacts.window_s) == (5, 60)


@pytest.mark.parametrize(
    "others",
    [
        [Cap("44", 1, 60)],
        [Cap("44", 1, 1)],
        [Cap("44", 100, 3600)],
        [Cap("44", 1, 10), Cap("49", 20, 150)],
    ],
)
def test_a_contact_of_unknown_number_is_held_as_tightly_as_any_number_could_be(others: list[Cap]) -> None:
    caps = Caps(others)
    contacts = caps.of(ContactId(1))
    assert contacts is not None
    assert all(contacts.count <= cap.count and contacts.window_s >= cap.window_s for cap in caps)


def test_an_empty_window_has_room_now() -> None:
    assert Window().free_at(1, 5, 100.0) == 100.0
    assert Window().is_empty(100.0)


def test_what_is_under_way_counts_until_a_minute_after_its_answer() -> None:
    window = Window()
    for _ in range(5):
        window.take(1)
    assert window.free_at(1, 5, 100.0) == math.inf
    window.answered(1, 161.0)
    assert window.in_flight == 4
    assert window.free_at(1, 5, 101.0) == 161.0
    assert window.free_at(2, 5, 101.0) == math.inf


def test_a_slot_is_free_at_the_very_moment_its_time_is_over() -> None:
    window = Window()
    window.hold(5, 160.0)
    assert window.free_at(1, 5, 159.999) == 160.0
    assert not window.is_empty(159.999)
    assert window.free_at(1, 5, 160.0) == 160.0
    assert window.is_empty(160.0)


def test_several_slots_wait_until_as_many_are_free() -> None:
    window = Window()
    for free_at in (10.0, 20.0, 30.0, 40.0, 50.0):
        window.hold(1, free_at)
    assert [window.free_at(slots, 5, 0.0) for slots in range(1, 6)] == [10.0, 20.0, 30.0, 40.0, 50.0]


def test_a_message_longer_than_the_cap_goes_when_nothing_else_counts() -> None:
    window = Window()
    assert window.free_at(7, 5, 0.0) == 0.0
    window.hold(1, 10.0)
    window.hold(1, 20.0)
    assert window.free_at(7, 5, 0.0) == 20.0
    window.take(1)
    assert window.free_at(7, 5, 30.0) == math.inf


def test_after_a_message_longer_than_the_cap_nothing_goes_until_its_minute_is_over() -> None:
    window = Window()
    window.take(7)
    window.answered(7, 60.0)
    assert window.free_at(1, 5, 0.0) == 60.0


def test_holds_may_come_in_any_order() -> None:
    window = Window()
    for free_at in (30.0, 10.0, 50.0, 20.0, 40.0):
        window.hold(1, free_at)
    assert [window.free_at(slots, 5, 0.0) for slots in range(1, 6)] == [10.0, 20.0, 30.0, 40.0, 50.0]
    assert not window.is_empty(49.9)
    assert window.is_empty(50.0)


def test_an_sms_that_never_left_gives_its_slots_back() -> None:
    window = Window()
    window.take(3)
    window.take(2)
    window.unsent(3)
    assert window.free_at(3, 5, 0.0) == 0.0
    window.unsent(2)
    assert window.is_empty(0.0)


def test_a_window_with_an_sms_under_way_is_not_empty() -> None:
    window = Window()
    window.take(1)
    assert not window.is_empty(10_000.0)


def test_merged_windows_count_together() -> None:
    window, other = Window(), Window()
    window.hold(1, 30.0)
    window.take(1)
    other.hold(2, 10.0)
    other.take(1)
    window.merge(other)
    assert window.in_flight == 2
    assert window.free_at(1, 5, 0.0) == 10.0
    assert window.free_at(3, 5, 0.0) == 30.0
    assert window.free_at(4, 5, 0.0) == math.inf


@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(1, 100)), max_size=12),
    st.integers(1, 7),
    st.integers(1, 8),
    st.integers(0, 110),
)
def test_there_is_room_at_free_at_and_not_before(held: list[tuple[int, int]], slots: int, count: int, now: int) -> None:
    window = Window()
    for more, free_at in held:
        window.hold(more, float(free_at))

    def has_room(at: float) -> bool:
        used = sum(more for more, free_at in held if free_at > at)
        return used == 0 or used + slots <= count

    expected = next(at for at in sorted({now, *(at for _, at in held if at > now)}) if has_room(at))
    assert window.free_at(slots, count, float(now)) == expected
