"""How many requests at once were well is remembered for an account, beside whatever else is kept of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulksend.runs import Account, held, hold

URL = "https://api.example"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path))


def test_what_held_last_is_remembered_of_each_account() -> None:
    assert held(URL, 7) == 0
    for org_id, at_once in ((7, 40), (7, 300), (8, 12)):
        with Account(URL, org_id, "june.run"):
            hold(URL, org_id, at_once)
    assert (held(URL, 7), held(URL, 8), held(URL, 9)) == (300, 12, 0)


def test_what_shows_nothing_changes_nothing() -> None:
    with Account(URL, 7, "june.run"):
        hold(URL, 7, 40)
        hold(URL, 7, 0)
    assert held(URL, 7) == 40


def test_of_an_account_of_before_nothing_is_known() -> None:
    with Account(URL, 7, "june.run"):
        assert held(URL, 7) == 0
