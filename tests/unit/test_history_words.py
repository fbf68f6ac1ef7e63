"""What history says of a plan, in words."""

from __future__ import annotations

import pytest

from bulksend.campaign import LookedBack, Repeating
from bulksend.cli.history_view import held_lines


@pytest.mark.parametrize(
    ("rows", "get"), [(1, "1 of these got 3 texts or more within 7 days, and gets "), (2, " get ")]
)
def test_who_gets_many_is_told_of_one_and_of_several(rows: int, get: str) -> None:
    (line,) = held_lines(LookedBack(often=rows), Repeating())
    assert get in line
    assert line.endswith(" another one [FREQ]")
