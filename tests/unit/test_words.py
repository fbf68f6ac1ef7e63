"""Words made fit to show."""

from __future__ import annotations

import pytest

from bulksend.words import figure, listed


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


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0213, "0.0213"), (4, "4"), (39.31, "39.3"), (99.96, "100"), (231.7, "232"), (1019.4, "1,019")],
)
def test_a_measured_number_is_never_told_as_a_power_of_ten(value: float, told: str) -> None:
    assert figure(value) == told
