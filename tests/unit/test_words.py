"""Words made fit to show."""

from __future__ import annotations

import pytest

from bulksend.words import listed


@pytest.mark.parametrize(
    ("things", "told"),
    [
        ([], ""),
        (["red"], "red"),
        (["red", "green"], "red and green"),
        (["red", "green", "blue"], "red, green and blue"),
    ],
)
def test_things_are_told_one_after_the_other(things: list[str], told: str) -> None:
    assert listed(things) == told
