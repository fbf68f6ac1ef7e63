"""Messages that would go out while it is quiet where they go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.campaign import hour_remarks
from bulksend.model import Encoding
from bulksend.planning import Group, Overview
from bulksend.rules import Rule

MANILA = ZoneInfo("Asia/Manila")


def told(code: str, at: datetime, lasts: timedelta = timedelta()) -> list[tuple[Rule | None, str]]:
    overview = Overview((Group(code, Encoding.GSM7, 1, 7, 0, 0),), ())
    remarks = hour_remarks(overview, at.timestamp(), (at + lasts).timestamp())
    return [(each.rule, each.says) for each in remarks]


def manila(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, 24, hour, minute, tzinfo=MANILA)


@pytest.mark.parametrize(
    ("at", "minutes"), [(manila(21), 0), (manila(6, 59), 0), (manila(0), 0), (manila(20, 55), 6), (manila(8), 24 * 60)]
)
def test_a_night_in_manila_is_told(at: datetime, minutes: int) -> None:
    ((rule, says),) = told("63", at, timedelta(minutes=minutes))
    assert rule is Rule.PH_HOURS
    assert f"7 messages to +63 (PH) would go out from {at:%H:%M}" in says
    assert "from 21:00 to 07:00 (NTC MC 03-03-2005)" in says


@pytest.mark.parametrize(
    ("at", "minutes"), [(manila(7), 0), (manila(20, 59), 0), (manila(20, 55), 5), (manila(12), 60)]
)
def test_a_day_in_manila_is_not(at: datetime, minutes: int) -> None:
    assert told("63", at, timedelta(minutes=minutes)) == []


def test_from_when_to_when_is_told_by_the_clock_there() -> None:
    ((_, says),) = told("63", datetime(2026, 12, 24, 12, 50, tzinfo=UTC), timedelta(minutes=20))
    assert "from 20:50 to 21:10, Manila time" in says


def test_in_america_it_is_looked_at_on_both_coasts() -> None:
    new_york, los_angeles = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")
    assert told("1", datetime(2026, 7, 1, 12, tzinfo=new_york)) == []
    ((rule, says),) = told("1", datetime(2026, 7, 1, 10, 30, tzinfo=new_york))
    assert (rule, "from 07:30, Los Angeles time" in says) == (Rule.US_HOURS, True)
    ((rule, says),) = told("1", datetime(2026, 7, 1, 18, 30, tzinfo=los_angeles))
    assert (rule, "from 21:30, New York time" in says) == (Rule.US_HOURS, True)


def test_who_is_elsewhere_or_a_contact_is_told_of_at_no_hour() -> None:
    for hour in range(24):
        assert told("49", manila(hour)) == told("", manila(hour)) == []


@given(st.integers(0, 24 * 60 - 1), st.integers(0, 30 * 60))
def test_it_is_told_if_any_minute_is_at_night(begins: int, lasts: int) -> None:
    at = manila(0) + timedelta(minutes=begins)
    hours = {(begins + minute) // 60 % 24 for minute in range(max(lasts, 1))}
    assert bool(told("63", at, timedelta(minutes=lasts))) == any(hour < 7 or hour >= 21 for hour in hours)
