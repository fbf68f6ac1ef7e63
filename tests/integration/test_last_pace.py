"""What an account's server took well is remembered for it, beside whatever else is kept of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bulksend.campaign import SendOptions, as_last
from bulksend.runs import Address, account_of, keep_pace, last_pace
from bulksend.sending import Caps, LastPace, Pace

URL = "https://api.example"
NOW = 1_700_000_000.0
_DAY_S = 86_400.0


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path))


def at_once(org_id: int) -> int:
    return last_pace(None, Address(org_id, URL), NOW).at_once


def test_what_held_last_is_remembered_of_each_account() -> None:
    assert at_once(7) == 0
    for org_id, requests in ((7, 40), (7, 300), (8, 12)):
        with account_of(Path("june.run"), Address(org_id, URL)):
            keep_pace(None, Address(org_id, URL), LastPace(requests), NOW)
    assert (at_once(7), at_once(8), at_once(9)) == (300, 12, 0)


def test_what_shows_nothing_changes_nothing() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        keep_pace(None, Address(7, URL), LastPace(40), NOW)
        keep_pace(None, Address(7, URL), LastPace(0), NOW)
    assert at_once(7) == 40


def test_of_an_account_of_before_nothing_is_known() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        assert at_once(7) == 0


def test_the_next_run_begins_near_it_and_its_duration_is_reckoned_with_it() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        keep_pace(None, Address(7, URL), LastPace(200), time.time())
    known = as_last(SendOptions(Pace(), Caps()), Address(7, URL)).pace
    unknown = as_last(SendOptions(Pace(), Caps()), Address(8, URL)).pace
    fixed = as_last(SendOptions(Pace(5), Caps()), Address(7, URL)).pace
    assert (known.start, known.usual) == (150, 150)
    assert (unknown.start, unknown.usual) == (8, 32)
    assert fixed.usual == 5


def test_what_was_let_through_is_remembered_for_a_week() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        keep_pace(None, Address(7, URL), LastPace(40, 200.0), NOW)
        keep_pace(None, Address(7, URL), LastPace(30), NOW + _DAY_S)  # was not refused, which shows no rate
    assert last_pace(None, Address(7, URL), NOW + 6.9 * _DAY_S) == LastPace(30, 200.0)
    assert last_pace(None, Address(7, URL), NOW + 7.1 * _DAY_S) == LastPace(30)
    assert last_pace(None, Address(8, URL), NOW) == LastPace()


def test_a_rate_alone_is_remembered() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        keep_pace(None, Address(7, URL), LastPace(0, 20.0), NOW)
    assert last_pace(None, Address(7, URL), NOW) == LastPace(0, 20.0)


def test_the_next_run_begins_with_that_rate() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        keep_pace(None, Address(7, URL), LastPace(8, 20.0), time.time())
    assert as_last(SendOptions(Pace(), Caps()), Address(7, URL)).pace.start_rate == 20.0
