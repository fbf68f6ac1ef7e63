from __future__ import annotations

import pytest

from bulksend.campaign import seconds_left
from bulksend.model import ContactId, Encoding, PhoneNumber
from bulksend.planning.duration import crowd_seconds, min_seconds
from bulksend.planning.overview import Crowd, Group, Overview
from bulksend.sending.caps import Cap, Caps

ANA, JOE = PhoneNumber("639171234567"), PhoneNumber("12125550123")


CAPS = Caps()


@pytest.mark.parametrize(
    ("rows", "parts", "by_parts", "seconds"),
    [
        (1, 1, True, 0), (5, 5, True, 0), (6, 6, True, 60), (10, 10, True, 60), (11, 11, True, 120),
        (500, 500, True, 99 * 60), (6, 12, True, 120), (6, 12, False, 60),
        (10, 70, True, 9 * 60),  # 7 parts each: one longer than the cap counts as full, and goes alone
    ],
)  # fmt: skip
def test_a_crowd_takes_at_least_as_long_as_its_cap_wants(rows: int, parts: int, by_parts: bool, seconds: float) -> None:
    assert crowd_seconds(Crowd(ANA, rows, parts), CAPS.of, by_parts=by_parts) == seconds


def test_where_no_cap_holds_nobody_waits_but_a_contact_may_be_anybody() -> None:
    assert crowd_seconds(Crowd(JOE, 100, 100), CAPS.of, by_parts=True) == 0
    assert crowd_seconds(Crowd(ContactId(7), 6, 6), CAPS.of, by_parts=True) == 60
    assert crowd_seconds(Crowd(JOE, 3, 3), Caps([Cap.parse("1=1/10")]).of, by_parts=True) == 20


def test_the_rate_and_the_worst_crowd_are_told_apart() -> None:
    groups = (Group("63", Encoding.GSM7, 1, 600, 0, 600),)
    overview = Overview(groups, (Crowd(ANA, 6, 6), Crowd(ContactId(1), 11, 11)))
    assert min_seconds(overview, 10, CAPS.of, by_parts=True) == (60, 120)
    assert min_seconds(Overview(groups, ()), None, CAPS.of, by_parts=True) == (0, 0)


def test_what_is_left_takes_as_long_as_the_slower_of_pace_and_caps() -> None:
    assert seconds_left(free=100, pace=10, caps_s=3) == 10
    assert seconds_left(free=100, pace=10, caps_s=60) == 60
    assert seconds_left(free=0, pace=10, caps_s=-1) == 0
