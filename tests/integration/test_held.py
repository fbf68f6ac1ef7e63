"""How many requests at once were well is remembered for an account, beside whatever else is kept of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulksend.campaign import SendOptions, as_last
from bulksend.runs import Address, account_of, held, hold
from bulksend.sending import Caps, Pace

URL = "https://api.example"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path))


def test_what_held_last_is_remembered_of_each_account() -> None:
    assert held(None, Address(7, URL)) == 0
    for org_id, at_once in ((7, 40), (7, 300), (8, 12)):
        with account_of(Path("june.run"), Address(org_id, URL)):
            hold(None, Address(org_id, URL), at_once)
    assert (held(None, Address(7, URL)), held(None, Address(8, URL)), held(None, Address(9, URL))) == (300, 12, 0)


def test_what_shows_nothing_changes_nothing() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        hold(None, Address(7, URL), 40)
        hold(None, Address(7, URL), 0)
    assert held(None, Address(7, URL)) == 40


def test_of_an_account_of_before_nothing_is_known() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        assert held(None, Address(7, URL)) == 0


def test_the_next_run_begins_near_it_and_its_duration_is_reckoned_with_it() -> None:
    with account_of(Path("june.run"), Address(7, URL)):
        hold(None, Address(7, URL), 200)
    known = as_last(SendOptions(Pace(), Caps()), Address(7, URL)).pace
    unknown = as_last(SendOptions(Pace(), Caps()), Address(8, URL)).pace
    fixed = as_last(SendOptions(Pace(5), Caps()), Address(7, URL)).pace
    assert (known.start, known.usual) == (150, 150)
    assert (unknown.start, unknown.usual) == (8, 32)
    assert fixed.usual == 5
